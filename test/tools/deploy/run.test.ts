/** The deploy is repeatable, stops at a failure and shows no secret. Its script runs the same commands. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { type DeployOptions, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { type Runtime, runSteps } from '../../../tools/deploy/run.ts';
import { toShellScript } from '../../../tools/deploy/steps.ts';

const secret = 'AIza-not-a-real-key';
const args = ['--project', 'my-studio', '--region', 'europe-west1', '--alert-email', 'ops@example.com'];
let folder: string;
let keyFile: string;
let cloudinaryFile: string;
let terminalOutput: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-deploy-'));
  [keyFile, cloudinaryFile] = [join(folder, 'key'), join(folder, 'cloudinary')];
  writeFileSync(keyFile, `${secret}\n`);
  writeFileSync(cloudinaryFile, 'cloudinary://1:s3cret@cloud\r\n');
  terminalOutput = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => terminalOutput.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const options = (): DeployOptions => ({
  ...parseOptions(args),
  secretFiles: { GEMINI_API_KEY: keyFile, CLOUDINARY_URL: cloudinaryFile },
});

/** The plan, writing its files into the test's folder. */
const plan = (deployOptions = options()) =>
  createPlan(deployOptions).map((step) =>
    step.do === 'write' ? { ...step, path: join(folder, step.path) } : step,
  );

const isLook = (line: string) => / (describe|list|apps:list|hosting:sites:get) /.test(`${line} `);

/** A fake project. A lookup finds nothing in an empty project, and everything in a complete one. */
function project({
  isThere = false,
  fails = (_: string) => false,
}: {
  isThere?: boolean;
  fails?: (line: string) => boolean;
}) {
  const commands: string[] = [];
  const inputs: string[] = [];
  const runtime: Runtime = {
    ask: undefined,
    pause: async () => {},
    async run(command, { input, quiet }) {
      const line = command.join(' ');
      if (input !== undefined) inputs.push(input);
      if (quiet && isLook(line)) {
        if (line.includes('list IDENTITY_HASH_KEY')) return { ok: true, output: isThere ? '1\n' : '' };
        if (line.includes('indexes composite list')) return { ok: true, output: '' };
        if (line.includes('value(locationId)')) return { ok: true, output: 'europe-west1\n' };
        const all = '"success" "appId" "dailyRecurrence" "weeklyRecurrence" the-name\n';
        return isThere ? { ok: true, output: all } : { ok: false, output: '' };
      }
      commands.push(line);
      return { ok: !fails(line), output: 'found-out\n' };
    },
  };
  return { commands, inputs, runtime };
}

