/**
 * A fake Google Cloud project for the deploy's script. gcloud, npm and the others are functions of bash, because hundreds
 * of processes would take a while.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type FakeProject = {
  /** Everything exists already. Otherwise a look-up finds nothing. */
  isThere?: boolean;
  /** Commands that contain this fail, so often. */
  fails?: { part: string; times?: number };
  /** What the user types. */
  input?: string;
};

const fakes = String.raw`
fake() {
  local line="$*"
  case " $line " in *" --data-file=-"*) { cat; echo; } >> "$FOLDER/inputs";; esac
  if [ -n "$FAILING" ] && [[ $line == *"$FAILING"* ]] && [ "$(wc -l < "$FOLDER/failed")" -lt "$TIMES" ]; then
    echo >> "$FOLDER/failed"
    echo "$line" >> "$FOLDER/commands"
    return 1
  fi
  case " $line " in
    *"list IDENTITY_HASH_KEY"*) [ -z "$THERE" ] || echo 1; return 0;;
    *"indexes composite list"*) return 0;;
    *"value(locationId)"*) echo europe-west1; return 0;;
    *"projects describe"*|*"images describe"*|*"api-keys list"*) ;;
    *"channels list"*) if [ -n "$THERE" ]; then echo the-name; return 0; elif [ ! -e "$FOLDER/channel" ]; then touch "$FOLDER/channel"; return 1; fi;;
    *" describe "*|*" list "*|*" apps:list "*|*" hosting:sites:get "*)
      [ -n "$THERE" ] || return 1
      echo '"success" "appId" "dailyRecurrence" "weeklyRecurrence" the-name'
      return 0;;
  esac
  echo "$line" >> "$FOLDER/commands"
  echo found-out
}
for program in gcloud npx npm curl; do eval "$program() { fake $program \"\$@\"; }"; done
sleep() { echo "$1" >> "$FOLDER/pauses"; }
`;

/** Runs the script in the folder. The fakes note what they are called with. */
export function runInFake(
  script: string,
  folder: string,
  { isThere = false, fails, input = '' }: FakeProject,
) {
  const notes = join(folder, 'notes');
  rmSync(notes, { recursive: true, force: true });
  mkdirSync(notes);
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(notes, 'failed'), '');
  for (const name of ['firestore.rules', 'firestore.indexes.json']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'fakes.sh'), fakes);
  writeFileSync(join(folder, 'deploy.sh'), script);
  const { status, stdout, stderr } = spawnSync('bash', ['deploy.sh'], {
    cwd: folder,
    input,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      BASH_ENV: join(folder, 'fakes.sh'),
      FOLDER: notes,
      THERE: isThere ? '1' : '',
      FAILING: fails?.part ?? '',
      TIMES: String(fails?.times ?? 1_000),
    },
  });
  const read = (name: string) =>
    existsSync(join(notes, name)) ? readFileSync(join(notes, name), 'utf8').trim().split('\n') : [];
  return {
    ok: status === 0,
    output: stdout + stderr,
    commands: read('commands'),
    inputs: read('inputs'),
    pauses: read('pauses'),
  };
}
