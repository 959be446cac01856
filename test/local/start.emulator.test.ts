/** npm start, from the first answer to the last process. The tests of this file go on from one another. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort, holderOf, isFree } from '../../local/ports.ts';
import { identityOf, isAlive, signalProcess, until } from '../../local/processes.ts';
import {
  accountFields,
  claimsAfter,
  createLocalRuns,
  type Start,
  setBalance,
  startAuthDouble,
  startMsMax,
  untilGone,
  untilUp,
} from './support.ts';

const runs = createLocalRuns();
const projectId = 'demo-local-test';
const dataDir = join(runs.folder, 'data');
let port: number;
let authDouble: Awaited<ReturnType<typeof startAuthDouble>>;

beforeAll(async () => {
  port = await freePort();
  authDouble = await startAuthDouble();
  mkdirSync(dataDir);
});
afterAll(async () => {
  await runs.end();
  await authDouble.close();
}, startMsMax);

const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });

type Init = { projectId: string; emulators: Record<'auth' | 'firestore', { host: string; port: number }> };

async function emulatorHosts(): Promise<{ auth: string; firestore: string }> {
  const { emulators } = (await (await get('/__/firebase/init.json')).json()) as Init;
  const host = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  return { auth: host(emulators.auth), firestore: host(emulators.firestore) };
}

/** A start that needs no emulators of its own, and so no time. */
const quickEnv = () => ({
  GOOGLE_CLOUD_PROJECT: projectId,
  FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
  FIREBASE_AUTH_EMULATOR_HOST: authDouble.host,
});

describe('a start with nothing in the environment', () => {
  let start: Start;
  beforeAll(async () => {
    start = runs.start({ PORT: String(port), LOCAL_DATA_DIR: dataDir, GOOGLE_CLOUD_PROJECT: projectId });
    await untilUp(start, port);
  }, startMsMax);

  it('says what runs where, what is a stand-in, and whom to sign in as', () => {
    for (const words of [
      `http://127.0.0.1:${port}/studio`,
      'STAND-IN',
      'demo@example.com',
      'admin@example.com',
    ])
      expect(start.said()).toContain(words);
  });

  it("answers as Firebase Hosting does, with the emulators' addresses", async () => {
    const init = (await (await get('/__/firebase/init.json')).json()) as Init;
    expect(init).toMatchObject({ projectId, apiKey: expect.any(String), appId: expect.any(String) });
    expect(init.emulators.auth).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    expect(init.emulators.firestore).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  });

  it.each([
    ['/studio', 'text/html; charset=utf-8'],
    ['/reference', 'text/html; charset=utf-8'],
    ['/openapi.json', 'application/json; charset=utf-8'],
  ])('serves %s', async (path, type) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('serves every file that the page names', async () => {
    const page = await (await get('/studio')).text();
    const files = [...page.matchAll(/(?:src|href)="(\/studio\/[^"]+)"/g)].map(([, path]) => path as string);
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) expect([path, (await get(path)).status]).toEqual([path, 200]);
  });

  it('leads from / to the studio', async () => {
    expect((await get('/')).headers.get('location')).toBe('/studio');
  });

  it('has a demo user and an admin, each with 74 credits', async () => {
    const { auth, firestore } = await emulatorHosts();
    const user = await claimsAfter('signInWithPassword', auth, 'demo@example.com', 'nano-banana');
    const admin = await claimsAfter('signInWithPassword', auth, 'admin@example.com', 'nano-banana');
    expect(user).toMatchObject({ sub: 'demo-user', email_verified: true, aud: projectId });
    expect(user.admin).toBeUndefined();
    expect(admin).toMatchObject({ sub: 'demo-admin', email_verified: true, admin: true });
    for (const uid of ['demo-user', 'demo-admin'])
      expect(await accountFields(firestore, projectId, uid)).toEqual({ balance: { integerValue: '74' } });
  });

  it('ends with Ctrl-C, which reaches the whole group: exit code 0, nothing left, the data kept', async () => {
    const { auth, firestore } = await emulatorHosts();
    await setBalance(firestore, projectId, 'demo-user', 41);
    await claimsAfter('signUp', auth, 'ana@example.com', 'a-password');
    const processes = runs.processes(port);
    expect(processes).toHaveLength(4);

    signalProcess(-start.pid, 'SIGINT');
    expect(await start.exit).toBe(0);
    expect(await untilGone(processes)).toEqual([]);
    for (const host of [auth, firestore]) expect(await isFree(Number(host.split(':')[1]))).toBe(true);
    expect(await isFree(port)).toBe(true);
    expect(runs.note(port)).toBeUndefined();
    expect(runs.runFolders()).toEqual([]);
  });
});

