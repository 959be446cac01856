/** One line for each request with all that it took and moved, and one for each entry that stands in the ledger. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { CommitRejected } from '../../shared/database/database.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { lostReply, once, watchedDatabase } from '../support/watchedDatabase.ts';

const second = 'gemini-nano-banana-2.1';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const ms = expect.toSatisfy((value: unknown) => Number.isInteger(value) && Number(value) >= 0);

let stack: Stack;
let users = 0;
const hooks: Parameters<typeof watchedDatabase>[1] = {};

beforeAll(async () => {
  stack = await startStack({
    IMAGEGEN_FALLBACK_MODEL_IDS: second,
    CACHE_TTL_SECONDS: '60',
    RETRY_ATTEMPTS: '2',
    RETRY_BASE_DELAY_MS: '1',
  });
});
afterAll(() => stack.close());
beforeEach(() => {
  stack.gemini.always(geminiFault.blank());
  stack.cloudinary.always(undefined);
  stack.logs.length = 0;
});

const newUser = (credits = 10) => stack.user(`user-${++users}`, credits);
const lines = (name: string) => stack.logs.filter((line) => line.function === name);
const credits = () => stack.logs.filter(({ message }) => String(message).startsWith('credits: '));
/** The one line of the one request to a function. */
function lineOf(name: string) {
  expect(lines(name)).toHaveLength(1);
  return lines(name)[0] as Record<string, unknown>;
}

describe('the line of a generation', () => {
  it('that succeeds has its steps, model, calls, credits and bill', async () => {
    stack.gemini.script(geminiFault.internal(), geminiFault.internal());
    const user = await newUser();
    const { body } = await user.generate('key', { tier: 'premium2' });
    expect(lineOf('generate')).toEqual({
      severity: 'INFO',
      time: expect.any(String),
      message: 'generate: ok',
      'logging.googleapis.com/labels': expect.any(Object),
      function: 'generate',
      outcome: 'ok',
      status: 200,
      durationMs: ms,
      uid: user.uid,
      generationId: body.generation.id,
      tier: 'premium2',
      cached: false,
      replayed: false,
      creditsCharged: 2,
      creditsRefunded: 0,
      model: second,
      attempts: 3,
      providerCostMicros: 33_600,
      holdMs: ms,
      generateImageMs: ms,
      storeMs: ms,
      settleMs: ms,
    });
  });

  it('that fails has its reason, what came back, and how long that took', async () => {
    stack.cloudinary.always(cloudinaryFault.error(500));
    await (await newUser()).generate('key', { enhance: true });
    const line = lineOf('generate');
    expect(line).toMatchObject({
      severity: 'WARNING',
      message: 'generate: STORAGE_ERROR',
      outcome: 'failed',
      reason: 'STORAGE_ERROR',
      status: 502,
      attempts: 1,
      creditsCharged: 1,
      creditsRefunded: 1,
      cause: expect.stringContaining('500'),
    });
    for (const step of ['hold', 'enhance', 'generateImage', 'store', 'refund'])
      expect(line[`${step}Ms`]).toEqual(ms);
    expect(line).not.toHaveProperty('settleMs');
    expect(line.providerCostMicros).toBeGreaterThanOrEqual(39_000);
  });

  it('that no model would paint counts the calls to all of them', async () => {
    stack.gemini.always(geminiFault.highDemand());
    await (await newUser()).generate('key');
    expect(lineOf('generate')).toMatchObject({
      reason: 'PROVIDER_OVERLOADED',
      attempts: 4,
      creditsRefunded: 1,
    });
  });

  it('that is refused is an ordinary line, and names no step that was not taken', async () => {
    await (await newUser(0)).generate('key');
    const line = lineOf('generate');
    expect(line).toMatchObject({
      severity: 'INFO',
      outcome: 'refused',
      reason: 'INSUFFICIENT_CREDITS',
      status: 402,
    });
    for (const field of ['creditsCharged', 'generateImageMs', 'attempts'])
      expect(line).not.toHaveProperty(field);
  });

  it('says whether it is a replay or from the cache, which charge nothing', async () => {
    const user = await newUser();
    await user.generate('one');
    stack.logs.length = 0;
    await user.generate('one');
    await user.generate('two');
    expect(lines('generate')).toMatchObject([
      { replayed: true, cached: false },
      { replayed: false, cached: true },
    ]);
    expect(JSON.stringify(lines('generate'))).not.toContain('creditsCharged');
    expect(credits()).toEqual([]);
  });
});

it('every function logs one line for a request, whatever it comes to', async () => {
  const user = await newUser();
  for (const name of ['account', 'ledger', 'gallery', 'generation', 'audit', 'health']) await user.get(name);
  for (const name of ['enhance', 'deleteGeneration', 'grant', 'sweepHolds', 'reconcile', 'checkQuota'])
    await user.post(name, {});
  const outcomes = stack.logs.flatMap((line) => (line.function ? [[line.function, line.outcome]] : []));
  expect(outcomes).toEqual([
    ['account', 'ok'],
    ['ledger', 'ok'],
    ['gallery', 'ok'],
    ['generation', 'refused'],
    ['audit', 'refused'],
    ['health', 'ok'],
    ['enhance', 'refused'],
    ['deleteGeneration', 'refused'],
    ['grant', 'refused'],
    ['sweepHolds', 'refused'],
    ['reconcile', 'refused'],
    ['checkQuota', 'refused'],
  ]);
});

