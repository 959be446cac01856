/** Every generation records what the provider bills for it, and a daily limit of that cost is kept. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault } from '../../local/fakes/geminiFaults.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getErrorInfo, getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { virtualClock } from '../support/virtualClock.ts';

const [first, second] = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1'];
const image = geminiFault.blank();
const price = { [first as string]: 39_000, [second as string]: 33_600 } as const;

let stack: Stack;
let gemini: FakeGemini;
let time: ReturnType<typeof virtualClock>;
const servers: { close: () => Promise<void> }[] = [];

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

const getCosts = async (uid: string, of = stack) =>
  (await of.ledger(uid)).generations.map(
    (generation) => (generation as unknown as { providerCostMicros: number }).providerCostMicros,
  );
const at = (model: string | undefined, ...steps: GeminiStep[]): GeminiStep[] =>
  steps.map((step) => ({ ...step, model: model as string }));
const { truncate, internal, highDemand, reset, emptyBody, html, perMinute, noImage, emptyImage } =
  geminiFault;

/** 'A banana on the moon' has 5 tokens, at $0.30 for a million tokens. */
const promptMicros = Math.ceil(5 * 0.3);

async function audit(uid: string) {
  const headers = { authorization: 'Bearer owner' };
  return (await stack.fetch(`audit?uid=${uid}`, { headers })).body.accounts[0];
}