describe('a deploy', () => {
  it('creates everything in an empty project, and only updates it the next time', async () => {
    const [empty, full] = [project({}), project({ isThere: true })];
    await runSteps(plan(), empty.runtime);
    await runSteps(plan(), full.runtime);
    const making =
      /\b(service-accounts|secrets|databases|schedules|repositories|triggers|http|metrics|policies|channels|apps:|sites:)[: ]?create\b|create http/;
    expect(empty.commands.filter((line) => making.test(line)).length).toBeGreaterThan(25);
    expect(full.commands.filter((line) => making.test(line))).toEqual([]);
    const deployed = full.commands.filter((line) => line.startsWith('gcloud run deploy'));
    expect(deployed).toHaveLength(Object.keys(manifest).length);
    expect(full.commands.filter((line) => line.includes('scheduler jobs update http'))).toHaveLength(4);
  });

  it('prints each step and each command, with the variables from earlier steps', async () => {
    const { runtime } = project({});
    await runSteps(plan(), runtime);
    const text = terminalOutput.join('');
    for (const { title } of plan()) expect(text).toContain(title);
    expect(text).toContain('--image=found-out');
    expect(text).toContain('https://sweep-holds-found-out.europe-west1.run.app/');
    expect(text).not.toContain('{{');
  });

  it('passes secrets on without printing them, and without their line break', async () => {
    const { commands, inputs, runtime } = project({});
    await runSteps(plan(), runtime);
    const [identityKey = ''] = inputs;
    expect(inputs).toEqual([identityKey, secret, 'cloudinary://1:s3cret@cloud']);
    expect(identityKey).toMatch(/^[0-9a-f]{64}$/);
    const everything = [...commands, ...terminalOutput, toShellScript(plan())].join('\n');
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain('s3cret');
    expect(everything).not.toContain(identityKey);
  });

  it("keeps a secret's value, and asks for a missing one", async () => {
    const noFiles = { ...options(), secretFiles: {} };
    const completeProject = project({ isThere: true });
    await runSteps(plan(noFiles), completeProject.runtime);
    expect(completeProject.inputs).toEqual([]);

    const emptyProject = project({});
    const answers: Record<string, string> = {
      GEMINI_API_KEY: ` ${secret} `,
      CLOUDINARY_URL: 'cloudinary://1:2@c',
    };
    await runSteps(plan(noFiles), { ...emptyProject.runtime, ask: async (what) => answers[what] ?? '' });
    expect(emptyProject.inputs.slice(1)).toEqual([secret, 'cloudinary://1:2@c']);
    await expect(runSteps(plan(noFiles), project({}).runtime)).rejects.toThrow('GEMINI_API_KEY');
  });

  it('stops, and generates no second key, if it cannot see whether there is one', async () => {
    const { inputs, runtime } = project({ isThere: true });
    const run: Runtime['run'] = async (command, how) =>
      command.join(' ').includes('list IDENTITY_HASH_KEY')
        ? { ok: false, output: '' }
        : runtime.run(command, how);
    await expect(runSteps(plan(), { ...runtime, run })).rejects.toThrow('IDENTITY_HASH_KEY');
    expect(inputs).not.toContainEqual(expect.stringMatching(/^[0-9a-f]{64}$/));
  });

  it('refuses a secret that the functions would refuse, without printing it', async () => {
    writeFileSync(cloudinaryFile, 'https://s3cret.example.com');
    const refused = runSteps(plan(), project({}).runtime);
    await expect(refused).rejects.toThrow('CLOUDINARY_URL');
    await expect(refused).rejects.not.toThrow('s3cret');
  });

  it('stops at the first failed step, and says what to do', async () => {
    const { commands, runtime } = project({ fails: (line) => line.includes('run deploy gallery') });
    await expect(runSteps(plan(), runtime)).rejects.toThrow(
      /failed: Deploy gallery\.\n.*services logs read gallery/,
    );
    expect(commands.at(-1)).toContain('run deploy gallery');
  });

  it('stops if the database is not in the location of its events', async () => {
    const { commands, runtime } = project({ isThere: true });
    const elsewhere = plan({ ...options(), location: 'nam5' });
    await expect(runSteps(elsewhere, runtime)).rejects.toThrow('--location');
    expect(commands.some((line) => line.includes('run deploy'))).toBe(false);
  });

  it('retries a step that depends on a new resource', async () => {
    let failuresLeft = 3;
    const { commands, runtime } = project({
      fails: (line) => line.includes('eventReceiver') && failuresLeft-- > 0,
    });
    await runSteps(plan(), runtime);
    expect(commands.filter((line) => line.includes('eventReceiver'))).toHaveLength(4);
  });
});

describe('the script of a dry run', () => {
  /** Runs the script with fake programs that log their arguments, in a folder with the files that it needs. */
  function runScript(isThere: boolean): string[] {
    const [bin, log] = [join(folder, 'bin'), join(folder, 'log')];
    mkdirSync(bin);
    mkdirSync(join(folder, 'dist'), { recursive: true });
    for (const name of ['firestore.rules', 'firestore.indexes.json']) cpSync(name, join(folder, name));
    const look = `case " $* " in *list\\ IDENTITY_HASH_KEY*) ${isThere ? 'echo 1' : ':'}; exit 0;; *indexes\\ composite*) exit 0;; *locationId*) echo europe-west1; exit 0;;
*\\ describe\\ *|*\\ list\\ *|*apps:list*|*sites:get*)
  case " $* " in *projects\\ describe*|*images\\ describe*) ;; *) ${isThere ? 'echo \'"success" "appId" "dailyRecurrence" "weeklyRecurrence" the-name\'; exit 0' : 'exit 1'};; esac;;
esac`;
    for (const program of ['gcloud', 'npx', 'npm', 'curl']) {
      const text = `#!/bin/bash\n${look}\necho "${program} $*" >> ${log}\ncase " $* " in *--data-file=-*) cat > /dev/null;; esac\necho found-out\n`;
      writeFileSync(join(bin, program), text);
      chmodSync(join(bin, program), 0o755);
    }
    const deployOptions = { ...options(), alertEmail: undefined };
    writeFileSync(join(folder, 'deploy.sh'), toShellScript(createPlan(deployOptions)));
    execFileSync('bash', ['deploy.sh'], {
      cwd: folder,
      env: { PATH: `${bin}:${process.env.PATH}` },
      stdio: 'pipe',
    });
    return readFileSync(log, 'utf8').trim().split('\n');
  }

  it.each([
    ['an empty project', false],
    ['a complete project', true],
  ])('runs the same commands as the deploy in %s', async (_, isThere) => {
    const { commands, runtime } = project({ isThere });
    await runSteps(plan({ ...options(), alertEmail: undefined }), runtime);
    expect(runScript(isThere)).toEqual(commands.filter((line) => !line.startsWith('cp ')));
  });

  it('is the same every time', () => {
    expect(toShellScript(createPlan(options()))).toBe(toShellScript(createPlan(options())));
  });
});
