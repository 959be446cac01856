/**
 * The run that was on this port before. Each run writes down, under its port, itself and every process it
 * started, so that the next one can end what a run left behind even when it was killed outright.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type Keeping, save } from './data.ts';
import { type Identity, identityOf, isAlive, signalProcess, until } from './processes.ts';
import { StartRefused } from './refusal.ts';

const identitySchema = z.object({ pid: z.int().positive(), started: z.string(), marker: z.string().min(1) });

const noteSchema = z.object({
  run: identitySchema,
  children: z.array(identitySchema),
  /** The run's folder for logs and the like, to be removed with it. */
  runDir: z.string(),
  dataDir: z.string().optional(),
  /** Once its data is loaded: how to save it. */
  keeping: z
    .object({
      dataDir: z.string(),
      projectId: z.string(),
      databaseId: z.string(),
      firestoreHost: z.string().optional(),
      authHost: z.string().optional(),
    })
    .optional(),
});

type Note = z.infer<typeof noteSchema>;

/** How long a run may take to end by itself: the functions drain for 8 s, then its data is saved. */
const endMsMax = 25_000;
const killAfterMs = 3_000;

/** Parts of the command lines by which a run and its functions are known. */
const runMarker = 'start.ts';
export const functionsMarker = 'functions.ts';

// One folder a user: another user's notes would name processes that this one must not touch.
const notesDir = join(tmpdir(), `nano-banana-studio-${userInfo().uid}`);
const noteOf = (port: number) => join(notesDir, `${port}.json`);

/** Notes down a run, and what it starts, for the next one on the port. */
export function recordRun(port: number, runDir: string, dataDir: string | undefined) {
  const note: Note = { run: identityOf(process.pid, runMarker), children: [], runDir, dataDir };
  const write = () => {
    mkdirSync(notesDir, { recursive: true, mode: 0o700 });
    writeFileSync(`${noteOf(port)}.partial`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${noteOf(port)}.partial`, noteOf(port));
  };
  write();
  return {
    addChild(child: Identity) {
      note.children = [...note.children.filter(isAlive), child];
      write();
    },
    keep(keeping: Keeping) {
      note.keeping = keeping;
      write();
    },
    /** The run is over, and nothing of it is left. */
    forget: () => rmSync(noteOf(port), { force: true }),
  };
}

export type Recording = ReturnType<typeof recordRun>;

/**
 * Ends the run that is, or was, on this port, with everything it left.
 * @returns what was done, for a person; undefined when there was nothing to do.
 */
export async function endPreviousRun(port: number): Promise<string | undefined> {
  const note = readNote(port);
  if (!note) return undefined;
  const { run, children, keeping } = note;
  const alive = () => [run, ...children].filter(isAlive);
  const left = alive();

  // A run that lives ends its children itself, in order; one that was killed outright left its functions
  // to notice, and its emulators with data that nobody has saved.
  if (isAlive(run)) signalProcess(run.pid, 'SIGTERM');
  const users = [run, ...children.filter(({ marker }) => marker === functionsMarker)];
  await until(() => !users.some(isAlive), endMsMax);
  if (keeping && !isAlive(run) && alive().length > 0) await save(keeping).catch(() => undefined);

  for (const { pid } of alive()) signalProcess(pid, 'SIGTERM');
  if (!(await until(() => alive().length === 0, killAfterMs))) {
    for (const { pid } of alive()) signalProcess(pid, 'SIGKILL');
    await until(() => alive().length === 0, killAfterMs);
  }
  rmSync(note.runDir, { recursive: true, force: true });
  rmSync(noteOf(port), { force: true });
  return left.length === 0
    ? undefined
    : `Ended the run that was still on port ${port} (pid ${left.map(({ pid }) => pid).join(', ')}).`;
}

/**
 * Two runs over the same data would each overwrite what the other saves.
 * @throws {StartRefused} when another run that is alive keeps its data there.
 */
export function refuseSharedDataDir(dataDir: string): void {
  for (const port of notedPorts()) {
    const note = readNote(port);
    if (note?.dataDir === dataDir && note.run.pid !== process.pid && isAlive(note.run)) {
      throw new StartRefused(
        `LOCAL_DATA_DIR is in use by the run on port ${port}. Stop that one, or give this one another folder.`,
      );
    }
  }
}

function notedPorts(): number[] {
  try {
    return readdirSync(notesDir).flatMap((name) => /^(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? []);
  } catch {
    return [];
  }
}

function readNote(port: number): Note | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(noteOf(port), 'utf8')));
  } catch {
    return undefined; // No run, or its note was lost: then nothing is known to be ours.
  }
}
