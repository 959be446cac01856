/** What the provider bills is known of every generation, and what a day may cost is a limit. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'];
const image = geminiFault.image(onePixelPng);
/** 'A banana on the moon' has 5 tokens, at $0.30 for a million tokens. */
const promptMicros = Math.ceil(5 * 0.3);
const price = { [first as string]: 39_000, [second as string]: 33_600 } as const;

let stack: Stack;
let gemini: FakeGemini;
let time: ReturnType<typeof virtualClock>;
const servers: { close: () => Promise<void> }[] = [];
let users = 0;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  time = virtualClock();
  gemini = await startFakeGemini({ apiKey: 'test-gemini-key' });
  gemini.always(image);
});
afterEach(async () => {
  stack.cloudinary.always(undefined);
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await gemini.close();
});

async function startServer(env: Record<string, string> = {}, database = stack.database, of = stack) {
  const server = await of.startServer(
    {
      GOOGLE_GEMINI_BASE_URL: gemini.url,
      IMAGEGEN_FALLBACK_MODEL_IDS: second as string,
      RETRY_ATTEMPTS: '3',
      ...env,
    },
    { clock: time.clock, database: { ...database, close: async () => {} } },
  );
  servers.push(server);
  return server.url;
}

const newUser = (of = stack) => of.user(`user-${++users}`, 10);
const costOf = async (uid: string, of = stack) =>
  (await of.ledger(uid)).generations.map(
    (generation) => (generation as unknown as { providerCostMicros: number }).providerCostMicros,
  );
const at = (model: string | undefined, ...steps: GeminiStep[]): GeminiStep[] =>
  steps.map((step) => ({ ...step, model: model as string }));
const { truncate, internal, highDemand, reset, emptyBody, html, perMinute, noImage, emptyImage } =
  geminiFault;

async function audited(uid: string) {
  const headers = { authorization: 'Bearer owner' };
  return (await stack.fetch(`audit?uid=${uid}`, { headers })).body.accounts[0];
}

