/** `closeAccount` over real HTTP on the real database, and the same erasures again after a backup was restored. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { findFirestoreExport, save } from '../../local/data.ts';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createDatabase } from '../../shared/database/firestore.ts';
import { createErasureLog } from '../../shared/erasures/erasureLog.ts';
import { createServices } from '../../shared/services.ts';
import { eraseAgain } from '../../tools/eraseAgain.ts';
import { runJob } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

const canary = 'canarybird';
const folder = mkdtempSync(join(tmpdir(), 'nano-banana-closing-'));
const erasures = join(folder, 'erasures');

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ CACHE_TTL_SECONDS: '600', ERASURE_LOG_BUCKET: pathToFileURL(erasures).href });
  stack.gemini.always(geminiFault.blank());
});
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every document of the project, as text. */
async function readAll(host: string, projectId = stack.projectId): Promise<string[]> {
  const root = `http://${host}/v1/projects/${projectId}/databases/(default)/documents`;
  const headers = { authorization: 'Bearer owner', 'content-type': 'application/json' };
  async function readUnder(path: string): Promise<string[]> {
    const list = await fetch(`${root}${path}:listCollectionIds`, { method: 'POST', headers, body: '{}' });
    const { collectionIds = [] } = (await list.json()) as { collectionIds?: string[] };
    const all = collectionIds.map(async (id) => {
      const url = `${root}${path}/${id}?pageSize=300&showMissing=true`;
      const { documents = [] } = (await (await fetch(url, { headers })).json()) as {
        documents?: { name: string }[];
      };
      const below = documents.map(({ name }) => readUnder(name.slice(name.indexOf('/documents') + 10)));
      return [...documents.map((document) => JSON.stringify(document)), ...(await Promise.all(below)).flat()];
    });
    return (await Promise.all(all)).flat();
  }
  return readUnder('');
}

const findCanary = async (host: string) => (await readAll(host)).filter((text) => text.includes(canary));
const images = () => [...stack.cloudinary.assets.keys()];

it('needs a sign-in within the last 5 minutes', async () => {
  const now = Math.floor(Date.now() / 1000);
  const old = await stack.user('old', 5, { auth_time: now - 301 });
  const refused = await old.post('closeAccount', { confirm: 'CLOSE' });
  expect([refused.status, refused.body.error.details[0].reason]).toEqual([403, 'SIGN_IN_AGAIN']);
  expect(await stack.document('accounts/old')).not.toHaveProperty('closedAt');
  const recent = await stack.user('old', undefined, { auth_time: now - 280 });
  expect((await recent.post('closeAccount', { confirm: 'CLOSE' })).body).toEqual({ status: 'closed' });
});

it('leaves nothing of the person, and a restored backup is erased again from the log', {
  timeout: 90_000,
}, async () => {
  const host = inject('firestoreHost');
  const ada = await stack.user('ada', 20, { email: `${canary}@example.com` });
  const bob = await stack.user('bob', 20);
  for (const key of ['one', 'two']) {
    expect((await ada.generate(key, { prompt: `A ${canary}` })).status).toBe(200);
  }
  const { id } = (await bob.generate('three', { prompt: `Another ${canary}` })).body.generation;
  await stack.edit('accounts/ada', { balance: 50, note: `a note about ${canary}` });
  await runJob(stack, 'reconcile');
  expect((await findCanary(host)).length).toBeGreaterThan(3);

  const { projectId } = stack;
  await save({ dataDir: folder, projectId, databaseId: '(default)', firestoreHost: host });

  expect((await bob.post('deleteGeneration', { id })).status).toBe(200);
  expect((await ada.post('closeAccount', { confirm: 'CLOSE' })).body).toEqual({ status: 'closed' });
  await runJob(stack, 'sweepHolds');
  expect(await findCanary(host)).toEqual([]);
  expect(images()).toEqual([]);
  expect(JSON.stringify(stack.logs)).not.toContain(canary);
  expect(
    readdirSync(erasures).filter((name) => /\.(closing\.ada|deletion\.bob\.\w{32})$/.test(name)),
  ).toHaveLength(2);

  // The backup comes back, in another database.
  const program = await findFirestoreProgram(process.env);
  const restoredHost = `${loopback}:${await findFreePort()}`;
  const emulator = startFirestore({
    program,
    port: Number(restoredHost.split(':')[1]),
    functionsPort: await findFreePort(),
    rules: resolve('firestore.rules'),
    seed: findFirestoreExport(folder),
    runDir: folder,
  });
  try {
    await waitForEmulator(emulator, restoredHost, program);
    expect((await findCanary(restoredHost)).length).toBeGreaterThan(3);
    const config = parseConfig({ ...stack.environment, FIRESTORE_EMULATOR_HOST: restoredHost });
    const database = createDatabase(config);
    const { ledger } = createServices(config, silent, new AbortController().signal, { database });
    const log = createErasureLog(pathToFileURL(erasures).href, async () => '');
    const failures: unknown[] = [];
    for (let i = 0; i < 2; i += 1) {
      const since = new Date(0);
      const again = await eraseAgain(await ledger(), log.read(since), (_, error) => failures.push(error));
      expect(again).toMatchObject({ read: 3, failed: 0 });
    }
    expect(failures).toEqual([]);
    const restored = await stack.startServer({ FIRESTORE_EMULATOR_HOST: restoredHost });
    await runJob(stack, 'sweepHolds', { url: restored.url });
    expect(await findCanary(restoredHost)).toEqual([]);
    await restored.close();
    await database.close();
  } finally {
    await endChild(emulator, 2_000);
  }
});

const silent = { info: () => {}, warning: () => {}, error: () => {} };
