/** Events as the Firestore emulator sends them, from an emulator whose triggers call the functions. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../functions/index.ts';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { registerTriggers, toFunctionPath } from '../../local/triggers.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createFunctionsServer } from '../../shared/http/server.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { listen } from '../support/listen.ts';

describe('as the emulator sends it', () => {
  const projectId = `demo-trigger-${process.pid}`;
  const events: { path: string; document: unknown; subject: unknown }[] = [];
  const closers: (() => Promise<unknown> | unknown)[] = [];
  let host: string;
  let counting: ReturnType<typeof countingDatabase>;

  beforeAll(async () => {
    const port = await findFreePort();
    host = `${loopback}:${port}`;
    const env = { GOOGLE_CLOUD_PROJECT: projectId, FIRESTORE_EMULATOR_HOST: host, PORT: '0' };
    const { createDatabase } = await import('../../shared/database/firestore.ts');
    counting = countingDatabase(createDatabase(parseConfig(env)));
    const { server, shutdown } = createFunctionsServer({
      functions,
      env,
      overrides: { database: counting.database },
      writeLog: () => {},
      site(request) {
        const { 'ce-document': document, 'ce-subject': subject } = request.headers;
        if (request.url?.startsWith('/functions/')) events.push({ path: request.url, document, subject });
        request.url = toFunctionPath(request.url ?? '/');
        return false;
      },
    });
    const address = await listen(server);
    const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-trigger-'));
    const program = await findFirestoreProgram(process.env);
    const child = startFirestore({
      program,
      port,
      functionsPort: Number(address.split(':')[1]),
      rules: resolve('firestore.rules'),
      seed: undefined,
      runDir,
    });
    closers.push(
      () => counting.database.close(),
      () => endChild(child, 2_000),
      () => rmSync(runDir, { recursive: true, force: true }),
      () => server.closeAllConnections(),
      shutdown,
    );
    await waitForEmulator(child, host, program);
    await registerTriggers({ projectId, databaseId: '(default)', firestoreHost: host, authHost: '' });
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });

  /** Sets fields of a document in that emulator's console. */
  async function edit(path: string, fields: Record<string, number>, method = 'PATCH') {
    const mask = Object.keys(fields).map((field) => `updateMask.fieldPaths=${field}`);
    const url = `http://${host}/v1/projects/${projectId}/databases/(default)/documents/${path}?${mask.join('&')}`;
    const values = Object.entries(fields).map(([field, n]) => [field, { integerValue: String(n) }]);
    const response = await fetch(url, {
      method,
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      ...(method === 'PATCH' && { body: JSON.stringify({ fields: Object.fromEntries(values) }) }),
    });
    expect(response.status).toBe(200);
  }

  const amounts = async (uid: string) => {
    const collection = `accounts/${uid}/entries`;
    const page = await counting.database.page({ collection, orderBy: [['sequence', 'asc']], limit: 100 });
    return page.documents.map(({ data }) => data.amount);
  };
  const waitFor = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 5_000, interval: 20 });

  it('an edit becomes an entry within 5 seconds', async () => {
    await edit('accounts/ann', { balance: 10 });
    await waitFor(async () => expect(await amounts('ann')).toEqual([10]));
    await edit('accounts/ann', { balance: 74 });
    await waitFor(async () => expect(await amounts('ann')).toEqual([10, 64]));
    await edit('accounts/ann', { adjust: -4 });
    await waitFor(async () => expect(await amounts('ann')).toEqual([10, 64, -4]));
    const [account] = (await counting.database.read(['accounts/ann'])).documents;
    expect(account?.data).toMatchObject({ balance: 70, settled: 70, sequence: 3 });
    expect(account?.data).not.toHaveProperty('adjust');
    // Three edits and three commits of the ledger: one event each. The ledger's own events change nothing.
    await waitFor(() => expect(events).toHaveLength(6));
    expect(events).toContainEqual(
      expect.objectContaining({ document: 'accounts/ann', subject: expect.stringMatching(/accounts\/ann$/) }),
    );
    expect(await amounts('ann')).toHaveLength(3);
  });

  it('a deleted account stays deleted', async () => {
    await edit('accounts/bob', { balance: 10 });
    await waitFor(async () => expect(await amounts('bob')).toEqual([10]));
    await waitFor(() => expect(events.filter(({ document }) => document === 'accounts/bob')).toHaveLength(2));
    counting.reset();
    await edit('accounts/bob', {}, 'DELETE');
    await waitFor(() => expect(events.filter(({ document }) => document === 'accounts/bob')).toHaveLength(3));
    expect(counting.trips).toEqual([]);
    expect((await counting.database.read(['accounts/bob'])).documents).toEqual([undefined]);
    expect(await amounts('bob')).toEqual([10]);
  });
});