it("every line of a request has its trace, also the ledger's", async () => {
  const user = await newUser();
  await user.post(
    'generate',
    { prompt: 'A banana on the moon', tier: 'standard', fresh: true },
    { 'idempotency-key': 'key', traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  );
  expect(stack.logs.map(({ message }) => message)).toEqual([
    'credits: adjustment',
    'credits: debit',
    'generate: ok',
  ]);
  const ids = stack.logs.map((line) => line['logging.googleapis.com/labels']);
  expect(new Set(ids.map((labels) => JSON.stringify(labels))).size).toBe(1);
  for (const line of stack.logs) {
    expect(line).toMatchObject({
      'logging.googleapis.com/trace': `projects/${stack.projectId}/traces/${trace}`,
      'logging.googleapis.com/spanId': '00f067aa0ba902b7',
      'logging.googleapis.com/trace_sampled': true,
    });
  }
});

describe('the line of an entry', () => {
  it('has the user, the amount and the balance after it, in the order of the ledger', async () => {
    const user = await newUser();
    stack.gemini.always(geminiFault.textOnly());
    const { body } = await user.generate('key', { tier: 'premium4' });
    const generationId = body.error.details[0].metadata.generationId ?? expect.any(String);
    const of = { severity: 'INFO', uid: user.uid };
    expect(credits()).toMatchObject([
      { ...of, message: 'credits: adjustment', type: 'adjustment', amount: 10, balance: 10, sequence: 1 },
      { ...of, message: 'credits: debit', amount: -4, balance: 6, sequence: 2, generationId },
      { ...of, message: 'credits: refund', amount: 4, balance: 10, sequence: 3, generationId },
    ]);
    const { entries } = await stack.ledger(user.uid);
    expect(credits().map(({ entryId }) => entryId)).toEqual(entries.map(({ id }) => id));
  });

  /** A generation on a server whose commits something happens to. */
  async function generateThrough(watch: Parameters<typeof watchedDatabase>[1]) {
    const { database } = watchedDatabase(stack.database, { ...hooks, ...watch });
    const server = await stack.startServer({}, { database });
    const user = await newUser();
    stack.logs.length = 0;
    const reply = await user.generate('key', { fresh: true }, server.url);
    await server.close();
    return { user, reply };
  }
  const isDebit = (writes: readonly object[]) => JSON.stringify(writes).includes(':debit"');

  it.each([
    ['lost', lostReply],
    ['lost, and another try of the client library refused', () => new CommitRejected('ALREADY_EXISTS')],
  ])('is there once where the answer to its commit was %s', async (_how, thrown) => {
    const afterCommit = once(isDebit, () => Promise.reject(thrown()));
    const { user, reply } = await generateThrough({ afterCommit });
    expect(reply.status).toBe(200);
    const { entries } = await stack.ledger(user.uid);
    expect(credits().map(({ entryId, balance }) => [entryId, balance])).toEqual(
      entries.map(({ id, balance }) => [id, balance]),
    );
  });

  it('is there once after a lost reply and a failed read, without a read of its own', async () => {
    let failures = 1;
    const reads: (readonly string[])[] = [];
    const { user, reply } = await generateThrough({
      afterCommit: once(isDebit, () => Promise.reject(lostReply())),
      beforeRead(paths) {
        reads.push(paths);
        if (!paths.some((path) => path.endsWith(':debit'))) return;
        failures -= 1;
        if (failures >= 0) throw lostReply();
      },
    });
    expect(reply.status).toBe(200);
    expect(reads.filter((paths) => paths.every((path) => path.includes('/entries/')))).toEqual([]);
    expect(credits().map(({ message }) => message)).toEqual(['credits: adjustment', 'credits: debit']);
    expect((await stack.ledger(user.uid)).entries.map(({ type }) => type)).toEqual(['adjustment', 'debit']);
  });

  it('is there once where its commit was refused and made again', async () => {
    const refuse = once(isDebit, () => Promise.reject(new CommitRejected('stale')));
    const { user } = await generateThrough({ beforeCommit: refuse });
    expect(credits().map(({ message }) => message)).toEqual(['credits: adjustment', 'credits: debit']);
    expect((await stack.ledger(user.uid)).entries).toHaveLength(2);
  });

  it('is not there where nothing was committed', async () => {
    const beforeCommit = (writes: readonly object[]) => {
      if (isDebit(writes)) throw Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 });
    };
    const { user, reply } = await generateThrough({ beforeCommit });
    expect(reply.status).toBe(500);
    expect(credits()).toEqual([]);
    expect((await stack.ledger(user.uid)).entries).toEqual([]);
  });
});
