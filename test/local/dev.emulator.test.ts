/** npm run dev, on a copy of the sources that may be changed. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { isAlive, until } from '../../local/processes.ts';
import { createLocalRuns, type Start, startAuthDouble, startMsMax, untilUp } from './support.ts';

const runs = createLocalRuns();
const root = join(runs.folder, 'tree');
const source = join(root, 'functions/health.ts');
let authDouble: Awaited<ReturnType<typeof startAuthDouble>>;
let port: number;
let start: Start;

beforeAll(async () => {
  for (const name of ['local', 'functions', 'shared', 'web', 'docs', 'firestore.rules', 'package.json'])
    cpSync(resolve(name), join(root, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  authDouble = await startAuthDouble();
  port = await freePort();
  // The Firestore emulator is its own, to see that it stays; the other would only take time.
  const env = { PORT: String(port), FIREBASE_AUTH_EMULATOR_HOST: authDouble.host };
  start = runs.start(env, { root, args: ['--dev'] });
  await untilUp(start, port);
}, startMsMax);

afterAll(async () => {
  await runs.end();
  await authDouble.close();
}, startMsMax);

const processOf = (marker: string) =>
  runs.note(port)?.children.findLast((child) => child.marker === marker && isAlive(child))?.pid;

async function healthStatus(): Promise<unknown> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    return ((await response.json()) as { status?: unknown }).status;
  } catch {
    return undefined;
  }
}

describe('a change of a source file', () => {
  it('starts the functions anew, and them alone', async () => {
    const [firestore, functions] = [processOf('CloudFirestore'), processOf('functions.ts')];
    writeFileSync(source, readFileSync(source, 'utf8').replace("status: 'ok'", "status: 'changed'"));
    expect(await until(async () => (await healthStatus()) === 'changed', 30_000)).toBe(true);
    expect(start.said()).toContain('functions/health.ts changed');
    expect(processOf('functions.ts')).not.toBe(functions);
    expect(processOf('CloudFirestore')).toBe(firestore);
  }, 40_000);

  it('that breaks them is waited out until the next one', async () => {
    const broken = join(root, 'functions/index.ts');
    const good = readFileSync(broken, 'utf8');
    writeFileSync(broken, 'this is no TypeScript');
    expect(await until(() => start.said().includes('start again at the next change'), 30_000)).toBe(true);
    writeFileSync(broken, good);
    expect(await until(async () => (await healthStatus()) === 'changed', 30_000)).toBe(true);
  }, 70_000);
});
