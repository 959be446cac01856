/** `npm start`, from its first answer to the end of its last process. The tests of this file depend on one another. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findFreePort, isPortFree } from '../../local/ports.ts';
import { isAlive, signalProcess } from '../../local/processes.ts';
import {
  accountFields,
  createLocalRuns,
  getClaims,
  getToken,
  type Start,
  setBalance,
  startFakeAuth,
  startMsMax,
  waitUntilGone,
  waitUntilUp,
} from './support.ts';

const runs = createLocalRuns();
const projectId = 'demo-local-test';
const dataDir = join(runs.folder, 'data');
let port: number;
let fakeAuth: Awaited<ReturnType<typeof startFakeAuth>>;

beforeAll(async () => {
  port = await findFreePort();
  fakeAuth = await startFakeAuth();
  mkdirSync(dataDir);
});
afterAll(async () => {
  await runs.end();
  await fakeAuth.close();
}, startMsMax);

const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });

type Init = { projectId: string; emulators: Record<'auth' | 'firestore', { host: string; port: number }> };

async function emulatorHosts(): Promise<{ auth: string; firestore: string }> {
  const { emulators } = (await (await get('/__/firebase/init.json')).json()) as Init;
  const host = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  return { auth: host(emulators.auth), firestore: host(emulators.firestore) };
}

/** Asks the Auth emulator for a mail, as the page does. */
const sendMail = (authHost: string, body: object) =>
  fetch(`http://${authHost}/identitytoolkit.googleapis.com/v1/accounts:sendOobCode?key=local`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const runShell = async (script: string) => (await promisify(execFile)('sh', ['-euc', script])).stdout;

/** Starts a checkout of the smallest pack as the demo user. */
async function startCheckout(authHost: string): Promise<{ sessionId: string; url: string }> {
  const token = await getToken(authHost, 'demo@example.com', 'nano-banana');
  const response = await fetch(`http://127.0.0.1:${port}/checkout`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: '{"pack": "starter"}',
  });
  return (await response.json()) as { sessionId: string; url: string };
}

async function expectBalance(uid: string, balance: number): Promise<void> {
  const { firestore } = await emulatorHosts();
  await expect
    .poll(() => accountFields(firestore, projectId, uid))
    .toMatchObject({ balance: { integerValue: String(balance) } });
}

/** The environment of a quick start, which starts no emulators. */
const quickEnv = () => ({
  GOOGLE_CLOUD_PROJECT: projectId,
  FIRESTORE_EMULATOR_HOST: inject('firestoreHost'),
  FIREBASE_AUTH_EMULATOR_HOST: fakeAuth.host,
});

