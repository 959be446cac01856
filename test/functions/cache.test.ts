/** The cache: the same request again costs nothing, and twins share one image that the last of them takes along. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationSchema } from '../../shared/contract.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants, missingImages, strayImages } from '../support/invariants.ts';
import { onePixelPng } from '../support/pictures.ts';
import { refusalOf, runJob } from '../support/scheduler.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';
import { type Hooks, lostReply, newGeneration, once, watchedDatabase } from '../support/watchedDatabase.ts';

const uids: string[] = [];
let stack: Stack;
/** A second server on the same database, whose commits a test can step in between. */
let other: { url: string; close: () => Promise<void> };
const hooks: Hooks = {};
const servers: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  stack = await startStack({ CACHE_TTL_SECONDS: '3600' });
  other = await startServer({}, { database: watchedDatabase(stack.database, hooks).database });
  stack.gemini.always(geminiFault.blank());
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
});
beforeEach(() => {
  for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
});

async function startServer(...args: Parameters<Stack['startServer']>) {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server;
}

const reference = (bytes: Buffer) => ({ mimeType: 'image/png', data: bytes.toString('base64') });
const imageRequest = {
  prompt: 'The same banana',
  tier: 'premium2',
  orientation: 'landscape',
  enhance: false,
  references: [reference(onePixelPng)],
};
const painted = () => stack.gemini.requests.length;

/** A user, and how that user asks for the same again and again. */
async function newUser(credits = 20) {
  const uid = `user-${uids.length}`;
  uids.push(uid);
  const user = await stack.user(uid, credits);
  const path = (key: string) => `accounts/${uid}/generations/${hashGenerationId(uid, key)}`;
  return {
    ...user,
    path,
    ask: (key: string, more: Record<string, unknown> = {}, url?: string) =>
      user.generate(key, { ...imageRequest, ...more }, url),
    remove: (key: string, url?: string) =>
      user.post('deleteGeneration', { id: hashGenerationId(uid, key) }, {}, url),
    stored: (key: string) => stack.document(path(key)),
  };
}
type Asker = Awaited<ReturnType<typeof newUser>>;

/** A user with one painted image under `a`, and twins of it under the other keys. */
async function twins(...keys: string[]) {
  const user = await newUser();
  const first = await user.ask('a');
  expect([first.status, first.body.generation.cached]).toEqual([200, false]);
  for (const key of keys) expect((await user.ask(key)).body.generation.cached).toBe(true);
  const { publicId } = (await user.stored('a')) as { publicId: string };
  return { user, first, publicId, url: first.body.generation.image.url as string };
}

async function cacheItems(uid: string) {
  const page = { collection: 'cache', orderBy: [['__name__', 'asc']] as const, limit: 1_000 };
  const { documents } = await stack.database.page(page);
  return documents.filter(({ data }) => data.uid === uid);
}

async function expectWhole(user: Asker) {
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  expect(await strayImages(stack, [user.uid])).toEqual([]);
  expect(await missingImages(stack, [user.uid])).toEqual([]);
}

const destroys = (publicId: string) =>
  stack.cloudinary.requests.filter(
    (request) => request.action === 'destroy' && request.publicId === publicId,
  );
const isCached = ({ status, body }: Reply) => [status, body.generation?.cached];

