/** What the models say, which of them is asked again or instead, and that nobody pays for what none can paint. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault, googleError } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
const image = geminiFault.image(onePixelPng);
const minuteMs = 60_000;

let stack: Stack;
let gemini: FakeGemini;
let time: ReturnType<typeof virtualClock>;
/** What the next paint does before it answers. */
let whilePainting: (() => Promise<unknown>) | undefined;
const servers: { close: () => Promise<void> }[] = [];
let users = 0;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  time = virtualClock();
  whilePainting = undefined;
  gemini = await startFakeGemini({
    apiKey: 'test-gemini-key',
    async onRequest() {
      const act = whilePainting;
      whilePainting = undefined;
      await act?.();
    },
  });
  gemini.always(image);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await gemini.close();
  await stack.database.commit(['all', first, second, third].map((id) => ({ delete: `quota/${id}` })));
});

/** A server with three models, three calls for each and a minute for everything, on the clock of the test. */
async function startServer(
  env: Record<string, string> = {},
  database: Stack['database'] = stack.database,
): Promise<string> {
  const server = await stack.startServer(
    {
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      IMAGEGEN_FALLBACK_MODEL_IDS: `${second},${third}`,
      RETRY_ATTEMPTS: '3',
      RETRY_BASE_DELAY_MS: '1000',
      GENERATE_TIMEOUT_MS: String(minuteMs),
      ...env,
    },
    { clock: time.clock, database: { ...database, close: async () => {} } },
  );
  servers.push(server);
  return server.url;
}

const alone = { IMAGEGEN_FALLBACK_MODEL_IDS: '' };
const newUser = () => stack.user(`user-${++users}`, 10);
const generate = async (url: string, body: object = {}) =>
  (await newUser()).generate('key', { ...body }, url);
const asked = () => gemini.requests.map(({ model }) => model);
const times = (count: number, id: string) => Array.from({ length: count }, () => id);
const reasonOf = ({ body }: Reply) => body.error?.details[0].reason;
const stateOf = (id: string) => stack.document(`quota/${id}`);
const replies = (code: number, status: string, headers: Record<string, string> = {}): GeminiStep => ({
  kind: 'reply',
  ...googleError(code, status, 'Something.'),
  headers,
});

/** A refusal before any debit: no receipt, no entry but the console's, and the key is not used up. */
function expectNothingMoved({ body }: Reply, { account, entries, generations }: Ledger): void {
  expect(body).not.toHaveProperty('receipt');
  expect(body.error.details[0].metadata.retry).toBe('same_key');
  expect([account.balance, entries.map(({ type }) => type), generations]).toEqual([10, ['adjustment'], []]);
}
type Ledger = Awaited<ReturnType<Stack['ledger']>>;

describe('a model is asked again', () => {
  it.each<[string, GeminiStep, number[]]>([
    ['429 per minute, after as long as it says', geminiFault.perMinute(1.5), [1_500, 1_500]],
    ['500', geminiFault.internal(), [500, 1_000]],
    ['502', geminiFault.html(502), [500, 1_000]],
    ['503', geminiFault.highDemand(), [500, 1_000]],
    ['504', geminiFault.deadline(), [500, 1_000]],
    ['a reset', geminiFault.reset(), [500, 1_000]],
    ['Retry-After', replies(503, 'UNAVAILABLE', { 'retry-after': '1' }), [1_000, 1_000]],
    ['Retry-After of a 500', replies(500, 'INTERNAL', { 'retry-after': '1' }), [1_000, 1_000]],
    [
      'the longer of Retry-After and RetryInfo',
      { ...geminiFault.perMinute(0.5), headers: { 'retry-after': '1' } },
      [1_000, 1_000],
    ],
    ['a part of a second', geminiFault.perMinute(0.25), [250, 250]],
  ])('%s', async (_, step, pauses) => {
    const url = await startServer();
    gemini.script(step, step);
    const { status, body } = await generate(url);
    expect([status, body.generation?.model]).toEqual([200, first]);
    expect(asked()).toEqual(times(3, first));
    expect(time.pauses).toEqual(pauses);
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 0 });
    expect(await stateOf(first)).toBeUndefined();
  });

  it('after a time drawn from the whole of a doubling span', async () => {
    for (const random of [0, 0.999]) {
      time = virtualClock({ random });
      const url = await startServer({ ...alone, RETRY_ATTEMPTS: '4' });
      gemini.always(geminiFault.internal());
      await generate(url);
      expect(time.pauses).toEqual([1_000, 2_000, 4_000].map((span) => span * random));
    }
  });

  it.each([1, 2, 5])('at most as often as configured: %i calls for each model in all', async (attempts) => {
    const url = await startServer({ RETRY_ATTEMPTS: String(attempts), RETRY_BASE_DELAY_MS: '10' });
    gemini.always(geminiFault.internal());
    const reply = await generate(url);
    expect([reply.status, reasonOf(reply)]).toEqual([502, 'PROVIDER_ERROR']);
    expect(asked()).toEqual([first, second, third].flatMap((id) => times(attempts, id)));
    expect(reply.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
  });
});