describe('a start with an empty environment', () => {
  let start: Start;
  beforeAll(async () => {
    // As npm start reads .env: what the environment has already stays.
    const envFile = join(runs.folder, 'settings');
    writeFileSync(envFile, `LOCAL_DATA_DIR="${dataDir}"\nGOOGLE_CLOUD_PROJECT=demo-of-the-file\n`);
    const env = { PORT: String(port), GOOGLE_CLOUD_PROJECT: projectId };
    start = runs.start(env, { args: ['--settings', envFile] });
    await waitUntilUp(start, port);
  }, startMsMax);

  it('reads the file of variables that npm start names', () => {
    expect(start.said()).toContain(`as project ${projectId}.`);
    expect(start.said()).toContain(`kept in ${dataDir}`);
  });

  it('prints the addresses, the fakes, and the demo users', () => {
    for (const words of [
      `http://127.0.0.1:${port}/studio`,
      'a FAKE',
      'demo@example.com',
      'admin@example.com',
    ])
      expect(start.said()).toContain(words);
  });

  it('sells packs at a fake Stripe, and prints the commands of a refund and a dispute', async () => {
    expect(start.said()).toMatch(/Stripe +http:\/\/127\.0\.0\.1:\d+, a FAKE/);
    expect(start.said()).toContain(`PORT=${port} npm run -s purchases -- refund [SESSION]`);
    const { packs } = (await (await get('/packs')).json()) as { packs: object[] };
    expect(packs).toEqual([
      { id: 'starter', credits: 100, amount: 500, currency: 'usd' },
      { id: 'studio', credits: 500, amount: 2000, currency: 'usd' },
      { id: 'agency', credits: 2000, amount: 7000, currency: 'usd' },
    ]);
  });

  it("serves init.json as Firebase Hosting does, with the emulators' addresses", async () => {
    const init = (await (await get('/__/firebase/init.json')).json()) as Init;
    expect(init).toMatchObject({ projectId, apiKey: expect.any(String), appId: expect.any(String) });
    expect(init.emulators.auth).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    expect(init.emulators.firestore).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  });

  it.each([
    ['/studio', 'text/html; charset=utf-8'],
    ['/studio/desk', 'text/html; charset=utf-8'],
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

  it('redirects / to the studio', async () => {
    expect((await get('/')).headers.get('location')).toBe('/studio');
  });

  it('has a demo user and an admin, each with 74 credits', async () => {
    const { auth, firestore } = await emulatorHosts();
    const user = await getClaims('signInWithPassword', auth, 'demo@example.com', 'nano-banana');
    const admin = await getClaims('signInWithPassword', auth, 'admin@example.com', 'nano-banana');
    expect(user).toMatchObject({ sub: 'demo-user', email_verified: true, aud: projectId });
    expect(user.admin).toBeUndefined();
    expect(admin).toMatchObject({ sub: 'demo-admin', email_verified: true, admin: true });
    for (const uid of ['demo-user', 'demo-admin'])
      expect(await accountFields(firestore, projectId, uid)).toEqual({ balance: { integerValue: '74' } });
  });

  it(
    'adds the credits that are paid on its page, by the webhook alone, and takes them at a refund',
    async () => {
      expect((await runs.purchases(port, 'refund')).output).toContain('There is nothing to do it to');
      const { auth } = await emulatorHosts();
      const { sessionId, url } = await startCheckout(auth);
      const page = await fetch(url, { method: 'POST', body: 'outcome=pay', redirect: 'manual' });
      expect(page.headers.get('location')).toBe(`http://127.0.0.1:${port}/studio?session=${sessionId}`);
      await expectBalance('demo-user', 174);
      expect(await runs.purchases(port, 'list')).toEqual({
        code: 0,
        output: `${sessionId}  paid  $5.00, demo-user\n`,
      });
      expect(await runs.purchases(port, 'refund', sessionId, '--amount', '250')).toMatchObject({ code: 0 });
      await expectBalance('demo-user', 124);
      // What the bank only asks about cannot be won.
      expect(await runs.purchases(port, 'dispute', '--inquiry')).toMatchObject({ code: 0 });
      expect(await runs.purchases(port, 'dispute', sessionId, '--amount', '100')).toMatchObject({ code: 0 });
      await expectBalance('demo-user', 104);
      expect(await runs.purchases(port, 'dispute', sessionId, '--won')).toMatchObject({ code: 0 });
      await expectBalance('demo-user', 124);
      const another = await runs.purchases(port, 'dispute', '--won');
      expect(another.output).toContain('The dispute is won');
    },
    startMsMax,
  );

  it('prints the links of the mails that it does not send', async () => {
    const { auth } = await emulatorHosts();
    const idToken = await getToken(auth, 'mail@example.com', 'a-password', 'signUp');
    await sendMail(auth, { requestType: 'VERIFY_EMAIL', idToken });
    await sendMail(auth, { requestType: 'PASSWORD_RESET', email: 'mail@example.com' });
    for (const words of ['verify the email address', 'reset the password for'])
      await expect
        .poll(() => start.said())
        .toMatch(
          new RegExp(`^To ${words} mail@example.com, follow this link: http://${auth}/\\S+oobCode=`, 'm'),
        );
  });

  it("runs the README's walk-through with curl as it is, twice", async () => {
    const { auth } = await emulatorHosts();
    const walkThrough = readFileSync('test/local/firstImage.sh', 'utf8');
    expect(readFileSync('README.md', 'utf8')).toContain(`\n${walkThrough}\`\`\`\n`);
    const script = walkThrough
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
      .replaceAll('127.0.0.1:9099', auth);
    for (let time = 0; time < 2; time++) {
      // A second sign-up in the same second would have the same address.
      const stdout = await runShell(script.replace('ada-$(date +%s)', `ada-${time}`));
      const [grant, generation] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(grant).toMatchObject({ account: { balance: 10 }, entry: { type: 'grant', amount: 10 } });
      expect(generation).toMatchObject({
        generation: { status: 'succeeded', tier: 'premium2', image: { width: 1248, height: 832 } },
        receipt: { charged: 2, refunded: 0, balance: 8, sequence: 2 },
      });
      expect((await fetch(generation.generation.image.url)).ok).toBe(true);
    }
  });

  it('stops at Ctrl-C, which signals the whole group: exit code 0, no process left, the data saved', async () => {
    const { auth, firestore } = await emulatorHosts();
    await setBalance(firestore, projectId, 'demo-user', 41);
    await getClaims('signUp', auth, 'ana@example.com', 'a-password');
    const processes = runs.processes(port);
    expect(processes).toHaveLength(4);

    signalProcess(-start.pid, 'SIGINT');
    expect(await start.exit).toBe(0);
    expect(await waitUntilGone(processes)).toEqual([]);
    for (const host of [auth, firestore]) expect(await isPortFree(Number(host.split(':')[1]))).toBe(true);
    expect(await isPortFree(port)).toBe(true);
    expect(runs.record(port)).toBeUndefined();
    expect(runs.runFolders()).toEqual([]);
  });
});

describe('a start with LOCAL_DATA_DIR', () => {
  let start: Start;
  beforeAll(async () => {
    start = runs.start({ PORT: String(port), LOCAL_DATA_DIR: dataDir, GOOGLE_CLOUD_PROJECT: projectId });
    await waitUntilUp(start, port);
  }, startMsMax);

  it('loads the data of the previous run', async () => {
    const { auth, firestore } = await emulatorHosts();
    // The document also has ledger fields if the function handled the edit's event before the end.
    expect(await accountFields(firestore, projectId, 'demo-user')).toMatchObject({
      balance: { integerValue: '41' },
    });
    await getClaims('signInWithPassword', auth, 'ana@example.com', 'a-password');
    const admin = await getClaims('signInWithPassword', auth, 'admin@example.com', 'nano-banana');
    expect(admin).toMatchObject({ sub: 'demo-admin', admin: true });
  });

  it('still knows its purchases', async () => {
    const { output } = await runs.purchases(port, 'list');
    expect(output).toMatch(/^cs_test_\w+ {2}paid {2}\$5\.00, demo-user\n$/);
    expect((await runs.purchases(port, 'refund')).output).toContain('has been charged back');
    expect((await runs.purchases(port, 'refund', '--amount', '1.50')).output).toContain('smallest unit');
    expect((await runs.purchases(port, 'pay')).output).toContain('refund  [SESSION]');
  });

  it('is refused while another run uses the folder', async () => {
    const second = runs.start({ ...quickEnv(), PORT: String(await findFreePort()), LOCAL_DATA_DIR: dataDir });
    expect(await second.exit).toBe(1);
    expect(second.said()).toContain(`LOCAL_DATA_DIR is in use by the run on port ${port}`);
  });

  it(
    'ends what a killed run left behind, and loads its data',
    async () => {
      const { firestore } = await emulatorHosts();
      await setBalance(firestore, projectId, 'demo-user', 17);
      const leftovers = runs.processes(port);
      signalProcess(start.pid, 'SIGKILL');
      await start.exit;

      const { FIRESTORE_EMULATOR_HOST, ...env } = quickEnv();
      start = runs.start({ ...env, PORT: String(port), LOCAL_DATA_DIR: dataDir });
      await waitUntilUp(start, port);
      expect(start.said()).toContain(`Ended the run that was still on port ${port}`);
      expect(leftovers.filter(isAlive)).toEqual([]);
      const { firestore: fresh } = await emulatorHosts();
      expect(fresh).not.toBe(firestore);
      // The edit may or may not be in the ledger when the run is killed.
      const fields = await accountFields(fresh, projectId, 'demo-user');
      expect(fields).toMatchObject({ balance: { integerValue: '17' } });
    },
    startMsMax,
  );

  it('exits with code 1 and ends all processes if an emulator dies', async () => {
    const processes = runs.processes(port);
    const emulator = processes.find(({ marker }) => marker === 'CloudFirestore');
    signalProcess(emulator?.pid ?? -1, 'SIGKILL');
    expect(await start.exit).toBe(1);
    expect(start.said()).toContain('the Firestore emulator ended unexpectedly (SIGKILL)');
    expect(await waitUntilGone(processes)).toEqual([]);
  }, 30_000);
});

describe('a start with emulators in the environment', () => {
  let start: Start;
  beforeAll(async () => {
    start = runs.start({ ...quickEnv(), PORT: String(port) });
    await waitUntilUp(start, port);
  }, startMsMax);

  it('uses them and starts none', async () => {
    expect(runs.record(port)?.children.map(({ marker }) => marker)).toEqual(['functions.ts']);
    expect(runs.record(port)?.stripe).toMatch(/^http:/);
    expect(await emulatorHosts()).toEqual({ auth: fakeAuth.host, firestore: inject('firestoreHost') });
    expect(fakeAuth.requests).toContain(
      `POST /identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts`,
    );
    expect(await accountFields(inject('firestoreHost'), projectId, 'demo-admin')).toBeDefined();
  });

  it(
    'ends when another run starts on its port',
    async () => {
      const processes = runs.processes(port);
      const next = runs.start({ ...quickEnv(), PORT: String(port) });
      await waitUntilUp(next, port);
      expect(await start.exit).toBe(0);
      expect(processes.filter(isAlive)).toEqual([]);
      expect(next.said()).toContain(`Ended the run that was still on port ${port} (pid ${start.pid}`);
      start = next;
    },
    startMsMax,
  );

  it('stops at SIGTERM, and leaves the emulators of the environment running', async () => {
    const processes = runs.processes(port);
    signalProcess(start.pid, 'SIGTERM');
    expect(await start.exit).toBe(0);
    expect(await waitUntilGone(processes)).toEqual([]);
    expect((await fetch(`http://${inject('firestoreHost')}/`)).ok).toBe(true);
  });

  it(
    "exits with code 1 if the functions' process dies",
    async () => {
      start = runs.start({ ...quickEnv(), PORT: String(port) });
      await waitUntilUp(start, port);
      signalProcess(runs.record(port)?.children[0]?.pid ?? -1, 'SIGKILL');
      expect(await start.exit).toBe(1);
      expect(start.said()).toContain('the functions ended unexpectedly (SIGKILL)');
    },
    startMsMax,
  );
});

describe('npm run purchases', () => {
  it('leaves a Stripe of the environment alone', async () => {
    const start = runs.start({ ...quickEnv(), PORT: String(port), STRIPE_SECRET_KEY: 'sk_test_of_somebody' });
    await waitUntilUp(start, port);
    expect(start.said()).toContain('the account of STRIPE_SECRET_KEY');
    const { code, output } = await runs.purchases(port, 'refund');
    expect(code).toBe(1);
    expect(output).toContain('not the fake, so this command leaves it alone');
    signalProcess(start.pid, 'SIGTERM');
    expect(await start.exit).toBe(0);
    expect((await runs.purchases(port, 'list')).output).toContain(`No local run is on port ${port}`);
  }, 60_000);
});