describe('a hit', () => {
  it('costs nothing, and is an item of its own with the same image', async () => {
    const user = await newUser();
    const first = await user.ask('a');
    const before = painted();
    const accountBefore = (await stack.ledger(user.uid)).account;
    const hit = await user.ask('b');

    expect([hit.status, painted()]).toEqual([200, before]);
    expect(hit.headers.get('idempotent-replayed')).toBeNull();
    expect(generationSchema.parse(hit.body.generation)).toEqual({
      ...first.body.generation,
      id: hashGenerationId(user.uid, 'b'),
      cached: true,
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
    expect(await user.stored('b')).toMatchObject({ credits: 0, providerCostMicros: 0, status: 'succeeded' });
    await expectWhole(user);
  });

  it('may be asked again by its key, and is told again', async () => {
    const { user } = await twins();
    const hit = await user.ask('b');
    const again = await user.ask('b');
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(again.body).toEqual(hit.body);
    expect(refusalOf(await user.ask('b', { prompt: 'Another' }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await user.stored('a'))?.sharers).toHaveLength(2);
    for (const query of [`id=${hit.body.generation.id}`, 'key=b']) {
      expect((await user.get(`generation?${query}`)).body.generation).toEqual(hit.body.generation);
    }
    await expectWhole(user);
  });

  it('is one generation, however often its key is asked with at once', async () => {
    const { user } = await twins();
    const before = painted();
    const ask = (_: unknown, i: number) => user.ask('b', {}, i % 2 ? other.url : undefined);
    const answers = await Promise.all(Array.from({ length: 6 }, ask));
    expect(answers.map(isCached)).toEqual(Array(6).fill([200, true]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await user.stored('a'))?.sharers).toHaveLength(2);
    expect(painted()).toBe(before);
    await expectWhole(user);
  });

  it('of many at once with keys of their own, each is a twin', async () => {
    const { user } = await twins();
    const before = painted();
    const ask = (_: unknown, i: number) => user.ask(`b${i}`, {}, i % 2 ? other.url : undefined);
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    expect(answers.map(isCached)).toEqual(Array(8).fill([200, true]));
    expect(new Set((await user.stored('a'))?.sharers as string[]).size).toBe(9);
    expect(painted()).toBe(before);
    await expectWhole(user);
  });

  it('records what an admin did in the console', async () => {
    const { user } = await twins();
    await stack.edit(`accounts/${user.uid}`, { balance: 74, note: 'a prize' });
    const hit = await user.ask('b');
    expect(isCached(hit)).toEqual([200, true]);
    expect(hit.body.receipt).toEqual({ charged: 0, refunded: 0, balance: 74, sequence: 3 });
    expect((await stack.ledger(user.uid)).entries.at(-1)).toMatchObject({
      type: 'adjustment',
      amount: 56,
      reason: 'a prize',
    });
    await expectWhole(user);
  });

  it('is its own after its reply was lost: nothing is painted, nothing is made twice', async () => {
    const { user } = await twins();
    const before = painted();
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
    expect(painted()).toBe(before);
    expect((await user.stored('a'))?.sharers).toHaveLength(2);
    await expectWhole(user);
  });
});

describe('a request is painted anew', () => {
  it.each([
    ['with another prompt', { prompt: 'The same banana.' }],
    ['with another tier', { tier: 'premium4' }],
    ['with another orientation', { orientation: 'portrait' }],
    ['with a better prompt', { enhance: true }],
    ['without references', { references: [] }],
    ['with its reference twice', { references: [reference(onePixelPng), reference(onePixelPng)] }],
    ['with `fresh`', { fresh: true }],
  ])('%s', async (_, more) => {
    const { user } = await twins();
    const answer = await user.ask('b', more);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.receipt.charged).toBeGreaterThan(0);
    await expectWhole(user);
  });

  it('by another user', async () => {
    await twins();
    const stranger = await newUser();
    expect(isCached(await stranger.ask('a'))).toEqual([200, false]);
  });

  it('by another model', async () => {
    const { user } = await twins();
    const { url } = await startServer({ IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' });
    const answer = await user.ask('b', {}, url);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.generation.model).toBe('gemini-nano-banana-2.1');
    expect((await user.ask('c', {}, url)).body.generation).toMatchObject({
      cached: true,
      model: 'gemini-nano-banana-2.1',
    });
  });

  it('once its time has passed, by the clock of the database', async () => {
    const { user, first } = await twins();
    const [item] = await cacheItems(user.uid);
    const lastsMs = Number(item?.data.expiresAt) - Date.parse(first.body.generation.createdAt);
    expect(Math.abs(lastsMs - 3_600_000)).toBeLessThan(60_000);
    await stack.edit(item?.path ?? '', { expiresAt: new Date() });
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
    const hit = await user.ask('c');
    expect(isCached(hit)).toEqual([200, true]);
    expect((await user.stored('c'))?.imageOwner).toBe(hashGenerationId(user.uid, 'b'));
    await expectWhole(user);
  });

  it('after `fresh`, with the newer image in its place', async () => {
    const { user } = await twins();
    const fresh = await user.ask('b', { fresh: true });
    const hit = await user.ask('c');
    expect(hit.body.generation.image).toEqual(fresh.body.generation.image);
    await expectWhole(user);
  });

  it('when one that failed was asked for before', async () => {
    const user = await newUser();
    stack.gemini.script(geminiFault.noImage('SAFETY'));
    expect((await user.ask('a')).status).toBe(422);
    expect(await cacheItems(user.uid)).toEqual([]);
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
  });

  it('where the same is asked for at once with different keys: both are paid', async () => {
    const user = await newUser();
    const before = painted();
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
    expect(painted()).toBe(before + 2);
    expect(await cacheItems(user.uid)).toHaveLength(1);
    await expectWhole(user);
  });

  it('where the item points nowhere', async () => {
    const { user } = await twins();
    const [item] = await cacheItems(user.uid);
    await stack.edit(item?.path ?? '', { generationId: 'f'.repeat(32) });
    expect(isCached(await user.ask('b'))).toEqual([200, false]);
    await stack.edit(item?.path ?? '', { generationId: null });
    expect(isCached(await user.ask('c'))).toEqual([200, false]);
    await expectWhole(user);
  });
});

describe('switched off, as it is by default', () => {
  it('it writes nothing, reads nothing and finds nothing', async () => {
    const reads: string[] = [];
    const { database } = watchedDatabase(stack.database, {
      beforeRead: (paths) => void reads.push(...paths),
    });
    const { url } = await startServer({ CACHE_TTL_SECONDS: '' }, { database });
    const user = await newUser();
    for (const key of ['a', 'b']) expect(isCached(await user.ask(key, {}, url))).toEqual([200, false]);
    expect(await cacheItems(user.uid)).toEqual([]);
    expect(reads.filter((path) => path.startsWith('cache/'))).toEqual([]);
    expect(reads.filter((path) => path.startsWith('accounts/'))).toHaveLength(4);
    expect(await user.stored('b')).toMatchObject({ cacheKey: null, cached: false });
  });
});

describe('the order of checks', () => {
  it('a suspended or invalid account gets no hit', async () => {
    const { user } = await twins();
    await stack.edit(`accounts/${user.uid}`, { suspended: true });
    expect(refusalOf(await user.ask('b'))).toEqual([403, 'ACCOUNT_SUSPENDED']);
    await stack.edit(`accounts/${user.uid}`, { suspended: false, balance: 'many' });
    expect(refusalOf(await user.ask('b'))).toEqual([409, 'ACCOUNT_INVALID']);
    await stack.edit(`accounts/${user.uid}`, { balance: 18 });
    expect(isCached(await user.ask('b'))).toEqual([200, true]);
    await expectWhole(user);
  });

  it('one without credits gets its hit, and nothing else', async () => {
    const { user } = await twins();
    await stack.edit(`accounts/${user.uid}`, { balance: 0 });
    expect(refusalOf(await user.ask('b', { prompt: 'Another' }))).toEqual([402, 'INSUFFICIENT_CREDITS']);
    const hit = await user.ask('c');
    expect([...isCached(hit), hit.body.receipt.balance]).toEqual([200, true, 0]);
    await expectWhole(user);
  });

  it.each([
    ['the limit per minute', { MAX_PER_MINUTE_PER_USER: '1' }, [429, 'RATE_LIMITED']],
    ['the spend ceiling', { MAX_SPEND_PER_DAY_USD: '0' }, [503, 'SPEND_CEILING']],
  ])('%s does not stop a hit', async (_, env, refusal) => {
    const { user } = await twins();
    const { url } = await startServer(env);
    expect(refusalOf(await user.ask('b', { prompt: 'Another' }, url))).toEqual(refusal);
    for (const key of ['c', 'd']) expect(isCached(await user.ask(key, {}, url))).toEqual([200, true]);
    await expectWhole(user);
  });

  it('nor does the limit of images in flight, nor is a hit one of them', async () => {
    const { user } = await twins('b', 'c', 'd', 'e');
    const { url } = await startServer({ MAX_IN_FLIGHT_PER_USER: '1' });
    const running = Object.fromEntries([[hashGenerationId(user.uid, 'x'), new Date(Date.now() + 600_000)]]);
    const { documents } = await stack.database.read([`accounts/${user.uid}`]);
    const [account] = documents;
    if (!account) throw new Error('There is no account');
    const { data, path } = account;
    await stack.database.commit([{ set: path, data: { ...data, active: running } }]);
    const pending = {
      ...(await user.stored('a')),
      status: 'pending',
      deadline: running[Object.keys(running)[0] ?? ''],
    };
    await stack.database.commit([{ set: user.path('x'), data: pending }]);
    expect(refusalOf(await user.ask('y', { prompt: 'Another' }, url))).toEqual([429, 'RATE_LIMITED']);
    expect(isCached(await user.ask('f', {}, url))).toEqual([200, true]);
    expect(Object.keys((await stack.document(path))?.active as object)).toEqual(Object.keys(running));
  });

  it('nor do models that are used up or off', async () => {
    const { user } = await twins();
    await stack.edit('quota/all', { state: 'off' });
    const { url } = await startServer();
    expect(refusalOf(await user.ask('b', { prompt: 'Another' }, url))).toEqual([503, 'PROVIDER_QUOTA']);
    expect(isCached(await user.ask('c', {}, url))).toEqual([200, true]);
    await stack.erase('quota/all');
    await expectWhole(user);
  });
});

describe('deleting twins', () => {
  const orders = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'].map((keys) => [...keys]);

  it.each(orders)('%s, %s, %s: the image is whole until the last takes it along', async (...order) => {
    const { user, publicId, url } = await twins('b', 'c');
    for (const [i, key] of order.entries()) {
      expect((await fetch(url)).status).toBe(200);
      const removed = await user.remove(key);
      expect(removed.body.generation).toMatchObject({ status: 'deleted', image: null, prompt: null });
      const left = order.slice(i + 1);
      const shown = (await user.get('gallery')).body.generations as { id: string; image: { url: string } }[];
      expect(shown.map(({ id }) => id).sort()).toEqual(
        left.map((each) => hashGenerationId(user.uid, each)).sort(),
      );
      for (const { image } of shown) expect(image.url).toBe(url);
      expect(destroys(publicId)).toHaveLength(left.length === 0 ? 1 : 0);
      await expectWhole(user);
    }
    expect((await fetch(url)).status).toBe(404);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(await stack.document(`outbox/${hashGenerationId(user.uid, 'a')}`)).toBeUndefined();
    expect((await user.stored('a'))?.sharers).toEqual([]);
    for (const key of order) expect((await user.remove(key)).status).toBe(200);
    expect(destroys(publicId)).toHaveLength(1);
  });

  it('all at once leaves no stray image and counts none twice', async () => {
    const keys = ['b', 'c', 'd', 'e', 'f'];
    const { user, publicId } = await twins(...keys);
    const answers = await Promise.all(
      ['a', ...keys].map((key, i) => user.remove(key, i % 2 ? other.url : undefined)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect((await user.stored('a'))?.sharers).toEqual([]);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(destroys(publicId)).toHaveLength(1);
    expect(await stack.document(`outbox/${hashGenerationId(user.uid, 'a')}`)).toBeUndefined();
    await expectWhole(user);
  });

  it.each([
    ['the twin', 'the original', 'b', 'a'],
    ['the original', 'a twin', 'a', 'b'],
    ['a twin', 'another twin', 'b', 'c'],
  ])('%s while %s is being deleted elsewhere: both are told, neither is forgotten', async (...names) => {
    const [, , first, second] = names;
    const { user, publicId } = await twins('b', 'c');
    hooks.beforeCommit = once(
      () => true,
      async () => void expect((await user.remove(second)).status).toBe(200),
    );
    expect((await user.remove(first, other.url)).status).toBe(200);
    const left = ['a', 'b', 'c'].filter((key) => key !== first && key !== second);
    expect((await user.stored('a'))?.sharers).toEqual(left.map((key) => hashGenerationId(user.uid, key)));
    expect(stack.cloudinary.assets.has(publicId)).toBe(true);
    await expectWhole(user);
    for (const key of left) await user.remove(key);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectWhole(user);
  });

  it('leaves the others whole even where the document with their list was deleted in the console', async () => {
    const { user, publicId, url } = await twins('b', 'c');
    await stack.erase(user.path('a'));
    expect((await user.remove('b')).body.generation.status).toBe('deleted');
    expect((await fetch(url)).status).toBe(200);
    expect(await missingImages(stack, [user.uid])).toEqual([]);
    expect((await user.remove('c')).body.generation.status).toBe('deleted');
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(destroys(publicId)).toHaveLength(1);
  });

  it('removes the cache item: the prompt is painted anew', async () => {
    const { user } = await twins('b');
    await user.remove('a');
    expect(await cacheItems(user.uid)).toEqual([]);
    const anew = await user.ask('c');
    expect(isCached(anew)).toEqual([200, false]);
    expect(anew.body.receipt).toMatchObject({ charged: 2, balance: 16 });
    await expectWhole(user);
  });

  it('answers their keys with 410, and paints none of them again', async () => {
    const { user } = await twins('b');
    for (const key of ['a', 'b']) await user.remove(key);
    const before = painted();
    for (const key of ['a', 'b']) {
      const answer = await user.ask(key);
      expect(refusalOf(answer)).toEqual([410, 'DELETED']);
      expect(answer.body.receipt.charged).toBe(key === 'a' ? 2 : 0);
    }
    expect(painted()).toBe(before);
  });

  it('leaves the image to the sweep where the store fails, or the reply is lost', async () => {
    const { user, publicId } = await twins('b');
    await user.remove('a');
    stack.cloudinary.script({ action: 'destroy', ...cloudinaryFault.error(500) });
    expect((await user.remove('b')).status).toBe(200);
    const path = `outbox/${hashGenerationId(user.uid, 'a')}`;
    expect(await stack.document(path)).toMatchObject({ publicId });
    await expectWhole(user);

    const lost = await twins('b');
    await lost.user.remove('b');
    hooks.afterCommit = once(
      () => true,
      () => {
        throw lostReply();
      },
    );
    expect((await lost.user.remove('a', other.url)).status).toBe(200);
    expect((await stack.document(`outbox/${hashGenerationId(lost.user.uid, 'a')}`))?.publicId).toBe(
      lost.publicId,
    );
    await stack.edit(path, { dueAt: new Date(0) });
    expect((await runJob(stack, 'sweepHolds')).body.deletedAssets).toBe(2);
    for (const id of [publicId, lost.publicId]) expect(stack.cloudinary.assets.has(id)).toBe(false);
  });
});

describe('a hit against a delete of its source', () => {
  it('deleted between reading and committing: the hit is painted anew', async () => {
    const { user, publicId } = await twins();
    hooks.beforeCommit = once(
      (writes) => newGeneration(writes)?.cached === true,
      async () => void expect((await user.remove('a')).status).toBe(200),
    );
    const answer = await user.ask('b', {}, other.url);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.receipt).toMatchObject({ charged: 2, balance: 16 });
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectWhole(user);
  });

  it('hit while it is being deleted: the image stays for the hit', async () => {
    const { user, publicId } = await twins();
    hooks.beforeCommit = once(
      () => true,
      async () => void expect(isCached(await user.ask('b'))).toEqual([200, true]),
    );
    expect((await user.remove('a', other.url)).body.generation.status).toBe('deleted');
    expect(stack.cloudinary.assets.has(publicId)).toBe(true);
    await expectWhole(user);
    await user.remove('b');
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectWhole(user);
  });

  it('however many there are at once', async () => {
    const { user } = await twins('b');
    const work = [
      ...['c', 'd', 'e', 'f'].map((key, i) => user.ask(key, {}, i % 2 ? other.url : undefined)),
      user.remove('a', other.url),
      user.remove('b'),
    ];
    const answers = await Promise.all(work);
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    await expectWhole(user);
    for (const key of ['c', 'd', 'e', 'f']) await user.remove(key);
    expect((await user.get('gallery')).body.generations).toEqual([]);
    await expectWhole(user);
    const theirs = (await stack.ledger(user.uid)).generations.map(({ publicId }) => publicId);
    expect(theirs.filter((id) => stack.cloudinary.assets.has(id))).toEqual([]);
  });
});
