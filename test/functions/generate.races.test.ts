/** Many calls at once: no credit is spent twice, limits hold across servers, and checks keep their order. */
import http2 from 'node:http2';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Database, Write } from '../../shared/database/database.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { listen } from '../support/listen.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getErrorInfo, getReason, getRefusal, type Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

const unlimited = { MAX_IN_FLIGHT_PER_USER: '1000', MAX_PER_MINUTE_PER_USER: '10000' };
let stack: Stack;
let gemini: GatedGemini;

beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url, RETRY_ATTEMPTS: '1' });
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});
const waitUntil = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const filterByStatus = (replies: Reply[], status: number) =>
  replies.filter((reply) => reply.status === status);
const getOutcome = (reply: Reply) => (reply.status === 200 ? 'OK' : getReason(reply));

describe('50 calls at once with 25 credits give 25 images and 25 refusals', () => {
  it.each([1, 2])('on %i server(s)', async (count) => {
    const urls = (await Promise.all(Array.from({ length: count }, () => stack.startServer(unlimited)))).map(
      ({ url }) => url,
    );
    const user = await stack.newUser(25);
    const ask = (_: unknown, i: number) => user.generate(`key-${i}`, {}, urls[i % count]);
    const replies = await Promise.all(Array.from({ length: 50 }, ask));

    expect(replies.map(getOutcome).sort()).toEqual([
      ...Array(25).fill('INSUFFICIENT_CREDITS'),
      ...Array(25).fill('OK'),
    ]);
    for (const reply of filterByStatus(replies, 402)) {
      expect(getErrorInfo(reply).metadata).toEqual({ required: '1', balance: '0', retry: 'no' });
      expect(reply.body).not.toHaveProperty('receipt');
    }
    // Each debit left a different balance, so no two debits started from the same one.
    const balances = filterByStatus(replies, 200).map(({ body }) => body.receipt.balance);
    expect(balances.sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i));

    const { account, entries, generations } = await stack.ledger(user.uid);
    expect(account).toMatchObject({ balance: 0, settled: 0, sequence: 26 });
    expect(entries.filter(({ type }) => type === 'debit')).toHaveLength(25);
    expect(generations.map(({ status }) => status)).toEqual(Array(25).fill('succeeded'));
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
    expect(await strayImages(stack, stack.uids)).toEqual([]);
  });

  it('refunds the failed half', async () => {
    const { url } = await stack.startServer(unlimited);
    const user = await stack.newUser(30);
    gemini.script(...Array.from({ length: 10 }, () => geminiFault.noImage('SAFETY')));
    const ask = (_: unknown, i: number) => user.generate(`key-${i}`, {}, url);
    const replies = await Promise.all(Array.from({ length: 20 }, ask));
    expect(filterByStatus(replies, 422)).toHaveLength(10);
    expect(filterByStatus(replies, 200)).toHaveLength(10);
    expect((await stack.ledger(user.uid)).account).toMatchObject({ balance: 20, settled: 20 });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('a generation that succeeds', () => {
  /** A database that counts its round trips and the documents of each commit. */
  function counting(database: Database) {
    const trips: string[] = [];
    let written = 0;
    const counted: Database = {
      ...database,
      read: (paths) => {
        trips.push('read');
        return database.read(paths);
      },
      commit: (writes: readonly Write[]) => {
        trips.push('commit');
        written += writes.length;
        return database.commit(writes);
      },
      page: (request) => {
        trips.push('page');
        return database.page(request);
      },
    };
    const reset = () => {
      trips.length = 0;
      written = 0;
    };
    return { counted, trips, written: () => written, reset };
  }

  it('makes three round trips to the database and writes at most five documents', async () => {
    const { counted, trips, written, reset } = counting(stack.database);
    const { url } = await stack.startServer({}, { database: counted });
    const user = await stack.newUser(10);
    expect((await user.generate('first', {}, url)).status).toBe(200);
    reset();
    expect((await user.generate('second', {}, url)).status).toBe(200);
    expect(trips).toEqual(['read', 'commit', 'commit']);
    expect(written()).toBeLessThanOrEqual(5);
  });

  it('sends three calls to Firestore', async () => {
    const proxy = await countingProxy(inject('firestoreHost'));
    const user = await stack.newUser(10);
    const { createDatabase } = await import('../../shared/database/firestore.ts');
    const env = { GOOGLE_CLOUD_PROJECT: stack.projectId, FIRESTORE_EMULATOR_HOST: proxy.host };
    const database = createDatabase(parseConfig(env));
    try {
      const { url } = await stack.startServer({}, { database });
      expect((await user.generate('first', {}, url)).status).toBe(200);
      proxy.calls.length = 0;
      expect((await user.generate('second', {}, url)).status).toBe(200);
      expect(proxy.calls).toEqual(['BatchGetDocuments', 'Commit', 'Commit']);
    } finally {
      await database.close();
      await proxy.close();
    }
  });
});

/** Forwards gRPC calls to the emulator and records their names. */
async function countingProxy(target: string) {
  const calls: string[] = [];
  const upstream = http2.connect(`http://${target}`);
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, { ...headers }) => {
    calls.push(String(headers[':path']).split('/').at(-1) ?? '');
    const call = upstream.request(headers);
    let trailers: http2.IncomingHttpHeaders = {};
    call.on('response', (answer, flags) => {
      const endStream = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(answer, endStream ? { endStream } : { waitForTrailers: true });
    });
    call.on('trailers', (sent) => {
      trailers = sent;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('error', () => call.close());
    call.on('error', () => stream.close());
    stream.pipe(call);
    call.pipe(stream);
  });
  const host = await listen(server);
  return {
    calls,
    host,
    close: async () => {
      upstream.destroy();
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the limit of generations in flight', () => {
  it('is four on all servers together, and a generation that ends makes room', async () => {
    const other = await stack.startServer();
    const urls = [stack.url, other.url];
    const user = await stack.newUser(20);
    const release = gemini.holdAll();
    const before = gemini.requests.length;
    const running = [0, 1, 2, 3].map((i) => user.generate(`key-${i}`, {}, urls[i % 2]));
    await waitUntil(() => expect(gemini.requests.length).toBe(before + 4));

    for (const url of urls) {
      const refused = await user.generate('fifth', {}, url);
      expect(refused.status).toBe(429);
      expect(getErrorInfo(refused)).toMatchObject({
        reason: 'RATE_LIMITED',
        metadata: { retry: 'same_key' },
      });
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(refused.body.error.details.at(-1)).toMatchObject({
        '@type': 'type.googleapis.com/google.rpc.RetryInfo',
        retryDelay: `${refused.headers.get('retry-after')}s`,
      });
      expect(refused.body).not.toHaveProperty('receipt');
    }
    // The limit is per user.
    const another = await stack.newUser(1);
    const theirs = another.generate('key');
    await waitUntil(() => expect(gemini.requests.length).toBe(before + 5));
    release();
    expect(filterByStatus(await Promise.all([...running, theirs]), 200)).toHaveLength(5);
    expect((await user.generate('fifth', {}, other.url)).status).toBe(200);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('accepts exactly four of twenty calls that come at once on two servers', async () => {
    const urls = [stack.url, (await stack.startServer()).url];
    const user = await stack.newUser(20);
    const release = gemini.holdAll();
    const before = gemini.requests.length;
    let refused = 0;
    const all = Array.from({ length: 20 }, async (_, i) => {
      const reply = await user.generate(`key-${i}`, {}, urls[i % 2]);
      if (reply.status === 429) refused += 1;
      return reply;
    });
    await waitUntil(() => expect(refused).toBe(16));
    release();
    expect((await Promise.all(all)).map(getOutcome).sort()).toEqual([
      ...Array(4).fill('OK'),
      ...Array(16).fill('RATE_LIMITED'),
    ]);
    expect(gemini.requests.length).toBe(before + 4);
    expect((await stack.ledger(user.uid)).account.balance).toBe(16);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('does not count failed generations', async () => {
    const { url } = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1' });
    const user = await stack.newUser(5);
    gemini.script(geminiFault.noImage('SAFETY'), geminiFault.noImage('SAFETY'));
    for (const key of ['a', 'b']) expect((await user.generate(key, {}, url)).status).toBe(422);
    expect((await user.generate('c', {}, url)).status).toBe(200);
  });
});

describe('the limit per minute', () => {
  const three = { MAX_PER_MINUTE_PER_USER: '3' };

  it('counts holds on all servers, also failed ones, and says how long to wait', async () => {
    const urls = [(await stack.startServer(three)).url, (await stack.startServer(three)).url];
    const user = await stack.newUser(20);
    gemini.script(geminiFault.noImage('SAFETY'));
    const heldStatuses = [];
    for (const i of [0, 1, 2]) heldStatuses.push((await user.generate(`key-${i}`, {}, urls[i % 2])).status);
    expect(heldStatuses).toEqual([422, 200, 200]);

    for (const url of urls) {
      const refused = await user.generate('fourth', {}, url);
      expect(getRefusal(refused)).toEqual([429, 'RATE_LIMITED']);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(30);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    // A replay is not a hold, so it is answered.
    expect((await user.generate('key-1', {}, urls[0])).status).toBe(200);

    await agePast60Seconds(user.uid);
    expect((await user.generate('fourth', {}, urls[0])).status).toBe(200);
    expect((await stack.ledger(user.uid)).account.rate).toHaveLength(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('does not count refusals', async () => {
    const { url } = await stack.startServer(three);
    const user = await stack.newUser(0);
    for (let i = 0; i < 5; i += 1) expect((await user.generate('key', {}, url)).status).toBe(402);
    await stack.edit(`accounts/${user.uid}`, { balance: 3 });
    for (const key of ['a', 'b', 'c']) expect((await user.generate(key, {}, url)).status).toBe(200);
  });

  it('accepts exactly three of twelve calls that come at once on two servers', async () => {
    const room = { ...three, MAX_IN_FLIGHT_PER_USER: '100' };
    const urls = [(await stack.startServer(room)).url, (await stack.startServer(room)).url];
    const user = await stack.newUser(20);
    const ask = (_: unknown, i: number) => user.generate(`key-${i}`, {}, urls[i % 2]);
    const replies = await Promise.all(Array.from({ length: 12 }, ask));
    expect(replies.map(getOutcome).sort()).toEqual([
      ...Array(3).fill('OK'),
      ...Array(9).fill('RATE_LIMITED'),
    ]);
  });

  /** Dates the holds of this account back by one minute. */
  async function agePast60Seconds(uid: string): Promise<void> {
    const [account] = (await stack.database.read([`accounts/${uid}`])).documents;
    if (!account) throw new Error('There is no such account');
    const rate = (account.data.rate as Date[]).map((time) => new Date(time.getTime() - 60_000));
    await stack.database.commit([{ update: account.path, data: { rate }, at: account.version }]);
  }
});

describe('checks come in the order of the contract', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await stack.startServer({ MAX_PER_MINUTE_PER_USER: '1' }));
  });

  /** A user who has used the one hold of this minute and the one credit, under the key `done`. */
  async function newSpentUser(): Promise<User> {
    const user = await stack.newUser(1);
    expect((await user.generate('done', {}, url)).status).toBe(200);
    return user;
  }
  const editAccount = ({ uid }: User, fields: Record<string, unknown>) =>
    stack.edit(`accounts/${uid}`, fields);
  const invalid = { prompt: '' };

  it('the caller before the request', async () => {
    const { status } = await stack.fetch('generate', { method: 'POST', body: '{' });
    expect(status).toBe(401);
  });

  it('the request before the replay', async () => {
    const user = await newSpentUser();
    expect(getOutcome(await user.generate('done', invalid, url))).toBe('INVALID_REQUEST');
  });

  it('the replay and the reused key before the account', async () => {
    const user = await newSpentUser();
    await editAccount(user, { balance: 'none', suspended: true });
    expect(getOutcome(await user.generate('done', {}, url))).toBe('OK');
    expect(getOutcome(await user.generate('done', { prompt: 'Else' }, url))).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('an invalid account before its suspension', async () => {
    const user = await newSpentUser();
    await editAccount(user, { balance: -1, suspended: true });
    expect(getOutcome(await user.generate('key', {}, url))).toBe('ACCOUNT_INVALID');
  });

  it('the suspension before limits and credits', async () => {
    const user = await newSpentUser();
    await editAccount(user, { suspended: true });
    expect(getOutcome(await user.generate('key', {}, url))).toBe('ACCOUNT_SUSPENDED');
  });

  it('limits before credits', async () => {
    const user = await newSpentUser();
    expect(getOutcome(await user.generate('key', {}, url))).toBe('RATE_LIMITED');
  });

  it('credits last', async () => {
    const user = await stack.newUser(1);
    expect(getOutcome(await user.generate('key', { tier: 'premium2' }, url))).toBe('INSUFFICIENT_CREDITS');
  });
});
