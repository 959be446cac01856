/** One Idempotency-Key, one generation: one debit, one picture, and one answer however often it is asked for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';

type User = Awaited<ReturnType<Stack['user']>>;

const uids: string[] = [];
let stack: Stack;
let gemini: FakeGemini;
/** Another process on the same database. */
let second: { url: string; close: () => Promise<void> };
/** What every paint waits for. */
let gate: Promise<void> | undefined;

beforeAll(async () => {
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key', onRequest: () => gate });
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  second = await stack.startServer();
});
afterAll(async () => {
  await Promise.all([second.close(), gemini.close()]);
  await stack.close();
});
beforeEach(() => {
  gate = undefined;
  gemini.always(geminiFault.blank());
});

/** Holds every paint from now on; the function that is returned lets them go. */
function holdPaints(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  return () => {
    gate = undefined;
    resolve();
  };
}

async function newUser(credits = 10): Promise<User> {
  const uid = `user-${uids.length}`;
  uids.push(uid);
  return stack.user(uid, credits);
}

/** How many pictures were asked for with this prompt. */
const paints = (prompt: string) =>
  gemini.requests.filter(({ body }) => JSON.stringify(body).includes(prompt)).length;

/** A generation that is being painted: its answer to come, and the way to let it. */
async function startPainting(user: User, prompt: string, url?: string) {
  const release = holdPaints();
  const before = paints(prompt);
  const answer = user.generate('key', { prompt }, url);
  await vi.waitFor(() => expect(paints(prompt)).toBe(before + 1), { timeout: 10_000, interval: 5 });
  return { answer, release };
}

const infoOf = ({ body }: Reply) => body.error.details[0];
const isReplayed = ({ headers }: Reply) => headers.get('idempotent-replayed') === 'true';

function expectError(reply: Reply, status: number, reason: string, retry: string): void {
  expect({ status: reply.status, ...infoOf(reply) }).toMatchObject({ status, reason, metadata: { retry } });
}

async function debits(uid: string): Promise<number> {
  return (await stack.ledger(uid)).entries.filter(({ type }) => type === 'debit').length;
}

