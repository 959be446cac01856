/** Events of written accounts: an admin's edit becomes one entry within seconds, the ledger's own writes cost nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../functions/index.ts';
import { startFirestore, waitForEmulator } from '../../local/emulators.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { findFirestoreProgram } from '../../local/java.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { endChild } from '../../local/processes.ts';
import { registerTriggers, toFunctionPath } from '../../local/triggers.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Database } from '../../shared/database/database.ts';
import { createFunctionsServer } from '../../shared/http/server.ts';
import { type AccountWrite, eventBody, eventHeaders } from '../support/accountEvents.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { runJob } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

type Form = 'production' | 'emulator';

const servers: { close: () => Promise<void> }[] = [];
let stack: Stack;
/** A server whose every call on the database is counted. */
let counted: ReturnType<typeof countingDatabase>;
let countedUrl: string;
let users = 0;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
  counted = countingDatabase(stack.database);
  countedUrl = await serverUrl({}, { database: counted.database });
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
});

async function serverUrl(...args: Parameters<Stack['startServer']>): Promise<string> {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server.url;
}

/** Posts anything at all as an event. */
async function post(
  body: Buffer | string,
  headers: Record<string, string>,
  url = stack.url,
): Promise<number> {
  const response = await fetch(`${url}/accountWritten`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  await response.arrayBuffer();
  return response.status;
}

type Delivery = { form?: Form; authid?: string; url?: string };

/** Posts the event of a write on an account. Returns the status. */
function deliver(uid: string, write: AccountWrite, { form = 'production', authid, url }: Delivery = {}) {
  const document = `accounts/${uid}`;
  const bytes = eventBody(stack.projectId, document, write);
  const body = form === 'emulator' ? bytes.toString('base64') : bytes;
  return post(body, eventHeaders(stack.projectId, document, authid), url);
}

const succeeded = (status: number) => status >= 200 && status < 300;

/** A user whose account the ledger has opened with so many credits. */
async function opened(credits = 10) {
  const user = await stack.user(`user-${++users}`, credits);
  expect((await user.get('account')).status).toBe(200);
  const path = `accounts/${user.uid}`;
  return {
    ...user,
    path,
    stored: async () => (await stack.document(path)) as Record<string, unknown>,
    entries: async () => (await stack.ledger(user.uid)).entries,
    /** What an admin changes in the console, and the write that an event would tell of. */
    async edit(fields: Record<string, unknown>): Promise<AccountWrite> {
      const before = await stack.document(path);
      await stack.edit(path, fields);
      return { before, after: await stack.document(path) };
    },
  };
}

describe('an edit in the console', () => {
  it.each<[Form, string | undefined]>([
    ['production', 'admin@example.com'],
    ['production', undefined],
    ['emulator', undefined],
    ['emulator', 'admin@example.com'],
  ])('as %s tells of it, with %s as its author, becomes an entry', async (form, authid) => {
    const user = await opened(10);
    const write = await user.edit({ balance: 74, note: 'for a friend' });
    expect(succeeded(await deliver(user.uid, write, { form, ...(authid && { authid }) }))).toBe(true);
    const [, entry, ...more] = await user.entries();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      type: 'adjustment',
      amount: 64,
      balance: 74,
      sequence: 2,
      reason: 'for a friend',
    });
    expect(entry?.actor).toBe(authid);
    expect(await user.stored()).toMatchObject({ balance: 74, settled: 74, sequence: 2 });
    expect(await user.stored()).not.toHaveProperty('note');
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('that takes everything away is one too', async () => {
    const user = await opened(10);
    await deliver(user.uid, await user.edit({ balance: 0 }));
    expect(await user.entries()).toMatchObject([{ amount: 10 }, { amount: -10, balance: 0 }]);
  });

  it('of adjust is added, and the field removed', async () => {
    const user = await opened(10);
    await deliver(user.uid, await user.edit({ adjust: -3, note: 'a mistake' }), { authid: 'boss' });
    expect((await user.entries()).at(-1)).toMatchObject({ amount: -3, reason: 'a mistake', actor: 'boss' });
    expect(await user.stored()).toMatchObject({ balance: 7, settled: 7 });
    expect(await user.stored()).not.toHaveProperty('adjust');
    expect(await user.stored()).not.toHaveProperty('note');
  });

  it('of nothing but the note waits for the edit that it is the reason of', async () => {
    const user = await opened(10);
    await deliver(user.uid, await user.edit({ note: 'see ticket' }));
    expect(await user.entries()).toHaveLength(1);
    await deliver(user.uid, await user.edit({ balance: 11 }));
    expect((await user.entries()).at(-1)).toMatchObject({ amount: 1, reason: 'see ticket' });
  });

  it('that makes an account by hand opens its books', async () => {
    const user = await stack.user(`user-${++users}`, 30);
    const after = await stack.document(`accounts/${user.uid}`);
    expect(succeeded(await deliver(user.uid, { after }, { authid: 'boss' }))).toBe(true);
    const { account, entries } = await stack.ledger(user.uid);
    expect(entries).toMatchObject([
      { type: 'adjustment', amount: 30, balance: 30, sequence: 1, actor: 'boss' },
    ]);
    expect(account).toMatchObject({ balance: 30, settled: 30, sequence: 1 });
  });

  it('is found under a uid that its header has to encode', async () => {
    const uid = 'Zoë 100%';
    await stack.user(encodeURIComponent(uid), 30);
    const document = `accounts/${encodeURIComponent(uid)}`;
    const body = eventBody(stack.projectId, `accounts/${uid}`, { after: { balance: 30 } });
    expect(succeeded(await post(body, eventHeaders(stack.projectId, document)))).toBe(true);
    expect((await stack.ledger(uid)).entries).toMatchObject([{ amount: 30 }]);
  });
});

describe('an event that comes', () => {
  it('again, changes nothing more', async () => {
    const user = await opened(10);
    const write = await user.edit({ balance: 20, adjust: 5 });
    for (let i = 0; i < 3; i += 1) expect(succeeded(await deliver(user.uid, write))).toBe(true);
    expect((await user.entries()).map(({ amount }) => amount)).toEqual([10, 15]);
    expect(await user.stored()).toMatchObject({ balance: 25, settled: 25 });
  });

  it('ten times at once, on two servers, is one entry', async () => {
    const other = await serverUrl();
    const user = await opened(10);
    const write = await user.edit({ balance: 20, adjust: 5 });
    const statuses = await Promise.all(
      Array.from({ length: 10 }, (_, i) => deliver(user.uid, write, { url: i % 2 ? other : stack.url })),
    );
    expect(statuses.every(succeeded)).toBe(true);
    expect((await user.entries()).map(({ amount }) => amount)).toEqual([10, 15]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('out of order leaves the account as it stands', async () => {
    const user = await opened(10);
    const first = await user.edit({ balance: 20 });
    const second = await user.edit({ balance: 31 });
    for (const write of [second, first, second]) await deliver(user.uid, write);
    expect((await user.entries()).map(({ amount }) => amount)).toEqual([10, 21]);
    expect(await user.stored()).toMatchObject({ balance: 31, settled: 31 });
  });

  it('long after credits were spent on does not bring the old balance back', async () => {
    const user = await opened(10);
    const write = await user.edit({ balance: 20 });
    expect((await user.generate('k')).status).toBe(200);
    await deliver(user.uid, write);
    expect((await user.entries()).map(({ amount }) => amount)).toEqual([10, 10, -1]);
    expect(await user.stored()).toMatchObject({ balance: 19, settled: 19 });
  });

  it('beside holds and refunds keeps the books', async () => {
    const user = await opened(50);
    stack.gemini.script(...Array.from({ length: 2 }, () => geminiFault.noImage('SAFETY')));
    const generations = ['a', 'b', 'c', 'd'].map((key) => user.generate(key));
    for (const balance of [60, 70, 5]) await deliver(user.uid, await user.edit({ balance }));
    await Promise.all(generations);
    await deliver(user.uid, { after: { balance: 1, settled: 0 } });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('after its account was deleted makes none', async () => {
    const user = await opened(10);
    const write = await user.edit({ balance: 20 });
    await stack.erase(user.path);
    expect(succeeded(await deliver(user.uid, write))).toBe(true);
    expect(await stack.document(user.path)).toBeUndefined();
    expect(await user.entries()).toHaveLength(1);
  });
});

describe('nothing is read for', () => {
  async function expectFree(uid: string, write: AccountWrite) {
    for (const form of ['production', 'emulator'] as const) {
      counted.reset();
      expect(succeeded(await deliver(uid, write, { form, url: countedUrl }))).toBe(true);
      expect(counted.trips).toEqual([]);
    }
  }

  it.each<[string, (user: Awaited<ReturnType<typeof opened>>) => Promise<unknown>]>([
    ['an account that was opened', async () => {}],
    ['a hold and its settling', (user) => user.generate('k')],
    [
      'a refund',
      (user) => {
        stack.gemini.script(geminiFault.noImage('SAFETY'));
        return user.generate('k');
      },
    ],
    [
      'an edit that was recorded',
      async (user) => deliver(user.uid, await user.edit({ balance: 3, adjust: 4 })),
    ],
    ['a balance of 0', (user) => user.generate('k', { tier: 'premium4' })],
    [
      'a grant',
      ({ uid }) =>
        stack.fetch('grant', {
          method: 'POST',
          headers: {
            authorization: 'Bearer owner',
            'content-type': 'application/json',
            'idempotency-key': uid,
          },
          body: JSON.stringify({ uid, amount: 5, reason: 'a test' }),
        }),
    ],
  ])('%s', async (_, act) => {
    const user = await opened(4);
    const before = await user.stored();
    await act(user);
    await expectFree(user.uid, { before, after: await user.stored() });
  });

  it('an account that the ledger made itself', async () => {
    let made: Record<string, unknown> | undefined;
    const watched: Database = {
      ...stack.database,
      async commit(writes) {
        const version = await stack.database.commit(writes);
        const [write] = writes;
        if (write && 'create' in write) made = write.data;
        return version;
      },
    };
    const url = await serverUrl({}, { database: watched });
    const user = await stack.user(`user-${++users}`);
    expect((await user.get('account', url)).status).toBe(200);
    if (made === undefined) throw new Error('No account was made');
    await expectFree(user.uid, { after: made });
  });

  it('a deleted account, and nothing is written', async () => {
    const user = await opened(10);
    const before = await user.stored();
    await stack.erase(user.path);
    await expectFree(user.uid, { before });
    expect(await stack.document(user.path)).toBeUndefined();
    expect(await user.entries()).toHaveLength(1);
  });
});

describe('an invalid edit', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a balance of text', { balance: 'lots' }],
    ['a negative balance', { balance: -5 }],
    ['a balance with a fraction', { balance: 2.5 }],
    ['no balance', { balance: undefined }],
    ['a balance of null', { balance: null }],
    ['an adjust of text', { adjust: '5' }],
    ['an adjust below zero in all', { adjust: -11 }],
  ])('%s is left to the admin, and not asked for again', async (_, fields) => {
    const user = await opened(10);
    const write = await user.edit(fields);
    expect(succeeded(await deliver(user.uid, write))).toBe(true);
    expect(await user.stored()).toEqual(write.after);
    expect(await user.entries()).toHaveLength(1);
    expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'WARNING', uid: user.uid }));
    // Mended, it is an ordinary edit.
    await deliver(user.uid, await user.edit({ balance: 12, adjust: undefined }));
    expect((await user.entries()).at(-1)).toMatchObject({ amount: 2, balance: 12 });
  });
});

