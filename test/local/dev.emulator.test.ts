/** `npm run dev`, on a copy of the sources that the tests may change. */
import { cpSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../local/ports.ts';
import { isAlive, waitUntil } from '../../local/processes.ts';
import { createLocalRuns, type Start, startFakeAuth, startMsMax, waitUntilUp } from './support.ts';

const runs = createLocalRuns();
const root = join(runs.folder, 'tree');
const source = join(root, 'functions/health.ts');
let fakeAuth: Awaited<ReturnType<typeof startFakeAuth>>;
let port: number;
let start: Start;

beforeAll(async () => {
  for (const name of [
    'local',
    'tools',
    'functions',
    'shared',
    'web',
    'docs',
    'firestore.rules',
    'package.json',
  ])
    cpSync(resolve(name), join(root, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  fakeAuth = await startFakeAuth();
  port = await findFreePort();
  // Start a real Firestore emulator, to check that it keeps running. A real Auth emulator would only take time.
  const env = { PORT: String(port), FIREBASE_AUTH_EMULATOR_HOST: fakeAuth.host };
  start = runs.start(env, { root, args: ['--dev'] });
  await waitUntilUp(start, port);
}, startMsMax);

afterAll(async () => {
  await runs.end();
  await fakeAuth.close();
}, startMsMax);

const findPid = (marker: string) =>
  runs.record(port)?.children.findLast((child) => child.marker === marker && isAlive(child))?.pid;

async function healthStatus(): Promise<unknown> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    return ((await response.json()) as { status?: unknown }).status;
  } catch {
    return undefined;
  }
}

describe('a change of a source file', () => {
  it('restarts the functions and nothing else', async () => {
    const [firestore, functions] = [findPid('CloudFirestore'), findPid('functions.ts')];
    writeFileSync(source, readFileSync(source, 'utf8').replace("status: 'ok'", "status: 'changed'"));
    expect(await waitUntil(async () => (await healthStatus()) === 'changed', 30_000)).toBe(true);
    expect(start.said()).toContain('functions/health.ts changed');
    expect(await waitUntil(() => /Restarted in \d+\.\d s\./.test(start.said()), 10_000)).toBe(true);
    expect(findPid('functions.ts')).not.toBe(functions);
    expect(findPid('CloudFirestore')).toBe(firestore);
  }, 40_000);

  it('fails no request meanwhile, also after saves that replace the file', async () => {
    let isDone = false;
    const failures: unknown[] = [];
    const clients = [1, 2, 3, 4].map(async () => {
      while (!isDone) {
        const reply = await fetch(`http://127.0.0.1:${port}/health`).catch((error: unknown) => error);
        if (!(reply instanceof Response && reply.ok)) failures.push(reply);
        else await reply.arrayBuffer();
      }
    });
    for (const word of ['again', 'changed']) {
      const text = readFileSync(source, 'utf8').replace(/status: '\w+'/, `status: '${word}'`);
      writeFileSync(`${source}.tmp`, text);
      renameSync(`${source}.tmp`, source);
      expect(await waitUntil(async () => (await healthStatus()) === word, 30_000)).toBe(true);
    }
    isDone = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
  }, 70_000);

  it('that breaks the functions does not end the run, and the next change restarts them', async () => {
    const broken = join(root, 'functions/index.ts');
    const good = readFileSync(broken, 'utf8');
    writeFileSync(broken, 'this is not TypeScript');
    expect(await waitUntil(() => start.said().includes('start again at the next change'), 30_000)).toBe(true);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(503);
    writeFileSync(broken, good);
    expect(await waitUntil(async () => (await healthStatus()) === 'changed', 30_000)).toBe(true);
  }, 70_000);
});
