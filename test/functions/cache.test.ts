/** The cache: the same request again costs nothing and shows the same image. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationSchema } from '../../shared/contract.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { isCached, pngReference, startCache } from '../support/cacheUsers.ts';
import { onePixelPng } from '../support/pictures.ts';
import { getRefusal, type Reply } from '../support/replies.ts';
import { lostReply, newGeneration, once, watchedDatabase } from '../support/watchedDatabase.ts';

const cache = await startCache();
const { stack, hooks, other, newCacheUser, countModelCalls, createTwins, findCacheItems, expectSound } =
  cache;

beforeEach(cache.clearHooks);
afterAll(() => stack.close());

describe('a hit', () => {
  it('costs nothing and is a new generation with the same image', async () => {
    const user = await newCacheUser();
    const first = await user.ask('a');
    const before = countModelCalls();
    const accountBefore = (await stack.ledger(user.uid)).account;
    const hit = await user.ask('b');

    expect([hit.status, countModelCalls()]).toEqual([200, before]);
    expect(hit.headers.get('idempotent-replayed')).toBeNull();
    expect(generationSchema.parse(hit.body.generation)).toEqual({
      ...first.body.generation,
      id: hashGenerationId(user.uid, 'b'),
      cached: true,
      credits: 0,
      createdAt: expect.any(String),
    });
    expect(hit.body.receipt).toEqual({ charged: 0, refunded: 0, balance: 18, sequence: 2 });
    const { account, entries } = await stack.ledger(user.uid);
    expect(account).toEqual(accountBefore);
    expect(entries.map(({ amount }) => amount)).toEqual([20, -2]);
    const shown = (await user.get('gallery')).body.generations;
    expect(shown.map(({ id }: { id: string }) => id)).toEqual(
      ['b', 'a'].map((key) => hashGenerationId(user.uid, key)),
    );
    expect(await user.getStored('b')).toMatchObject({
      credits: 0,
      providerCostMicros: 0,
      status: 'succeeded',
    });
    await expectSound(user);
  });

  it('replays under its own key', async () => {
    const { user } = await createTwins();
    const hit = await user.ask('b');
    const again = await user.ask('b');
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(again.body).toEqual(hit.body);
    expect(getRefusal(await user.ask('b', { prompt: 'Another' }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await user.getStored('a'))?.sharers).toHaveLength(2);
    for (const query of [`id=${hit.body.generation.id}`, 'key=b']) {
      expect((await user.get(`generation?${query}`)).body.generation).toEqual(hit.body.generation);
    }
    await expectSound(user);
  });

  it('is one generation, however many requests with its key come at once', async () => {
    const { user } = await createTwins();
    const before = countModelCalls();
    const ask = (_: unknown, i: number) => user.ask('b', {}, i % 2 ? other.url : undefined);
    const answers = await Promise.all(Array.from({ length: 6 }, ask));
    expect(answers.map(isCached)).toEqual(Array(6).fill([200, true]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await user.getStored('a'))?.sharers).toHaveLength(2);
    expect(countModelCalls()).toBe(before);
    await expectSound(user);
  });

  it('makes one twin per key when many keys come at once', async () => {
    const { user } = await createTwins();
    const before = countModelCalls();
    const ask = (_: unknown, i: number) => user.ask(`b${i}`, {}, i % 2 ? other.url : undefined);
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(answers.map(isCached)).toEqual(Array(8).fill([200, true]));
    expect(new Set((await user.getStored('a'))?.sharers as string[]).size).toBe(9);
    expect(countModelCalls()).toBe(before);
    await expectSound(user);
  });

  it('records a console edit', async () => {
    const { user } = await createTwins();
    await stack.edit(`accounts/${user.uid}`, { balance: 74, note: 'a prize' });
    const hit = await user.ask('b');
    expect(isCached(hit)).toEqual([200, true]);
    expect(hit.body.receipt).toEqual({ charged: 0, refunded: 0, balance: 74, sequence: 3 });
    expect((await stack.ledger(user.uid)).entries.at(-1)).toMatchObject({
      type: 'adjustment',
      amount: 56,
      reason: 'a prize',
    });
    await expectSound(user);
  });

  it('is recognised after its reply was lost: nothing is generated or created twice', async () => {
    const { user } = await createTwins();
    const before = countModelCalls();
    hooks.afterCommit = once(
      (writes) => newGeneration(writes)?.cached === true,
      () => {
        throw lostReply();
      },
    );
    const hit = await user.ask('b', {}, other.url);
    expect(isCached(hit)).toEqual([200, true]);
    expect(hit.headers.get('idempotent-replayed')).toBeNull();
    expect(hit.body.receipt.charged).toBe(0);
    expect(countModelCalls()).toBe(before);
    expect((await user.getStored('a'))?.sharers).toHaveLength(2);
    await expectSound(user);
  });
});

describe('generates a new image', () => {
  it.each([
    ['with another prompt', { prompt: 'The same banana.' }],
    ['with another tier', { tier: 'premium4' }],
    ['with another orientation', { orientation: 'portrait' }],
    ['with prompt enhancement', { enhance: true }],
    ['without references', { references: [] }],
    ['with its reference twice', { references: [pngReference(onePixelPng), pngReference(onePixelPng)] }],
    ['with `fresh`', { fresh: true }],
  ])('%s', async (_, more) => {
    const { user } = await createTwins();
    const answer = await user.ask('b', more);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.receipt.charged).toBeGreaterThan(0);
    await expectSound(user);
  });

  it('for another user', async () => {
    await createTwins();
    const stranger = await newCacheUser();
    expect(isCached(await stranger.ask('a'))).toEqual([200, false]);
  });

  it('with another model', async () => {
    const { user } = await createTwins();
    const { url } = await stack.startServer({ IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' });
    const answer = await user.ask('b', {}, url);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.generation.model).toBe('gemini-nano-banana-2.1');
    expect((await user.ask('c', {}, url)).body.generation).toMatchObject({
      cached: true,
      model: 'gemini-nano-banana-2.1',
    });
  });

  it('after the cache document expired by the clock of the database', async () => {
    const { user, first } = await createTwins();
    const [item] = await findCacheItems(user.uid);
    const lastsMs = Number(item?.data.expiresAt) - Date.parse(first.body.generation.createdAt);
    expect(Math.abs(lastsMs - 3_600_000)).toBeLessThan(60_000);
    await stack.edit(item?.path ?? '', { expiresAt: new Date() });
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
    const hit = await user.ask('c');
    expect(isCached(hit)).toEqual([200, true]);
    expect((await user.getStored('c'))?.imageOwner).toBe(hashGenerationId(user.uid, 'b'));
    await expectSound(user);
  });

  it('with `fresh`, and later hits show the newer image', async () => {
    const { user } = await createTwins();
    const fresh = await user.ask('b', { fresh: true });
    const hit = await user.ask('c');
    expect(hit.body.generation.image).toEqual(fresh.body.generation.image);
    await expectSound(user);
  });

  it('after the same request failed', async () => {
    const user = await newCacheUser();
    stack.gemini.script(geminiFault.noImage('SAFETY'));
    expect((await user.ask('a')).status).toBe(422);
    expect(await findCacheItems(user.uid)).toEqual([]);
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
  });

  it('for each of two concurrent requests with different keys, and charges both', async () => {
    const user = await newCacheUser();
    const before = countModelCalls();
    const answers: Reply[] = [];
    hooks.afterCommit = once(
      (writes) => newGeneration(writes)?.status === 'pending',
      async () => void answers.push(await user.ask('a')),
    );
    answers.push(await user.ask('b', {}, other.url));
    expect(answers.map(({ body }) => [body.generation.cached, body.receipt.charged])).toEqual([
      [false, 2],
      [false, 2],
    ]);
    expect(countModelCalls()).toBe(before + 2);
    expect(await findCacheItems(user.uid)).toHaveLength(1);
    await expectSound(user);
  });

  it('if the cache document points to no generation', async () => {
    const { user } = await createTwins();
    const [item] = await findCacheItems(user.uid);
    await stack.edit(item?.path ?? '', { generationId: 'f'.repeat(32) });
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
    await stack.edit(item?.path ?? '', { generationId: null });
    expect(isCached(await user.ask('c'))).toEqual([200, false]);
    await expectSound(user);
  });
});

describe('without CACHE_TTL_SECONDS', () => {
  it('writes nothing, reads nothing and finds nothing', async () => {
    const reads: string[] = [];
    const { database } = watchedDatabase(stack.database, {
      beforeRead: (paths) => void reads.push(...paths),
    });
    const { url } = await stack.startServer({ CACHE_TTL_SECONDS: '' }, { database });
    const user = await newCacheUser();
    for (const key of ['a', 'b']) expect(isCached(await user.ask(key, {}, url))).toEqual([200, false]);
    expect(await findCacheItems(user.uid)).toEqual([]);
    expect(reads.filter((path) => path.startsWith('cache/'))).toEqual([]);
    expect(reads.filter((path) => path.startsWith('accounts/'))).toHaveLength(4);
    expect(await user.getStored('b')).toMatchObject({ cacheKey: null, cached: false });
  });
});

describe('the order of checks', () => {
  it('gives no hit to a suspended or invalid account', async () => {
    const { user } = await createTwins();
    await stack.edit(`accounts/${user.uid}`, { suspended: true });
    expect(getRefusal(await user.ask('b'))).toEqual([403, 'ACCOUNT_SUSPENDED']);
    await stack.edit(`accounts/${user.uid}`, { suspended: false, balance: 'many' });
    expect(getRefusal(await user.ask('b'))).toEqual([409, 'ACCOUNT_INVALID']);
    await stack.edit(`accounts/${user.uid}`, { balance: 18 });
    expect(isCached(await user.ask('b'))).toEqual([200, true]);
    await expectSound(user);
  });

  it('gives a hit to an account without credits', async () => {
    const { user } = await createTwins();
    await stack.edit(`accounts/${user.uid}`, { balance: 0 });
    expect(getRefusal(await user.ask('b', { prompt: 'Another' }))).toEqual([402, 'INSUFFICIENT_CREDITS']);
    const hit = await user.ask('c');
    expect([...isCached(hit), hit.body.receipt.balance]).toEqual([200, true, 0]);
    await expectSound(user);
  });

  it.each([
    ['the limit per minute', { MAX_PER_MINUTE_PER_USER: '1' }, [429, 'RATE_LIMITED']],
    ['the spend ceiling', { MAX_SPEND_PER_DAY_USD: '0' }, [503, 'SPEND_CEILING']],
  ])('gives a hit in spite of %s', async (_, env, refusal) => {
    const { user } = await createTwins();
    const { url } = await stack.startServer(env);
    expect(getRefusal(await user.ask('b', { prompt: 'Another' }, url))).toEqual(refusal);
    for (const key of ['c', 'd']) expect(isCached(await user.ask(key, {}, url))).toEqual([200, true]);
    await expectSound(user);
  });

  it('gives a hit in spite of the limit of images in flight, and does not count as one', async () => {
    const { user } = await createTwins('b', 'c', 'd', 'e');
    const { url } = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1' });
    const running = Object.fromEntries([[hashGenerationId(user.uid, 'x'), new Date(Date.now() + 600_000)]]);
    const { documents } = await stack.database.read([`accounts/${user.uid}`]);
    const [account] = documents;
    if (!account) throw new Error('There is no account');
    const { data, path } = account;
    await stack.database.commit([{ set: path, data: { ...data, active: running } }]);
    const pending = {
      ...(await user.getStored('a')),
      status: 'pending',
      deadline: running[Object.keys(running)[0] ?? ''],
    };
    await stack.database.commit([{ set: user.getPath('x'), data: pending }]);
    expect(getRefusal(await user.ask('y', { prompt: 'Another' }, url))).toEqual([429, 'RATE_LIMITED']);
    expect(isCached(await user.ask('f', {}, url))).toEqual([200, true]);
    expect(Object.keys((await stack.document(path))?.active as object)).toEqual(Object.keys(running));
  });

  it('gives a hit while the models are switched off', async () => {
    const { user } = await createTwins();
    await stack.edit('quota/all', { state: 'off' });
    const { url } = await stack.startServer();
    expect(getRefusal(await user.ask('b', { prompt: 'Another' }, url))).toEqual([503, 'PROVIDER_QUOTA']);
    expect(isCached(await user.ask('c', {}, url))).toEqual([200, true]);
    await stack.erase('quota/all');
    await expectSound(user);
  });
});