describe('a generation costs', () => {
  it.each<[string, GeminiStep[], number, status: number]>([
    ['its image', [], 39_000, 200],
    ['nothing for attempts that generated nothing', [internal(), highDemand()], 39_000, 200],
    ['nothing for a limit per minute and a reset', [perMinute(1), reset()], 39_000, 200],
    ['two images if the first reply broke off', [truncate()], 78_000, 200],
    ['both images if two replies broke off', [truncate(), emptyBody()], 78_000, 502],
    ['also a 200 that cannot be parsed', [html(200)], 78_000, 200],
    ['also a reply that was reset after its headers', [reset('after-headers')], 78_000, 200],
    ["the next model's image", at(first, geminiFault.perDay()), 33_600, 200],
    ['both attempts, although all failed', Array(6).fill(truncate()), 78_000, 502],
    ['its prompt if it was blocked', [noImage('IMAGE_SAFETY')], promptMicros, 422],
    [
      'the reply that broke off before it was blocked, and the prompt',
      [truncate(), noImage('IMAGE_SAFETY')],
      39_000 + promptMicros,
      422,
    ],
    ['an empty image, and that of the next model', [emptyImage()], 39_000 + 33_600, 200],
    ['nothing if every call failed', Array(6).fill(internal()), 0, 502],
  ])('%s', async (_, steps, cost, status) => {
    await stack.erase(`quota/${first}`);
    const url = await startServer();
    gemini.script(...steps);
    const user = await stack.newUser();
    const reply = await user.generate('key', {}, url);
    expect(reply.status).toBe(status);
    expect(await getCosts(user.uid)).toEqual([cost]);
    expect(reply.body.receipt).toMatchObject(status === 200 ? { charged: 1 } : { charged: 1, refunded: 1 });
    expect(await audit(user.uid)).toMatchObject({ ok: true, providerCostMicros: cost });
    expect(JSON.stringify(reply.body)).not.toContain('Micros');
    await stack.erase(`quota/${first}`);
  });

  it('the price that an operator configured for an unknown model', async () => {
    const retired = { ...geminiFault.noLongerAvailable(), model: first as string };
    gemini.script(retired);
    const url = await startServer({
      IMAGEGEN_FALLBACK_MODEL_IDS: 'gemini-3.1-flash-image',
      IMAGEGEN_MODEL_COSTS_USD: 'gemini-3.1-flash-image=1',
    });
    const user = await stack.newUser();
    await user.generate('key', {}, url);
    expect(await getCosts(user.uid)).toEqual([67_000]);
    await stack.erase(`quota/${first}`);
  });

  it('its image, although it could not be stored', async () => {
    const url = await startServer();
    gemini.script(truncate());
    stack.cloudinary.always(cloudinaryFault.error(500));
    const user = await stack.newUser();
    expect((await user.generate('key', {}, url)).status).toBe(502);
    expect(await getCosts(user.uid)).toEqual([78_000]);
  });

  it('nothing if it comes from the cache, and the same after it was deleted', async () => {
    const url = await startServer({ CACHE_TTL_SECONDS: '60' });
    const user = await stack.newUser();
    const { id } = (await user.generate('a', {}, url)).body.generation;
    expect((await user.generate('b', {}, url)).body.generation.cached).toBe(true);
    expect((await getCosts(user.uid)).sort()).toEqual([0, 39_000]);
    await user.post('deleteGeneration', { id }, {}, url);
    expect(await audit(user.uid)).toMatchObject({ ok: true, providerCostMicros: 39_000 });
  });

  it('and an audit adds up the costs of one account', async () => {
    const url = await startServer();
    const [user, other] = [await stack.newUser(), await stack.newUser()];
    gemini.script(image, truncate(), noImage('SAFETY'), truncate(), image);
    for (const key of ['a', 'b', 'c']) await user.generate(key, {}, url);
    await other.generate('key', {}, url);
    expect(await getCosts(user.uid)).toEqual([39_000, 39_000 + promptMicros, 78_000]);
    expect(await audit(user.uid)).toMatchObject({ ok: true, providerCostMicros: 156_000 + promptMicros });
    expect(await audit(other.uid)).toMatchObject({ providerCostMicros: price[first as string] });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('MAX_SPEND_PER_DAY_USD', () => {
  let own: Stack;
  beforeEach(async () => {
    own = await startStack();
  });
  afterEach(() => own.close());

  const refused = [503, 'SPEND_CEILING'];
  /** A generation that cost one image, created at another time. */
  async function generateAt(createdAt: string) {
    const user = await own.newUser();
    const { id } = (await user.generate('key', {}, await startServer({}, own.database, own))).body.generation;
    await own.edit(`accounts/${user.uid}/generations/${id}`, { createdAt: new Date(createdAt) });
  }

  it('refuses before the debit, by a sum that is at most 30 s old', async () => {
    const counted = countingDatabase(own.database);
    const countSums = () => counted.trips.filter((trip) => trip === 'totals').length;
    const url = await startServer({ MAX_SPEND_PER_DAY_USD: '0.1' }, counted.database, own);
    const user = await own.newUser();
    for (const key of ['a', 'b']) expect((await user.generate(key, {}, url)).status).toBe(200);
    time.advance(29_999);
    expect((await user.generate('c', {}, url)).status).toBe(200);
    expect(countSums()).toBe(1);
    time.advance(1);
    const reply = await user.generate('d', {}, url);
    expect(getRefusal(reply)).toEqual(refused);
    expect(countSums()).toBe(2);
    expect(reply.body).not.toHaveProperty('receipt');
    expect(getErrorInfo(reply).metadata.retry).toBe('same_key');
    const ledger = await own.ledger(user.uid);
    expect(ledger.account).toMatchObject({ balance: 7 });
    expect(ledger.generations).toHaveLength(3);
    expect(gemini.requests).toHaveLength(3);
    expect((await user.generate('a', {}, url)).headers.get('idempotent-replayed')).toBe('true');
    expect(countSums()).toBe(2);

    const higher = await startServer({ MAX_SPEND_PER_DAY_USD: '0.12' }, own.database, own);
    expect((await user.generate('d', {}, higher)).status).toBe(200);
  });

  it('is compared with one sum for twenty first requests at once', async () => {
    const counted = countingDatabase(own.database);
    const url = await startServer({ MAX_SPEND_PER_DAY_USD: '0' }, counted.database, own);
    const all = await Promise.all(Array.from({ length: 20 }, () => own.newUser()));
    const replies = await Promise.all(all.map((user) => user.generate('key', {}, url)));
    for (const reply of replies) expect(getRefusal(reply)).toEqual(refused);
    expect(counted.trips.filter((trip) => trip === 'totals')).toHaveLength(1);
    expect(gemini.requests).toEqual([]);
  });

  it('counts failed generations that were billed', async () => {
    const url = await startServer({}, own.database, own);
    gemini.script(...Array(6).fill(truncate()));
    expect((await (await own.newUser()).generate('key', {}, url)).status).toBe(502);
    const limited = await startServer({ MAX_SPEND_PER_DAY_USD: '0.078' }, own.database, own);
    expect(getRefusal(await (await own.newUser()).generate('key', {}, limited))).toEqual(refused);
  });

  it('counts the UTC day only, and starts again at midnight', async () => {
    const env = { MAX_SPEND_PER_DAY_USD: '0.039' };
    await generateAt('2099-05-04T23:59:59.999Z');
    time = virtualClock({ startsAt: Date.parse('2099-05-05T23:59:50Z') });
    const user = await own.newUser();
    expect((await user.generate('a', {}, await startServer(env, own.database, own))).status).toBe(200);

    await generateAt('2099-05-05T00:00:00Z');
    const url = await startServer(env, own.database, own);
    const reply = await user.generate('b', {}, url);
    expect(getRefusal(reply)).toEqual(refused);
    expect(reply.headers.get('retry-after')).toBe('10');
    time.advance(9_999);
    expect(getRefusal(await user.generate('b', {}, url))).toEqual(refused);
    time.advance(1);
    expect((await user.generate('b', {}, url)).status).toBe(200);
  });

  it('costs no query if it is not set', async () => {
    const counted = countingDatabase(own.database);
    await (await own.newUser()).generate('key', {}, await startServer({}, counted.database, own));
    expect(counted.trips).not.toContain('totals');
  });
});
