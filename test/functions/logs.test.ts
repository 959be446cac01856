/** One log line per request, with its steps and credits, and one per entry committed to the ledger. */
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

const findLines = (name: string) => stack.logs.filter((line) => line.function === name);
const findCreditLines = () => stack.logs.filter(({ message }) => String(message).startsWith('credits: '));
/** The line of a function that was called once. */
function getLine(name: string) {
  expect(findLines(name)).toHaveLength(1);
  return findLines(name)[0] as Record<string, unknown>;
}

describe('the line of a generation', () => {
  it('that succeeds has its steps, model, attempts, credits and cost', async () => {
    stack.gemini.script(geminiFault.internal(), geminiFault.internal());
    const user = await stack.newUser();
    const { body } = await user.generate('key', { tier: 'premium2' });
    expect(getLine('generate')).toEqual({
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
      keyHash: expect.stringMatching(/^[0-9a-f]{32}$/),
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

  it('that fails has its reason, its refund and the duration of each step', async () => {
    stack.cloudinary.always(cloudinaryFault.error(500));
    await (await stack.newUser()).generate('key', { enhance: true });
    const line = getLine('generate');
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

  it('that every model failed counts the calls to all of them', async () => {
    stack.gemini.always(geminiFault.highDemand());
    await (await stack.newUser()).generate('key');
    expect(getLine('generate')).toMatchObject({
      reason: 'PROVIDER_OVERLOADED',
      attempts: 4,
      creditsRefunded: 1,
    });
  });

  it('that is refused has severity INFO and only the steps that ran', async () => {
    await (await stack.newUser(0)).generate('key');
    const line = getLine('generate');
    expect(line).toMatchObject({
      severity: 'INFO',
      outcome: 'refused',
      reason: 'INSUFFICIENT_CREDITS',
      status: 402,
    });
    for (const field of ['creditsCharged', 'generateImageMs', 'attempts'])
      expect(line).not.toHaveProperty(field);
  });

  it('says whether it is a replay or comes from the cache', async () => {
    const user = await stack.newUser();
    await user.generate('one');
    stack.logs.length = 0;
    await user.generate('one');
    await user.generate('two');
    expect(findLines('generate')).toMatchObject([
      { replayed: true, cached: false },
      { replayed: false, cached: true },
    ]);
    expect(JSON.stringify(findLines('generate'))).not.toContain('creditsCharged');
    expect(findCreditLines()).toEqual([]);
  });
});

it('every function logs one line per request, whatever its outcome', async () => {
  const user = await stack.newUser();
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

it('every line of a request has its trace, also the lines of its entries', async () => {
  const user = await stack.newUser();
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
  it('has the user, the amount and the balance, in the order of the ledger', async () => {
    const user = await stack.newUser();
    stack.gemini.always(geminiFault.textOnly());
    const { body } = await user.generate('key', { tier: 'premium4' });
    const generationId = body.error.details[0].metadata.generationId ?? expect.any(String);
    const of = { severity: 'INFO', uid: user.uid };
    expect(findCreditLines()).toMatchObject([
      { ...of, message: 'credits: adjustment', type: 'adjustment', amount: 10, balance: 10, sequence: 1 },
      { ...of, message: 'credits: debit', amount: -4, balance: 6, sequence: 2, generationId },
      { ...of, message: 'credits: refund', amount: 4, balance: 10, sequence: 3, generationId },
    ]);
    const { entries } = await stack.ledger(user.uid);
    expect(findCreditLines().map(({ entryId }) => entryId)).toEqual(entries.map(({ id }) => id));
  });

  /** A generation on a server with hooks at its reads and commits. */
  async function generateThrough(watch: Parameters<typeof watchedDatabase>[1]) {
    const { database } = watchedDatabase(stack.database, { ...hooks, ...watch });
    const server = await stack.startServer({}, { database });
    const user = await stack.newUser();
    stack.logs.length = 0;
    const reply = await user.generate('key', { fresh: true }, server.url);
    await server.close();
    return { user, reply };
  }
  const isDebit = (writes: readonly object[]) => JSON.stringify(writes).includes(':debit"');

  it.each([
    ['lost', lostReply],
    ['lost, and a retry of the client library refused', () => new CommitRejected('ALREADY_EXISTS')],
  ])('is logged once if the reply to its commit was %s', async (_how, thrown) => {
    const afterCommit = once(isDebit, () => Promise.reject(thrown()));
    const { user, reply } = await generateThrough({ afterCommit });
    expect(reply.status).toBe(200);
    const { entries } = await stack.ledger(user.uid);
    expect(findCreditLines().map(({ entryId, balance }) => [entryId, balance])).toEqual(
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
    expect(findCreditLines().map(({ message }) => message)).toEqual([
      'credits: adjustment',
      'credits: debit',
    ]);
    expect((await stack.ledger(user.uid)).entries.map(({ type }) => type)).toEqual(['adjustment', 'debit']);
  });

  it('is logged once if its commit was refused and repeated', async () => {
    const refuse = once(isDebit, () => Promise.reject(new CommitRejected('stale')));
    const { user } = await generateThrough({ beforeCommit: refuse });
    expect(findCreditLines().map(({ message }) => message)).toEqual([
      'credits: adjustment',
      'credits: debit',
    ]);
    expect((await stack.ledger(user.uid)).entries).toHaveLength(2);
  });

  it('is not logged if nothing was committed', async () => {
    const beforeCommit = (writes: readonly object[]) => {
      if (isDebit(writes)) throw Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 });
    };
    const { user, reply } = await generateThrough({ beforeCommit });
    expect(reply.status).toBe(500);
    expect(findCreditLines()).toEqual([]);
    expect((await stack.ledger(user.uid)).entries).toEqual([]);
  });
});
