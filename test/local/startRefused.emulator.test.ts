/** What a start refuses, with a message that says what to do. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findFreePort, findPortHolder, isPortFree } from '../../local/ports.ts';
import { getIdentity, isAlive, signalProcess, waitUntil } from '../../local/processes.ts';
import { createLocalRuns, startFakeAuth, startMsMax, waitUntilGone } from './support.ts';

const runs = createLocalRuns();
let port: number;
let fakeAuth: Awaited<ReturnType<typeof startFakeAuth>>;

beforeAll(async () => {
  port = await findFreePort();
  fakeAuth = await startFakeAuth();
});
afterAll(async () => {
  await runs.end();
  await fakeAuth.close();
}, startMsMax);

/** The environment of a quick start, which starts no emulators. */
const quickEnv = () => ({
  GOOGLE_CLOUD_PROJECT: 'demo-local-test',
  FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
  FIREBASE_AUTH_EMULATOR_HOST: fakeAuth.host,
});

describe('a start that fails', () => {
  it('names an unknown option', async () => {
    const args = ['--settings', 'no-such-file', '--consol'];
    const start = runs.start(quickEnv(), { args });
    expect(await start.exit).toBe(1);
    expect(start.said()).toMatch(/'--consol'.*npm start -- --console/s);
  });

  it('names the other program on its port, and leaves it running', async () => {
    const script = `require('node:net').createServer().listen(${port}, '127.0.0.1')`;
    const foreign = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    const identity = getIdentity(foreign.pid ?? -1, script);
    try {
      await waitUntil(async () => !(await isPortFree(port)), 10_000);
      expect(await findPortHolder(port)).toMatchObject({ pid: foreign.pid });
      const start = runs.start({ ...quickEnv(), PORT: String(port) });
      expect(await start.exit).toBe(1);
      expect(start.said()).toContain(`pid ${foreign.pid}`);
      expect(start.said()).toContain(`PORT=${port + 1} npm start`);
      expect(isAlive(identity)).toBe(true);
    } finally {
      foreign.kill('SIGKILL');
    }
  }, 30_000);

  it('names LOCAL_DATA_DIR if it cannot be a folder, and starts nothing', async () => {
    const file = join(runs.folder, 'file');
    writeFileSync(file, '');
    const start = runs.start({ ...quickEnv(), PORT: String(port), LOCAL_DATA_DIR: join(file, 'data') });
    expect(await start.exit).toBe(1);
    expect(start.said()).toContain('LOCAL_DATA_DIR is not a folder');
    expect(runs.runFolders()).toEqual([]);
  });

  it('names the bad variable, never its value, and starts nothing', async () => {
    const start = runs.start({ PORT: 'abc-secret' });
    expect(await start.exit).toBe(1);
    expect(start.said()).toContain('PORT');
    expect(start.said()).not.toContain('abc-secret');
    expect(runs.runFolders()).toEqual([]);
  });

  it('leaves nothing behind if it is stopped halfway', async () => {
    const start = runs.start({ PORT: String(port), GOOGLE_CLOUD_PROJECT: 'demo-local-test' });
    await waitUntil(() => runs.processes(port).length === 4, 20_000);
    const processes = runs.processes(port);
    expect(processes).toHaveLength(4);
    signalProcess(start.pid, 'SIGTERM');
    expect(await start.exit).toBe(0);
    expect(await waitUntilGone(processes)).toEqual([]);
    expect(runs.record(port)).toBeUndefined();
    expect(runs.runFolders()).toEqual([]);
  }, 30_000);
});