describe('a start with LOCAL_DATA_DIR', () => {
  let start: Start;
  beforeAll(async () => {
    start = runs.start({ PORT: String(port), LOCAL_DATA_DIR: dataDir, GOOGLE_CLOUD_PROJECT: projectId });
    await untilUp(start, port);
  }, startMsMax);

  it('goes on with the data of the one before', async () => {
    const { auth, firestore } = await emulatorHosts();
    // With books, where the event of the edit was still handled before the end, or without.
    expect(await accountFields(firestore, projectId, 'demo-user')).toMatchObject({
      balance: { integerValue: '41' },
    });
    await claimsAfter('signInWithPassword', auth, 'ana@example.com', 'a-password');
    const admin = await claimsAfter('signInWithPassword', auth, 'admin@example.com', 'nano-banana');
    expect(admin).toMatchObject({ sub: 'demo-admin', admin: true });
  });

  it('is refused while another run keeps its data there', async () => {
    const second = runs.start({ ...quickEnv(), PORT: String(await freePort()), LOCAL_DATA_DIR: dataDir });
    expect(await second.exit).toBe(1);
    expect(second.said()).toContain(`LOCAL_DATA_DIR is in use by the run on port ${port}`);
  });

  it(
    'ends what a run killed outright has left, and goes on with its data',
    async () => {
      const { firestore } = await emulatorHosts();
      await setBalance(firestore, projectId, 'demo-user', 17);
      const left = runs.processes(port);
      signalProcess(start.pid, 'SIGKILL');
      await start.exit;

      const { FIRESTORE_EMULATOR_HOST, ...env } = quickEnv();
      start = runs.start({ ...env, PORT: String(port), LOCAL_DATA_DIR: dataDir });
      await untilUp(start, port);
      expect(start.said()).toContain(`Ended the run that was still on port ${port}`);
      expect(left.filter(isAlive)).toEqual([]);
      const { firestore: fresh } = await emulatorHosts();
      expect(fresh).not.toBe(firestore);
      // Whether the edit was in the ledger yet when the run was killed is a matter of milliseconds.
      const kept = await accountFields(fresh, projectId, 'demo-user');
      expect(kept).toMatchObject({ balance: { integerValue: '17' } });
    },
    startMsMax,
  );

  it('ends with code 1, and with everything else, when an emulator dies', async () => {
    const processes = runs.processes(port);
    const emulator = processes.find(({ marker }) => marker === 'CloudFirestore');
    signalProcess(emulator?.pid ?? -1, 'SIGKILL');
    expect(await start.exit).toBe(1);
    expect(start.said()).toContain('the Firestore emulator ended unexpectedly (SIGKILL)');
    expect(await untilGone(processes)).toEqual([]);
  }, 30_000);
});

describe('a start with emulators in the environment', () => {
  let start: Start;
  beforeAll(async () => {
    start = runs.start({ ...quickEnv(), PORT: String(port) });
    await untilUp(start, port);
  }, startMsMax);

  it('uses them and starts none', async () => {
    expect(runs.note(port)?.children.map(({ marker }) => marker)).toEqual(['functions.ts']);
    expect(await emulatorHosts()).toEqual({ auth: authDouble.host, firestore: inject('firestoreHost') });
    expect(authDouble.asked).toContain(
      `POST /identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts`,
    );
    expect(await accountFields(inject('firestoreHost'), projectId, 'demo-admin')).toBeDefined();
  });

  it(
    'gives way to the next start on its port',
    async () => {
      const processes = runs.processes(port);
      const next = runs.start({ ...quickEnv(), PORT: String(port) });
      await untilUp(next, port);
      expect(await start.exit).toBe(0);
      expect(processes.filter(isAlive)).toEqual([]);
      expect(next.said()).toContain(`Ended the run that was still on port ${port} (pid ${start.pid}`);
      start = next;
    },
    startMsMax,
  );

  it('ends with SIGTERM to it alone, and leaves the emulators it was given', async () => {
    const processes = runs.processes(port);
    signalProcess(start.pid, 'SIGTERM');
    expect(await start.exit).toBe(0);
    expect(await untilGone(processes)).toEqual([]);
    expect((await fetch(`http://${inject('firestoreHost')}/`)).ok).toBe(true);
  });

  it(
    'ends when its functions die',
    async () => {
      start = runs.start({ ...quickEnv(), PORT: String(port) });
      await untilUp(start, port);
      signalProcess(runs.note(port)?.children[0]?.pid ?? -1, 'SIGKILL');
      expect(await start.exit).toBe(1);
      expect(start.said()).toContain('the functions ended unexpectedly (SIGKILL)');
    },
    startMsMax,
  );
});

describe('a start that does not get far', () => {
  it('leaves a foreign program on its port alone, and says whose the port is', async () => {
    const script = `require('node:net').createServer().listen(${port}, '127.0.0.1')`;
    const foreign = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    const identity = identityOf(foreign.pid ?? -1, script);
    try {
      await until(async () => !(await isFree(port)), 10_000);
      expect(await holderOf(port)).toMatchObject({ pid: foreign.pid });
      const start = runs.start({ ...quickEnv(), PORT: String(port) });
      expect(await start.exit).toBe(1);
      expect(start.said()).toContain(`pid ${foreign.pid}`);
      expect(start.said()).toContain(`PORT=${port + 1} npm start`);
      expect(isAlive(identity)).toBe(true);
    } finally {
      foreign.kill('SIGKILL');
    }
  }, 30_000);

  it('names the variable at fault, never its value, and starts nothing', async () => {
    const start = runs.start({ PORT: 'abc-secret' });
    expect(await start.exit).toBe(1);
    expect(start.said()).toContain('PORT');
    expect(start.said()).not.toContain('abc-secret');
    expect(runs.runFolders()).toEqual([]);
  });

  it('can be ended in the middle, and leaves nothing', async () => {
    const start = runs.start({ PORT: String(port), GOOGLE_CLOUD_PROJECT: projectId });
    await until(() => runs.processes(port).length === 4, 20_000);
    const processes = runs.processes(port);
    expect(processes).toHaveLength(4);
    signalProcess(start.pid, 'SIGTERM');
    expect(await start.exit).toBe(0);
    expect(await untilGone(processes)).toEqual([]);
    expect(runs.note(port)).toBeUndefined();
    expect(runs.runFolders()).toEqual([]);
  }, 30_000);
});