describe('a generation costs', () => {
  it.each<[string, GeminiStep[], number, status: number]>([
    ['its image', [], 39_000, 200],
    ['nothing for tries that painted nothing', [internal(), highDemand()], 39_000, 200],
    ['nothing for a limit per minute and a reset', [perMinute(1), reset()], 39_000, 200],
    ['its image again where the first broke off', [truncate()], 78_000, 200],
    ['both where two broke off', [truncate(), emptyBody()], 78_000, 502],
    ['what came with 200 and made no sense', [html(200)], 78_000, 200],
    ['what was reset after its headers', [reset('after-headers')], 78_000, 200],
    ["the next model's image", at(first, geminiFault.perDay()), 33_600, 200],
    ['both tries, although none came of it', Array(6).fill(truncate()), 78_000, 502],
    ['its prompt where it was blocked', [noImage('IMAGE_SAFETY')], promptMicros, 422],
    [
      'what broke off before it was blocked, and the prompt',
      [truncate(), noImage('IMAGE_SAFETY')],
      39_000 + promptMicros,
      422,
    ],
    ['an image that is none, and that of the next model', [emptyImage()], 39_000 + 33_600, 200],
    ['nothing where nobody painted', Array(6).fill(internal()), 0, 502],
  ])('%s', async (_, steps, cost, status) => {
    await stack.erase(`quota/${first}`);
    const url = await startServer();
    gemini.script(...steps);
    const user = await newUser();
    const reply = await user.generate('key', {}, url);
    expect(reply.status).toBe(status);
    expect(await costOf(user.uid)).toEqual([cost]);
    expect(reply.body.receipt).toMatchObject(status === 200 ? { charged: 1 } : { charged: 1, refunded: 1 });
    expect(await audited(user.uid)).toMatchObject({ ok: true, providerCostMicros: cost });
    expect(JSON.stringify(reply.body)).not.toContain('Micros');
    await stack.erase(`quota/${first}`);
  });

  it('what an operator says of a model that we do not know', async () => {
    const retired = { ...geminiFault.noLongerAvailable(), model: first as string };
    gemini.script(retired);
    const url = await startServer({
      IMAGEGEN_FALLBACK_MODEL_IDS: 'gemini-3.1-flash-image',
      IMAGEGEN_MODEL_COSTS_USD: 'gemini-3.1-flash-image=1',
    });
    const user = await newUser();
    await user.generate('key', {}, url);
    expect(await costOf(user.uid)).toEqual([67_000]);
    await stack.erase(`quota/${first}`);
  });

  it('its image although it could not be stored', async () => {
    const url = await startServer();
    gemini.script(truncate());
    stack.cloudinary.always(cloudinaryFault.error(500));
    const user = await newUser();
    expect((await user.generate('key', {}, url)).status).toBe(502);
    expect(await costOf(user.uid)).toEqual([78_000]);
  });

  it('nothing where it comes from the cache, and the same after it was deleted', async () => {
    const url = await startServer({ CACHE_TTL_SECONDS: '60' });
    const user = await newUser();
    const { id } = (await user.generate('a', {}, url)).body.generation;
    expect((await user.generate('b', {}, url)).body.generation.cached).toBe(true);
    expect((await costOf(user.uid)).sort()).toEqual([0, 39_000]);
    await user.post('deleteGeneration', { id }, {}, url);
    expect(await audited(user.uid)).toMatchObject({ ok: true, providerCostMicros: 39_000 });
  });

  it('and an audit adds all of an account up, and of no other', async () => {
    const url = await startServer();
    const [user, other] = [await newUser(), await newUser()];
    gemini.script(image, truncate(), noImage('SAFETY'), truncate(), image);
    for (const key of ['a', 'b', 'c']) await user.generate(key, {}, url);
    await other.generate('key', {}, url);
    expect(await costOf(user.uid)).toEqual([39_000, 39_000 + promptMicros, 78_000]);
    expect(await audited(user.uid)).toMatchObject({ ok: true, providerCostMicros: 156_000 + promptMicros });
    expect(await audited(other.uid)).toMatchObject({ providerCostMicros: price[first as string] });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('what a day may cost', () => {
  let own: Stack;
  beforeEach(async () => {
    own = await startStack();
  });
  afterEach(() => own.close());

  const refusal = (reply: Reply) => [reply.status, reply.body.error?.details[0].reason];
  const refused = [503, 'SPEND_CEILING'];
  /** A generation that cost an image, as if it had been asked for at another time. */
  async function spent(createdAt: string) {
    const user = await newUser(own);
    const { id } = (await user.generate('key', {}, await startServer({}, own.database, own))).body.generation;
    await own.edit(`accounts/${user.uid}/generations/${id}`, { createdAt: new Date(createdAt) });
  }

  it('ends it before a debit; the sum is at most 30 s old', async () => {
    const counted = countingDatabase(own.database);
    const sums = () => counted.trips.filter((trip) => trip === 'totals').length;
    const url = await startServer({ MAX_SPEND_PER_DAY_USD: '0.1' }, counted.database, own);
    const user = await newUser(own);
    for (const key of ['a', 'b']) expect((await user.generate(key, {}, url)).status).toBe(200);
    time.advance(29_999);
    expect((await user.generate('c', {}, url)).status).toBe(200);
    expect(sums()).toBe(1);
    time.advance(1);
    const reply = await user.generate('d', {}, url);
    expect(refusal(reply)).toEqual(refused);
    expect(sums()).toBe(2);
    expect(reply.body).not.toHaveProperty('receipt');
    expect(reply.body.error.details[0].metadata.retry).toBe('same_key');
    const ledger = await own.ledger(user.uid);
    expect(ledger.account).toMatchObject({ balance: 7 });
    expect(ledger.generations).toHaveLength(3);
    expect(gemini.requests).toHaveLength(3);
    expect((await user.generate('a', {}, url)).headers.get('idempotent-replayed')).toBe('true');
    expect(sums()).toBe(2);

    const higher = await startServer({ MAX_SPEND_PER_DAY_USD: '0.12' }, own.database, own);
    expect((await user.generate('d', {}, higher)).status).toBe(200);
  });

  it('is summed once by twenty first requests at once', async () => {
    const counted = countingDatabase(own.database);
    const url = await startServer({ MAX_SPEND_PER_DAY_USD: '0' }, counted.database, own);
    const all = await Promise.all(Array.from({ length: 20 }, () => newUser(own)));
    const replies = await Promise.all(all.map((user) => user.generate('key', {}, url)));
    for (const reply of replies) expect(refusal(reply)).toEqual(refused);
    expect(counted.trips.filter((trip) => trip === 'totals')).toHaveLength(1);
    expect(gemini.requests).toEqual([]);
  });

  it('counts what failed and was billed', async () => {
    const url = await startServer({}, own.database, own);
    gemini.script(...Array(6).fill(truncate()));
    expect((await (await newUser(own)).generate('key', {}, url)).status).toBe(502);
    const limited = await startServer({ MAX_SPEND_PER_DAY_USD: '0.078' }, own.database, own);
    expect(refusal(await (await newUser(own)).generate('key', {}, limited))).toEqual(refused);
  });

  it('is the day of UTC: what was spent yesterday does not count, and at midnight it begins anew', async () => {
    const env = { MAX_SPEND_PER_DAY_USD: '0.039' };
    await spent('2099-05-04T23:59:59.999Z');
    time = virtualClock({ startsAt: Date.parse('2099-05-05T23:59:50Z') });
    const user = await newUser(own);
    expect((await user.generate('a', {}, await startServer(env, own.database, own))).status).toBe(200);

    await spent('2099-05-05T00:00:00Z');
    const url = await startServer(env, own.database, own);
    const reply = await user.generate('b', {}, url);
    expect(refusal(reply)).toEqual(refused);
    expect(reply.headers.get('retry-after')).toBe('10');
    time.advance(9_999);
    expect(refusal(await user.generate('b', {}, url))).toEqual(refused);
    time.advance(1);
    expect((await user.generate('b', {}, url)).status).toBe(200);
  });

  it('where none is set nothing is summed', async () => {
    const counted = countingDatabase(own.database);
    await (await newUser(own)).generate('key', {}, await startServer({}, counted.database, own));
    expect(counted.trips).not.toContain('totals');
  });
});