describe('neither this model nor another is asked after', () => {
  it.each<[string, GeminiStep, string]>([
    ['a bad key', geminiFault.badKey(), 'PROVIDER_MISCONFIGURED'],
    ['a bad region', geminiFault.badRegion(), 'PROVIDER_MISCONFIGURED'],
    ['401', replies(401, 'UNAUTHENTICATED'), 'PROVIDER_MISCONFIGURED'],
    ['a safety block', geminiFault.noImage('IMAGE_SAFETY'), 'CONTENT_BLOCKED'],
    ['a prompt that is blocked', geminiFault.promptBlocked('PROHIBITED_CONTENT'), 'CONTENT_BLOCKED'],
    ['an answer without an image', geminiFault.textOnly('No.'), 'NO_IMAGE'],
  ])('%s', async (_, step, reason) => {
    const url = await startServer();
    gemini.always(step);
    expect(reasonOf(await generate(url))).toBe(reason);
    expect(asked()).toEqual([first]);
    expect(time.pauses).toEqual([]);
    expect(await stateOf(first)).toBeUndefined();
  });
});

describe('the next model is asked', () => {
  it.each<[string, GeminiStep, string]>([
    ['the daily quota', geminiFault.perDay(), 'daily quota'],
    ['no quota at all', geminiFault.limitZero(), 'billing'],
    ['depleted credits', geminiFault.prepaymentDepleted(), 'billing'],
    ['an unknown model', geminiFault.notFound(), 'retired'],
    ['a retired one', geminiFault.noLongerAvailable(), 'retired'],
  ])('at once after %s, and everybody is told', async (_, step, reason) => {
    const url = await startServer();
    gemini.script({ ...step, model: first });
    const { status, body } = await generate(url);
    expect([status, body.generation?.model]).toEqual([200, second]);
    expect(asked()).toEqual([first, second]);
    expect(time.pauses).toEqual([]);
    expect(await stateOf(first)).toMatchObject({ state: 'exhausted', reason, retryAt: expect.any(Date) });
    expect(await stateOf(second)).toBeUndefined();
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 0 });
  });

  it.each<[string, GeminiStep]>([
    ['500', geminiFault.internal()],
    ['503', geminiFault.highDemand()],
    ['504', geminiFault.deadline()],
    ['a reset', geminiFault.reset()],
    ['429 per minute', geminiFault.perMinute(1)],
  ])('after %s for as often as it may be asked', async (_, step) => {
    const url = await startServer();
    gemini.script(...times(3, first).map((model) => ({ ...step, model })));
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(asked()).toEqual([...times(3, first), second]);
    expect(await stateOf(first)).toBeUndefined();
  });

  it('and the one after that, in the order that is configured', async () => {
    const url = await startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: `${third},${second}` });
    gemini.script({ ...geminiFault.notFound(), model: first }, { ...geminiFault.perDay(), model: third });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(asked()).toEqual([first, third, second]);
  });

  it('at once where it would have to be waited for longer than there is time', async () => {
    const url = await startServer();
    gemini.script({ ...geminiFault.perMinute(60), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect([asked(), time.pauses]).toEqual([[first, second], []]);
  });

  it('never after a wait that is longer than what earlier waits have left', async () => {
    const url = await startServer(alone);
    const step = { ...geminiFault.perMinute(35), model: first };
    gemini.script(step, step);
    expect(reasonOf(await generate(url))).toBe('PROVIDER_QUOTA');
    expect([asked(), time.pauses]).toEqual([[first, first], [35_000]]);
  });

  it('and no time is spent on a back-off that ends after the deadline', async () => {
    const url = await startServer({ RETRY_BASE_DELAY_MS: '60000', GENERATE_TIMEOUT_MS: '20000' });
    gemini.script({ ...geminiFault.internal(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect([asked(), time.pauses]).toEqual([[first, second], []]);
  });

  it.each([
    [first, undefined, 1248, 832],
    [second, '1K', 1264, 848],
    [third, '1K', 1264, 848],
  ])('%s is asked for the size %s and paints %i x %i', async (model, imageSize, width, height) => {
    const url = await startServer();
    gemini.always(undefined);
    const before = [first, second, third].slice(0, [first, second, third].indexOf(model));
    gemini.script(...before.map((id) => ({ ...geminiFault.notFound(id), model: id })));
    const { body } = await generate(url, { tier: 'premium2' });
    expect(body.generation).toMatchObject({ model, image: { width, height } });
    const asked = gemini.requests.at(-1) as { body: unknown };
    const { generationConfig } = asked.body as { generationConfig: { imageConfig: object } };
    expect(generationConfig.imageConfig).toEqual({ aspectRatio: '3:2', ...(imageSize && { imageSize }) });
  });
});

describe('a model that takes fewer reference images', () => {
  const reference = { mimeType: 'image/png', data: onePixelPng.toString('base64') };
  const references = (count: number) => ({ references: Array.from({ length: count }, () => reference) });
  const order = { IMAGEGEN_MODEL_ID: second, IMAGEGEN_FALLBACK_MODEL_IDS: `${first},${third}` };

  it.each([
    [3, first],
    [4, third],
  ])('is passed over where there are too many: %i are painted by %s', async (count, imageGenerator) => {
    const url = await startServer(order);
    gemini.script({ ...geminiFault.perDay(), model: second });
    const { status, body } = await generate(url, references(count));
    expect([status, body.generation?.model]).toEqual([200, imageGenerator]);
    expect(asked()).toEqual([second, imageGenerator]);
  });

  it('is no reason to take money where the others are off', async () => {
    for (const id of [second, third]) await stack.edit(`quota/${id}`, { state: 'off' });
    const url = await startServer(order);
    const user = await newUser();
    const refused = await user.generate('key', references(4), url);
    expect([refused.status, reasonOf(refused)]).toEqual([503, 'PROVIDER_QUOTA']);
    expectNothingMoved(refused, await stack.ledger(user.uid));
    expect((await user.generate('key', references(3), url)).body.generation?.model).toBe(first);
  });
});

describe('where no model is left', () => {
  it('who finds it out is refunded, and the next is not even charged; both hear the earliest time', async () => {
    const url = await startServer();
    gemini.script(
      { ...geminiFault.perDay(), model: first },
      { ...geminiFault.limitZero(), model: second },
      { ...geminiFault.notFound(third), model: third },
    );
    const found = await newUser();
    const reply = await found.generate('key', {}, url);
    expect([reply.status, reasonOf(reply)]).toEqual([503, 'PROVIDER_QUOTA']);
    expect(reply.body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect(asked()).toEqual([first, second, third]);
    expect(await brokenInvariants(stack, found.uid)).toEqual([]);

    const next = await newUser();
    const refused = await next.generate('key', {}, url);
    expect([refused.status, reasonOf(refused)]).toEqual([503, 'PROVIDER_QUOTA']);
    expectNothingMoved(refused, await stack.ledger(next.uid));
    expect(asked()).toHaveLength(3);
    for (const { headers } of [reply, refused]) {
      const wait = Number(headers.get('retry-after'));
      expect(wait).toBeGreaterThan(5 * 60 - 30);
      expect(wait).toBeLessThanOrEqual(5 * 60);
    }
  });

  it('a limit per minute counts towards the earliest time', async () => {
    const url = await startServer({ IMAGEGEN_FALLBACK_MODEL_IDS: second });
    gemini.script({ ...geminiFault.perMinute(90), model: first }, { ...geminiFault.perDay(), model: second });
    const reply = await generate(url);
    expect([reasonOf(reply), reply.headers.get('retry-after')]).toEqual(['PROVIDER_QUOTA', '90']);
  });

  it('overload is told as overload', async () => {
    const url = await startServer();
    gemini.always(geminiFault.highDemand());
    const reply = await generate(url);
    expect([reply.status, reasonOf(reply)]).toEqual([503, 'PROVIDER_OVERLOADED']);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    gemini.always(image);
    expect((await generate(url)).status).toBe(200);
  });

  it('a replay and an image that is there already are answered all the same', async () => {
    const url = await startServer();
    const user = await newUser();
    const { body } = await user.generate('key', {}, url);
    await stack.edit('quota/all', { state: 'off' });
    time.advance(5_000);
    const again = await user.generate('key', {}, url);
    expect([again.status, again.body]).toEqual([200, body]);
  });
});

describe('what an operator has set off', () => {
  it('is not asked', async () => {
    await stack.edit(`quota/${first}`, { state: 'off' });
    const url = await startServer();
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(asked()).toEqual([second]);
    expect(await stateOf(first)).toEqual({ state: 'off' });
  });

  it.each([
    ['every model', [first, second, third]],
    ['all', ['all']],
  ])('%s: no money moves, and nobody can say for how long', async (_, ids) => {
    for (const id of ids) await stack.edit(`quota/${id}`, { state: 'off' });
    const url = await startServer();
    const user = await newUser();
    const reply = await user.generate('key', {}, url);
    expect([reply.status, reasonOf(reply)]).toEqual([503, 'PROVIDER_QUOTA']);
    expect(reply.headers.get('retry-after')).toBeNull();
    expectNothingMoved(reply, await stack.ledger(user.uid));
    expect(asked()).toEqual([]);
  });

  it.each<[string, GeminiStep]>([
    ['the daily quota', geminiFault.perDay()],
    ['billing', geminiFault.limitZero()],
    ['404', geminiFault.notFound(first)],
    ['success', image],
  ])('stays off where it was set while the model was asked: %s', async (_, step) => {
    await stack.edit(`quota/${first}`, { state: 'exhausted', reason: 'billing', retryAt: new Date(0) });
    const url = await startServer();
    gemini.script({ ...step, model: first });
    whilePainting = () => stack.edit(`quota/${first}`, { state: 'off' });
    expect((await generate(url)).status).toBe(200);
    expect(asked()[0]).toBe(first);
    expect(await stateOf(first)).toEqual({ state: 'off', reason: 'billing', retryAt: new Date(0) });
  });

  it('stays off where it was set between the read and the write of its state', async () => {
    let commits = 0;
    const url = await startServer(
      {},
      {
        ...stack.database,
        async commit(writes) {
          const isState = writes.some((write) => JSON.stringify(write).includes(`quota/${first}`));
          if (isState && ++commits === 1) await stack.edit(`quota/${first}`, { state: 'off' });
          return stack.database.commit(writes);
        },
      },
    );
    gemini.script({ ...geminiFault.perDay(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
    expect(commits).toBe(1);
    expect(await stateOf(first)).toEqual({ state: 'off' });
  });
});

describe('what is known of the models', () => {
  it('is shared: what one server has learnt, another does not ask for', async () => {
    const url = await startServer();
    gemini.script({ ...geminiFault.perDay(), model: first });
    await generate(url);
    const other = await startServer();
    expect((await generate(other)).body.generation?.model).toBe(second);
    expect(asked()).toEqual([first, second, second]);
  });

  it('is at most 5 s old, and what was known already is not written again', async () => {
    const [url, other] = [await startServer(), await startServer()];
    await generate(other);
    gemini.script({ ...geminiFault.perDay(), model: first }, { ...geminiFault.perDay(), model: first });
    await generate(url);
    const written = await stateOf(first);
    time.advance(4_999);
    expect((await generate(other)).body.generation?.model).toBe(second);
    expect(asked()).toEqual([first, first, second, first, second]);
    expect(await stateOf(first)).toEqual(written);
    time.advance(1);
    const third = await startServer();
    await generate(third);
    await generate(other);
    expect(asked().slice(5)).toEqual([second, second]);
  });

  it('is read by each of twenty first requests, then once in 5 s, and always in the round trip of the hold', async () => {
    const quotaReads: number[] = [];
    const counted = countingDatabase({
      ...stack.database,
      async read(paths) {
        const count = paths.filter((path) => path.startsWith('quota/')).length;
        if (count > 0) quotaReads.push(count);
        return stack.database.read(paths);
      },
    });
    const url = await startServer({ MAX_IN_FLIGHT_PER_USER: '100' }, counted.database);
    const many = await Promise.all(Array.from({ length: 20 }, newUser));
    const replies = await Promise.all(many.map((user) => user.generate('key', {}, url)));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(quotaReads.length).toBeLessThanOrEqual(20);
    expect(new Set(quotaReads)).toEqual(new Set([4]));
    quotaReads.length = 0;

    const user = await newUser();
    await user.generate('first', {}, url);
    for (const [key, advance, reads] of [
      ['a', 0, 0],
      ['b', 4_999, 0],
      ['c', 1, 1],
      ['d', 4_999, 1],
    ] as const) {
      time.advance(advance);
      counted.reset();
      expect((await user.generate(key, {}, url)).status).toBe(200);
      expect(counted.trips).toEqual(['read', 'commit', 'commit']);
      expect(quotaReads).toHaveLength(reads);
    }
    time.advance(5_000);
    await Promise.all(many.map((user) => user.generate('later', {}, url)));
    expect(quotaReads).toHaveLength(2);
    expect(await stateOf(first)).toBeUndefined();
  });

  it('of a limit per minute stays in the instance, and is over when the minute is', async () => {
    const url = await startServer();
    gemini.script({ ...geminiFault.perMinute(60), model: first });
    await generate(url);
    expect(await stateOf(first)).toBeUndefined();
    time.advance(59_999);
    await generate(url);
    expect(asked()).toEqual([first, second, second]);
    await generate(await startServer());
    time.advance(1);
    await generate(url);
    expect(asked()).toEqual([first, second, second, first, first]);
  });

  it('lapses by itself once its time is over, and is ready when it has painted', async () => {
    const url = await startServer();
    await stack.edit(`quota/${first}`, { state: 'exhausted', retryAt: new Date(Date.now() + 3_600_000) });
    await generate(url);
    await stack.edit(`quota/${first}`, { retryAt: new Date(Date.now() - 1) });
    time.advance(5_000);
    await generate(url);
    expect(asked()).toEqual([second, first]);
    const state = await stateOf(first);
    expect(state).toMatchObject({ state: 'ready' });
    expect(state).not.toHaveProperty('retryAt');
    expect(state).not.toHaveProperty('reason');
  });

  it('is told of once by many who find it out at once, and not undone by one who began before', async () => {
    const writes: string[] = [];
    const url = await startServer(
      { IMAGEGEN_FALLBACK_MODEL_IDS: second },
      {
        ...stack.database,
        async commit(all) {
          writes.push(...all.map((write) => JSON.stringify(write)).filter((text) => text.includes('quota/')));
          return stack.database.commit(all);
        },
      },
    );
    const released = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    whilePainting = () => {
      reached.resolve();
      return released.promise;
    };
    const slow = generate(url);
    await reached.promise;
    gemini.always(geminiFault.perDay());
    gemini.script(...times(5, second).map((model) => ({ ...image, model })));
    const replies = await Promise.all(times(5, url).map((each) => generate(each)));
    expect(replies.map(({ body }) => body.generation?.model)).toEqual(times(5, second));
    gemini.always(image);
    released.resolve();
    expect((await slow).body.generation?.model).toBe(first);
    expect(writes).toHaveLength(1);
    expect(await stateOf(first)).toMatchObject({ state: 'exhausted', reason: 'daily quota' });
  });

  it('is a help only: where it cannot be written, the next model is asked all the same', async () => {
    const url = await startServer(
      {},
      {
        ...stack.database,
        async commit(writes) {
          if (JSON.stringify(writes).includes('quota/')) throw Object.assign(new Error('no'), { code: 7 });
          return stack.database.commit(writes);
        },
      },
    );
    gemini.script({ ...geminiFault.perDay(), model: first });
    expect((await generate(url)).body.generation?.model).toBe(second);
  });
});