describe('an event that cannot be understood is refused, so that it comes again, and changes nothing', () => {
  const edited = { before: { balance: 10 }, after: { balance: 20, settled: 10, sequence: 1 } };
  const whole = () => eventBody(stack.projectId, 'accounts/x', edited);
  const cases: [string, (document: string) => [body: Buffer | string, headers: Record<string, string>]][] = [
    ['without a body', (document) => ['', eventHeaders(stack.projectId, document)]],
    ['with a body of text', (document) => ['this is no event', eventHeaders(stack.projectId, document)]],
    ['with a body of JSON', (document) => ['{"value":{}}', eventHeaders(stack.projectId, document)]],
    ['with a body of zeros', (document) => [Buffer.alloc(64), eventHeaders(stack.projectId, document)]],
    [
      'with a body that ends too soon',
      (document) => [whole().subarray(0, 40), eventHeaders(stack.projectId, document)],
    ],
    [
      'with base64 that ends too soon',
      (document) => [whole().toString('base64').slice(0, 40), eventHeaders(stack.projectId, document)],
    ],
    ['with base64 of junk', (document) => ['aGVsbG8gd29ybGQ=', eventHeaders(stack.projectId, document)]],
    ['without its attributes', () => [whole(), { 'content-type': 'application/protobuf' }]],
    [
      'without its document',
      (document) => {
        const { 'ce-document': _, 'ce-subject': __, ...headers } = eventHeaders(stack.projectId, document);
        return [whole(), headers];
      },
    ],
    ['of another collection', () => [whole(), eventHeaders(stack.projectId, 'quota/all')]],
    ['of a document below', (document) => [whole(), eventHeaders(stack.projectId, `${document}/entries/x`)]],
    [
      'of an account below something else',
      (document) => [whole(), eventHeaders(stack.projectId, `tenants/t/${document}`)],
    ],
  ];

  it.each(cases)('%s', async (_, event) => {
    const user = await opened(10);
    const { after } = await user.edit({ balance: 20 });
    const [body, headers] = event(user.path);
    counted.reset();
    expect(await post(body, headers, countedUrl)).toBeGreaterThanOrEqual(400);
    expect(counted.trips).toEqual([]);
    expect(await user.stored()).toEqual(after);
    expect(await user.entries()).toHaveLength(1);
  });

  it('larger than any event is', async () => {
    const user = await opened(10);
    const { after } = await user.edit({ balance: 20 });
    counted.reset();
    const headers = eventHeaders(stack.projectId, user.path);
    expect(await post(Buffer.alloc(5 * 1_048_576), headers, countedUrl)).toBe(413);
    expect(counted.trips).toEqual([]);
    expect(await user.stored()).toEqual(after);
  });

  it('but the largest that there is, an account of 1 MiB before and after, is understood', async () => {
    const user = await opened(10);
    const { after } = await user.edit({ balance: 20 });
    const large = { ...after, remark: 'x'.repeat(1_000_000) };
    for (const form of ['production', 'emulator'] as const) {
      expect(succeeded(await deliver(user.uid, { before: large, after: large }, { form }))).toBe(true);
    }
    expect((await user.entries()).at(-1)).toMatchObject({ amount: 10 });
  });

  it('while the database is down, and is recorded when it comes again', async () => {
    const down: Database = {
      ...stack.database,
      read: () => Promise.reject(Object.assign(new Error('down'), { code: 7 })),
    };
    const url = await serverUrl({}, { database: down });
    const user = await opened(10);
    const write = await user.edit({ balance: 20 });
    expect(await deliver(user.uid, write, { url })).toBeGreaterThanOrEqual(500);
    expect(await user.entries()).toHaveLength(1);
    expect(succeeded(await deliver(user.uid, write))).toBe(true);
    expect(await user.entries()).toHaveLength(2);
  });

  it('and is nothing to look at with GET', async () => {
    expect((await fetch(`${stack.url}/accountWritten`)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('as the emulator itself calls it', () => {
  const projectId = `demo-trigger-${process.pid}`;
  const events: { path: string; document: unknown; subject: unknown }[] = [];
  const ends: (() => Promise<unknown> | unknown)[] = [];
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
    await new Promise<void>((listening) => server.listen(0, loopback, listening));
    const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-trigger-'));
    const program = await findFirestoreProgram(process.env, async () => {});
    const child = startFirestore({
      program,
      port,
      functionsPort: (server.address() as AddressInfo).port,
      rules: resolve('firestore.rules'),
      seed: undefined,
      runDir,
    });
    ends.push(
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
    for (const end of ends) await end();
  });

  /** What an admin does in the console of that emulator. */
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
  const soon = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 5_000, interval: 20 });

  it('an edit becomes an entry by itself within 5 seconds', async () => {
    await edit('accounts/ann', { balance: 10 });
    await soon(async () => expect(await amounts('ann')).toEqual([10]));
    await edit('accounts/ann', { balance: 74 });
    await soon(async () => expect(await amounts('ann')).toEqual([10, 64]));
    await edit('accounts/ann', { adjust: -4 });
    await soon(async () => expect(await amounts('ann')).toEqual([10, 64, -4]));
    const [account] = (await counting.database.read(['accounts/ann'])).documents;
    expect(account?.data).toMatchObject({ balance: 70, settled: 70, sequence: 3 });
    expect(account?.data).not.toHaveProperty('adjust');
    // Three edits and three commits of the ledger: each is one event, and the ledger's own come to nothing.
    await soon(() => expect(events).toHaveLength(6));
    expect(events).toContainEqual(
      expect.objectContaining({ document: 'accounts/ann', subject: expect.stringMatching(/accounts\/ann$/) }),
    );
    expect(await amounts('ann')).toHaveLength(3);
  });

  it('a deleted account stays deleted', async () => {
    await edit('accounts/bob', { balance: 10 });
    await soon(async () => expect(await amounts('bob')).toEqual([10]));
    await soon(() => expect(events.filter(({ document }) => document === 'accounts/bob')).toHaveLength(2));
    counting.reset();
    await edit('accounts/bob', {}, 'DELETE');
    await soon(() => expect(events.filter(({ document }) => document === 'accounts/bob')).toHaveLength(3));
    expect(counting.trips).toEqual([]);
    expect((await counting.database.read(['accounts/bob'])).documents).toEqual([undefined]);
    expect(await amounts('bob')).toEqual([10]);
  });
});

it('what no event told is found by reconcile all the same', async () => {
  const user = await opened(10);
  await user.edit({ balance: 25 });
  expect((await runJob(stack, 'reconcile')).body.adjusted).toBeGreaterThanOrEqual(1);
  expect((await user.entries()).at(-1)).toMatchObject({ amount: 15 });
});