describe('the same key and the same body', () => {
  it('get the stored answer again, for nothing', async () => {
    const user = await newUser();
    const first = await user.generate('key', { prompt: 'Once' });
    expect(first.status).toBe(200);
    expect(isReplayed(first)).toBe(false);
    // The receipt is that of its own commit, whatever came after.
    expect((await user.generate('another', { prompt: 'Between' })).status).toBe(200);

    for (const url of [stack.url, second.url]) {
      const again = await user.generate('key', { prompt: 'Once' }, url);
      expect(again.status).toBe(200);
      expect(again.body).toEqual(first.body);
      expect(isReplayed(again)).toBe(true);
    }
    expect(first.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    expect(paints('Once')).toBe(1);
    expect(await debits(user.uid)).toBe(2);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it.each<[string, object, object]>([
    ['a default that is spelt out', { prompt: 'Same' }, { prompt: 'Same', orientation: 'landscape' }],
    [
      'another order of the fields',
      { tier: 'standard', prompt: 'Same' },
      { prompt: 'Same', tier: 'standard' },
    ],
    ['another Unicode form of the same text', { prompt: 'Caf\u00e9' }, { prompt: 'Cafe\u0301' }],
  ])('%s is the same body', async (_, one, other) => {
    const user = await newUser();
    const first = await user.generate('key', { ...one });
    const again = await user.post('generate', { tier: 'standard', ...other }, { 'idempotency-key': 'key' });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe(true);
  });

  it('of another user are another generation', async () => {
    const [one, other] = [await newUser(), await newUser()];
    const [first, second] = [await one.generate('key'), await other.generate('key', { prompt: 'Mine' })];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(isReplayed(second)).toBe(false);
    expect(second.body.generation.id).not.toBe(first.body.generation.id);
    expect(second.body.receipt).toMatchObject({ charged: 1, balance: 9 });
  });
});

describe('a key that is still running', () => {
  it('gets 409 with the receipt and the time to wait, on any server, and the answer once it is there', async () => {
    const user = await newUser();
    const { answer, release } = await startPainting(user, 'Running');
    for (const url of [stack.url, second.url]) {
      const early = await user.generate('key', { prompt: 'Running' }, url);
      expectError(early, 409, 'IN_PROGRESS', 'same_key');
      const wait = early.headers.get('retry-after');
      expect(wait).toMatch(/^[1-9]\d*$/);
      expect(early.body.error.details.at(-1)).toMatchObject({ retryDelay: `${wait}s` });
      expect(early.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
      const { body } = await user.get(`generation?id=${infoOf(early).metadata.generationId}`);
      expect(body.generation).toMatchObject({ status: 'pending', prompt: 'Running' });
    }
    release();
    const first = await answer;
    expect(first.status).toBe(200);
    expect((await user.generate('key', { prompt: 'Running' })).body).toEqual(first.body);
    expect(paints('Running')).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('is not spoiled by another body, which gets 422', async () => {
    const user = await newUser();
    const { answer, release } = await startPainting(user, 'Unspoiled');
    expectError(await user.generate('key', { prompt: 'Else' }), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    release();
    expect((await answer).status).toBe(200);
    expect(paints('Else')).toBe(0);
    expect(await debits(user.uid)).toBe(1);
  });
});

describe('the same key with another body', () => {
  it.each([
    ['prompt', { prompt: 'Other' }],
    ['tier', { prompt: 'First', tier: 'premium2' }],
    ['orientation', { prompt: 'First', orientation: 'portrait' }],
  ])('another %s is refused, and nothing is charged', async (_, body) => {
    const user = await newUser();
    const first = await user.generate('key', { prompt: 'First' });
    expectError(await user.generate('key', body), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    expect((await user.generate('key', { prompt: 'First' })).body).toEqual(first.body);
    expect(await debits(user.uid)).toBe(1);
  });
});

describe('a key whose generation failed after its debit', () => {
  it.each([
    ['CONTENT_BLOCKED', geminiFault.noImage('SAFETY')],
    ['NO_IMAGE', geminiFault.textOnly()],
    ['PROVIDER_ERROR', geminiFault.internal()],
  ])('fails again the same way: %s', async (reason, step) => {
    const user = await newUser();
    const prompt = `Failing with ${reason}`;
    gemini.always(step);
    const first = await user.generate('key', { prompt });
    expect(infoOf(first).reason).toBe(reason);
    gemini.always(geminiFault.blank());
    const asked = paints(prompt);

    const again = await user.generate('key', { prompt });
    expect(again.status).toBe(first.status);
    expect(again.body).toEqual(first.body);
    expect(infoOf(again).metadata.retry).toBe('new_key');
    expect(again.body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true]);
    expect(paints(prompt)).toBe(asked);

    expect((await user.generate('new key', { prompt })).status).toBe(200);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('a key that was refused before any debit is not used up', () => {
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
  ])('%s', async (_, status, spoil, mend) => {
    const user = await newUser();
    await spoil(user);
    const refused = await user.generate('key');
    expect(refused.status).toBe(status);
    expect(refused.body).not.toHaveProperty('receipt');
    await mend(user);
    const reply = await user.generate('key');
    expect(reply.status).toBe(200);
    expect(isReplayed(reply)).toBe(false);
    expect(await debits(user.uid)).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('a request that does not parse', async () => {
    const user = await newUser();
    expectError(await user.generate('key', { tier: 'gold' }), 400, 'INVALID_REQUEST', 'no');
    expect((await user.generate('key')).status).toBe(200);
  });

  it('too many at once', async () => {
    const narrow = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1' });
    const user = await newUser();
    const { answer, release } = await startPainting(user, 'Alone', narrow.url);
    expectError(await user.generate('later', {}, narrow.url), 429, 'RATE_LIMITED', 'same_key');
    release();
    expect((await answer).status).toBe(200);
    expect((await user.generate('later', {}, narrow.url)).status).toBe(200);
    await narrow.close();
  });
});

describe('a key whose image its user deleted', () => {
  it('gets 410 for ever, and is never painted again', async () => {
    const user = await newUser();
    const { body } = await user.generate('key', { prompt: 'Regretted' });
    const { id } = body.generation;
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    for (const url of [stack.url, second.url]) {
      const again = await user.generate('key', { prompt: 'Regretted' }, url);
      expectError(again, 410, 'DELETED', 'no');
      expect(infoOf(again).metadata.generationId).toBe(id);
      expect(again.body.receipt).toEqual(body.receipt);
      expect(isReplayed(again)).toBe(true);
      expect(JSON.stringify(again.body)).not.toContain('Regretted');
    }
    expectError(await user.generate('key', { prompt: 'Else' }), 422, 'IDEMPOTENCY_KEY_REUSED', 'new_key');
    expect(paints('Regretted')).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('50 calls at once with one key', () => {
  it.each<[string, () => string[]]>([
    ['one server', () => [stack.url]],
    ['two servers', () => [stack.url, second.url]],
  ])('of %s are one debit and one picture, and every 200 is the same', async (where, urls) => {
    const user = await newUser();
    const prompt = `At once on ${where}`;
    const ask = (_: unknown, i: number) => user.generate('key', { prompt }, urls()[i % urls().length]);
    const replies = await Promise.all(Array.from({ length: 50 }, ask));

    const good = replies.filter(({ status }) => status === 200);
    expect(good.length).toBeGreaterThan(0);
    expect(good.filter((reply) => !isReplayed(reply))).toHaveLength(1);
    for (const reply of replies) {
      if (reply.status !== 200) expectError(reply, 409, 'IN_PROGRESS', 'same_key');
      expect(reply.body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    }
    const later = await user.generate('key', { prompt }, second.url);
    for (const { body } of [...good, later]) expect(body).toEqual(good[0]?.body);
    expect(paints(prompt)).toBe(1);
    expect(await debits(user.uid)).toBe(1);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('while its paint is held all but the one that paints get 409', async () => {
    const user = await newUser();
    const { answer, release } = await startPainting(user, 'Held');
    const ask = (_: unknown, i: number) =>
      user.generate('key', { prompt: 'Held' }, i % 2 ? stack.url : second.url);
    const replies = await Promise.all(Array.from({ length: 49 }, ask));
    for (const reply of replies) expectError(reply, 409, 'IN_PROGRESS', 'same_key');
    release();
    expect((await answer).status).toBe(200);
    expect(paints('Held')).toBe(1);
    expect(await debits(user.uid)).toBe(1);
  });
});

describe('a generation that is pending past its deadline is refunded by whoever meets it', () => {
  type Meet = (user: User, id: string, prompt: string) => Promise<Reply>;
  const meeters: Record<string, Meet> = {
    generate: (user, _, prompt) => user.generate('key', { prompt }, second.url),
    'generation by id': (user, id) => user.get(`generation?id=${id}`, second.url),
    'generation by key': (user) => user.get('generation?key=key', second.url),
    deleteGeneration: (user, id) => user.post('deleteGeneration', { id }, {}, second.url),
  };

  /** One whose worker still paints, though its time is up. */
  async function overdue(prompt: string) {
    const user = await newUser();
    const painting = await startPainting(user, prompt);
    const id = (await stack.ledger(user.uid)).generations[0]?.id as string;
    await stack.edit(`accounts/${user.uid}/generations/${id}`, { deadline: new Date(Date.now() - 60_000) });
    return { user, id, ...painting };
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

  it.each(Object.entries(meeters))('%s, and its late worker gets 410 for it', async (name, meet) => {
    const prompt = `Overdue for ${name}`;
    const { user, id, answer, release } = await overdue(prompt);
    const met = await meet(user, id, prompt);
    if (name === 'generate') {
      expectError(met, 410, 'EXPIRED', 'new_key');
      expect(met.body.receipt).toEqual(receipt);
      expect(isReplayed(met)).toBe(true);
    } else {
      expect(met.status).toBe(200);
      expect(met.body.generation).toMatchObject({ id, status: 'refunded', failure: { reason: 'EXPIRED' } });
      expect(met.body.generation.prompt).toBe(name === 'deleteGeneration' ? null : prompt);
    }
    await expectRefundedOnce(user.uid, id);

    release();
    const late = await answer;
    expectError(late, 410, 'EXPIRED', 'new_key');
    expect(late.body.receipt).toEqual(receipt);
    await expectRefundedOnce(user.uid, id);
    expectError(await user.generate('key', { prompt }), 410, 'EXPIRED', 'new_key');
    expect(paints(prompt)).toBe(1);
  });

  it('all of them at once, on two servers, refund it once', async () => {
    const prompt = 'Overdue for all';
    const { user, id, answer, release } = await overdue(prompt);
    const all = Object.values(meeters).flatMap((meet) => [meet, meet]);
    const replies = await Promise.all(all.map((meet) => meet(user, id, prompt)));
    for (const { status } of replies) expect([200, 410]).toContain(status);
    await expectRefundedOnce(user.uid, id);
    release();
    expectError(await answer, 410, 'EXPIRED', 'new_key');
    await expectRefundedOnce(user.uid, id);
  });
});

it('after all of that, every image in the store is a succeeded one or in the outbox', async () => {
  expect(stack.cloudinary.assets.size).toBeGreaterThan(0);
  expect(await strayImages(stack, uids)).toEqual([]);
});
