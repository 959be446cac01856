/** One Idempotency-Key is one generation: one debit, one image, and the same reply for every repetition. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getErrorInfo, isReplayed, type Reply } from '../support/replies.ts';
import { type Server, type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;
let gemini: GatedGemini;
/** Another server on the same database. */
let second: Server;

beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  second = await stack.startServer();
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});
beforeEach(() => gemini.alwaysImage());

/** How many calls to the model had this prompt. */
const countModelCalls = (prompt: string) =>
  gemini.requests.filter(({ body }) => JSON.stringify(body).includes(prompt)).length;

/** Starts a generation under the key `key`, which the model does not answer before `release`. */
const startGenerating = (user: User, prompt: string, url?: string) =>
  gemini.hold(() => user.generate('key', { prompt }, url));

function expectError(reply: Reply, status: number, reason: string, retry: string): void {
  expect({ status: reply.status, ...getErrorInfo(reply) }).toMatchObject({
    status,
    reason,
    metadata: { retry },
  });
}

async function countDebits(uid: string): Promise<number> {
  return (await stack.ledger(uid)).entries.filter(({ type }) => type === 'debit').length;
}

describe('the same key and the same body', () => {
  it('get the stored reply again, without a charge', async () => {
    const user = await stack.newUser();
    const first = await user.generate('key', { prompt: 'Once' });
    expect(first.status).toBe(200);
    expect(isReplayed(first)).toBe(false);
    // The receipt stays that of its own commit, whatever comes after.
    expect((await user.generate('another', { prompt: 'Between' })).status).toBe(200);

    for (const url of [stack.url, second.url]) {
      const again = await user.generate('key', { prompt: 'Once' }, url);
      expect(again.status).toBe(200);
      expect(again.body).toEqual(first.body);
      expect(isReplayed(again)).toBe(true);
    }
    expect(first.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    expect(countModelCalls('Once')).toBe(1);
    expect(await countDebits(user.uid)).toBe(2);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it.each<[string, object, object]>([
    ['an explicit default', { prompt: 'Same' }, { prompt: 'Same', orientation: 'landscape' }],
    [
      'another order of the fields',
      { tier: 'standard', prompt: 'Same' },
      { prompt: 'Same', tier: 'standard' },
    ],
    ['another Unicode normalisation of the same text', { prompt: 'Caf\u00e9' }, { prompt: 'Cafe\u0301' }],
  ])('%s is the same body', async (_, one, other) => {
    const user = await stack.newUser();
    const first = await user.generate('key', { ...one });
    const again = await user.post('generate', { tier: 'standard', ...other }, { 'idempotency-key': 'key' });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe(true);
  });

  it('of another user are another generation', async () => {
    const [one, other] = [await stack.newUser(), await stack.newUser()];
    const [first, second] = [await one.generate('key'), await other.generate('key', { prompt: 'Mine' })];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(isReplayed(second)).toBe(false);
    expect(second.body.generation.id).not.toBe(first.body.generation.id);
    expect(second.body.receipt).toMatchObject({ charged: 1, balance: 9 });
  });
});

describe('a key that is still running', () => {
  it('answers 409 with the receipt and the time to wait on any server, then the reply', async () => {
    const user = await stack.newUser();
    const { reply, release } = await startGenerating(user, 'Running');
    for (const url of [stack.url, second.url]) {
      const early = await user.generate('key', { prompt: 'Running' }, url);
      expectError(early, 409, 'IN_PROGRESS', 'same_key');
      const wait = early.headers.get('retry-after');
      expect(wait).toMatch(/^[1-9]\d*$/);
      expect(early.body.error.details.at(-1)).toMatchObject({ retryDelay: `${wait}s` });
      expect(early.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
      const { body } = await user.get(`generation?id=${getErrorInfo(early).metadata.generationId}`);
      expect(body.generation).toMatchObject({ status: 'pending', prompt: 'Running' });
    }
    release();
    const first = await reply;
    expect(first.status).toBe(200);
    expect((await user.generate('key', { prompt: 'Running' })).body).toEqual(first.body);
    expect(countModelCalls('Running')).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('is not affected by another body, which gets 422', async () => {
    const user = await stack.newUser();
    const { reply, release } = await startGenerating(user, 'Unaffected');
    expectError(await user.generate('key', { prompt: 'Else' }), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    release();
    expect((await reply).status).toBe(200);
    expect(countModelCalls('Else')).toBe(0);
    expect(await countDebits(user.uid)).toBe(1);
  });
});

describe('the same key with another body', () => {
  it.each([
    ['prompt', { prompt: 'Other' }],
    ['tier', { prompt: 'First', tier: 'premium2' }],
    ['orientation', { prompt: 'First', orientation: 'portrait' }],
  ])('refuses another %s and charges nothing', async (_, body) => {
    const user = await stack.newUser();
    const first = await user.generate('key', { prompt: 'First' });
    expectError(await user.generate('key', body), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    expect((await user.generate('key', { prompt: 'First' })).body).toEqual(first.body);
    expect(await countDebits(user.uid)).toBe(1);
  });
});

describe('a key whose generation failed after its debit', () => {
  it.each([
    ['CONTENT_BLOCKED', geminiFault.noImage('SAFETY')],
    ['NO_IMAGE', geminiFault.textOnly()],
    ['PROVIDER_ERROR', geminiFault.internal()],
  ])('answers the same failure again: %s', async (reason, step) => {
    const user = await stack.newUser();
    const prompt = `Failing with ${reason}`;
    gemini.always(step);
    const first = await user.generate('key', { prompt });
    expect(getErrorInfo(first).reason).toBe(reason);
    gemini.alwaysImage();
    const callsBefore = countModelCalls(prompt);

    const again = await user.generate('key', { prompt });
    expect(again.status).toBe(first.status);
    expect(again.body).toEqual(first.body);
    expect(getErrorInfo(again).metadata.retry).toBe('new_key');
    expect(again.body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true]);
    expect(countModelCalls(prompt)).toBe(callsBefore);

    expect((await user.generate('new key', { prompt })).status).toBe(200);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('a key can be used again after a refusal before any debit', () => {
  const path = ({ uid }: User) => `accounts/${uid}`;

  it.each<[string, number, (user: User) => Promise<void>, (user: User) => Promise<void>]>([
    [
      'too few credits',
      402,
      (user) => stack.edit(path(user), { balance: 0 }),
      (user) => stack.edit(path(user), { balance: 3 }),
    ],
    [
      'suspended',
      403,
      (user) => stack.edit(path(user), { suspended: true }),
      (user) => stack.edit(path(user), { suspended: false }),
    ],
    [
      'an invalid balance',
      409,
      (user) => stack.edit(path(user), { balance: 'ten' }),
      (user) => stack.edit(path(user), { balance: 10 }),
    ],
  ])('%s', async (_, status, breakAccount, repair) => {
    const user = await stack.newUser();
    await breakAccount(user);
    const refused = await user.generate('key');
    expect(refused.status).toBe(status);
    expect(refused.body).not.toHaveProperty('receipt');
    await repair(user);
    const reply = await user.generate('key');
    expect(reply.status).toBe(200);
    expect(isReplayed(reply)).toBe(false);
    expect(await countDebits(user.uid)).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('an invalid request', async () => {
    const user = await stack.newUser();
    expectError(await user.generate('key', { tier: 'gold' }), 400, 'INVALID_REQUEST', 'no');
    expect((await user.generate('key')).status).toBe(200);
  });

  it('too many in flight', async () => {
    const narrow = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1' });
    const user = await stack.newUser();
    const { reply, release } = await startGenerating(user, 'Alone', narrow.url);
    expectError(await user.generate('later', {}, narrow.url), 429, 'RATE_LIMITED', 'same_key');
    release();
    expect((await reply).status).toBe(200);
    expect((await user.generate('later', {}, narrow.url)).status).toBe(200);
    await narrow.close();
  });
});

describe('a key whose image was deleted', () => {
  it('always answers 410 and never generates again', async () => {
    const user = await stack.newUser();
    const { body } = await user.generate('key', { prompt: 'Regretted' });
    const { id } = body.generation;
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    for (const url of [stack.url, second.url]) {
      const again = await user.generate('key', { prompt: 'Regretted' }, url);
      expectError(again, 410, 'DELETED', 'no');
      expect(getErrorInfo(again).metadata.generationId).toBe(id);
      expect(again.body.receipt).toEqual(body.receipt);
      expect(isReplayed(again)).toBe(true);
      expect(JSON.stringify(again.body)).not.toContain('Regretted');
    }
    expectError(await user.generate('key', { prompt: 'Else' }), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    expect(countModelCalls('Regretted')).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('50 calls at once with one key', () => {
  it.each<[string, () => string[]]>([
    ['one server', () => [stack.url]],
    ['two servers', () => [stack.url, second.url]],
  ])('on %s are one debit and one image, and every 200 is the same', async (where, urls) => {
    const user = await stack.newUser();
    const prompt = `At once on ${where}`;
    const ask = (_: unknown, i: number) => user.generate('key', { prompt }, urls()[i % urls().length]);
    const replies = await Promise.all(Array.from({ length: 50 }, ask));

    const successes = replies.filter(({ status }) => status === 200);
    expect(successes.length).toBeGreaterThan(0);
    expect(successes.filter((reply) => !isReplayed(reply))).toHaveLength(1);
    for (const reply of replies) {
      if (reply.status !== 200) expectError(reply, 409, 'IN_PROGRESS', 'same_key');
      expect(reply.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    }
    const later = await user.generate('key', { prompt }, second.url);
    for (const { body } of [...successes, later]) expect(body).toEqual(successes[0]?.body);
    expect(countModelCalls(prompt)).toBe(1);
    expect(await countDebits(user.uid)).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('get 409 while one of them generates', async () => {
    const user = await stack.newUser();
    const { reply, release } = await startGenerating(user, 'Held');
    const ask = (_: unknown, i: number) =>
      user.generate('key', { prompt: 'Held' }, i % 2 ? stack.url : second.url);
    const replies = await Promise.all(Array.from({ length: 49 }, ask));
    for (const reply of replies) expectError(reply, 409, 'IN_PROGRESS', 'same_key');
    release();
    expect((await reply).status).toBe(200);
    expect(countModelCalls('Held')).toBe(1);
    expect(await countDebits(user.uid)).toBe(1);
  });
});

describe('a generation past its deadline is refunded by the next call that reads it', () => {
  type Call = (user: User, id: string, prompt: string) => Promise<Reply>;
  const calls: Record<string, Call> = {
    generate: (user, _, prompt) => user.generate('key', { prompt }, second.url),
    'generation by id': (user, id) => user.get(`generation?id=${id}`, second.url),
    'generation by key': (user) => user.get('generation?key=key', second.url),
    deleteGeneration: (user, id) => user.post('deleteGeneration', { id }, {}, second.url),
  };

  /** A generation past its deadline, whose model call is still held. */
  async function newOverdue(prompt: string) {
    const user = await stack.newUser();
    const held = await startGenerating(user, prompt);
    const id = (await stack.ledger(user.uid)).generations[0]?.id as string;
    await stack.edit(`accounts/${user.uid}/generations/${id}`, { deadline: new Date(Date.now() - 60_000) });
    return { user, id, ...held };
  }

  const receipt = { charged: 1, refunded: 1, balance: 10, sequence: 3 };

  async function expectRefundedOnce(uid: string, id: string): Promise<void> {
    const { account, entries, generations } = await stack.ledger(uid);
    expect(account).toMatchObject({ balance: 10, sequence: 3 });
    expect(account.active).toEqual({});
    expect(entries.at(-1)).toMatchObject({ id: `${id}:refund`, amount: 1, reason: 'EXPIRED' });
    expect(generations).toMatchObject([{ status: 'refunded', failure: { reason: 'EXPIRED' }, receipt }]);
    expect(await stack.document(`outbox/${id}`)).toMatchObject({ publicId: generations[0]?.publicId });
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  }

  it.each(Object.entries(calls))('%s; the late worker answers 410', async (name, call) => {
    const prompt = `Overdue for ${name}`;
    const { user, id, reply: lateReply, release } = await newOverdue(prompt);
    const found = await call(user, id, prompt);
    if (name === 'generate') {
      expectError(found, 410, 'EXPIRED', 'new_key');
      expect(found.body.receipt).toEqual(receipt);
      expect(isReplayed(found)).toBe(true);
    } else {
      expect(found.status).toBe(200);
      expect(found.body.generation).toMatchObject({ id, status: 'refunded', failure: { reason: 'EXPIRED' } });
      expect(found.body.generation.prompt).toBe(name === 'deleteGeneration' ? null : prompt);
    }
    await expectRefundedOnce(user.uid, id);

    release();
    const late = await lateReply;
    expectError(late, 410, 'EXPIRED', 'new_key');
    expect(late.body.receipt).toEqual(receipt);
    await expectRefundedOnce(user.uid, id);
    expectError(await user.generate('key', { prompt }), 410, 'EXPIRED', 'new_key');
    expect(countModelCalls(prompt)).toBe(1);
  });

  it('all calls at once on two servers refund it once', async () => {
    const prompt = 'Overdue for all';
    const { user, id, reply: lateReply, release } = await newOverdue(prompt);
    const all = Object.values(calls).flatMap((call) => [call, call]);
    const replies = await Promise.all(all.map((call) => call(user, id, prompt)));
    for (const { status } of replies) expect([200, 410]).toContain(status);
    await expectRefundedOnce(user.uid, id);
    release();
    expectError(await lateReply, 410, 'EXPIRED', 'new_key');
    await expectRefundedOnce(user.uid, id);
  });
});

it('leaves no image in the store that is neither of a succeeded generation nor in the outbox', async () => {
  expect(stack.cloudinary.assets.size).toBeGreaterThan(0);
  expect(await strayImages(stack, stack.uids)).toEqual([]);
});
