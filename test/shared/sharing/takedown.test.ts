/** The studio removes an image everywhere, once and for good. The credits stay as they are. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { squarePng } from '../../support/pictures.ts';

type Studio = ReturnType<typeof createMemoryStudio>;
const reason = 'It shows a living person.';
const as = 'admin:root';

const takeDown = (studio: Studio, generationId: string, uid = 'ann') =>
  studio.call('takedown', { uid, generationId, reason }, { as });
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A studio with an image and its twin from the cache, both shared. */
async function createStudio(parts: Parameters<typeof createMemoryStudio>[0] = {}) {
  const studio = createMemoryStudio({
    imageGenerator: async () => ({ ...image(), chunks: [new Uint8Array(squarePng)] }),
    ...parts,
    env: { CACHE_TTL_SECONDS: '600' },
  });
  const ids: string[] = [];
  for (const key of ['a', 'b']) {
    const { id } = (await studio.generate(key, { prompt: 'A secret' })).body.generation;
    ids.push(id);
    await studio.call('share', { id, shared: true });
  }
  return { ...studio, ids: ids as [string, string] };
}

it('removes the image, all that show it, their words and their shares, in one commit', async () => {
  let commits = 0;
  const studio = await createStudio({
    faults: (real) => ({
      commit(writes) {
        commits += 1;
        return real.commit(writes);
      },
    }),
  });
  const before = studio.account();
  const pages = studio.documents('shares');
  expect([studio.assets.size, pages.length]).toEqual([3, 2]);
  commits = 0;
  const { status, body } = await takeDown(studio, studio.ids[1]);
  expect([status, body.generation]).toMatchObject([
    200,
    { status: 'deleted', prompt: null, image: null, removedBy: 'studio', removedReason: reason },
  ]);
  // One for the take-down, and one for each image that is gone from the store.
  expect(commits).toBe(1 + 3);
  const generations = studio.documents('accounts/ann/generations');
  for (const generation of generations) {
    expect(generation).toMatchObject({
      status: 'deleted',
      prompt: null,
      enhancedPrompt: null,
      image: null,
      removedBy: 'studio',
      removedReason: reason,
      shareToken: null,
    });
  }
  expect(JSON.stringify(generations)).not.toContain('A secret');
  expect([...studio.assets, ...studio.documents('shares'), ...studio.documents('outbox')]).toEqual([]);
  expect(studio.documents('cache')).toEqual([]);
  expect(studio.account()).toEqual(before);
});

it('tells the user who removed it and why', async () => {
  const studio = await createStudio();
  await takeDown(studio, studio.ids[0]);
  for (const id of studio.ids) {
    const { body } = await studio.get('generation', { id });
    expect(body.generation).toMatchObject({ removedBy: 'studio', removedReason: reason });
  }
  const again = await studio.generate('a', { prompt: 'A secret' });
  expect(toOutcome(again)).toEqual([410, 'DELETED']);
  expect(again.body.error.message).toBe('This image was removed by the studio.');
  const deleted = await createStudio();
  await deleted.deleteGeneration(deleted.ids[0]);
  const own = await deleted.get('generation', { id: deleted.ids[0] });
  expect(own.body.generation).not.toHaveProperty('removedBy');
  expect((await deleted.generate('a', { prompt: 'A secret' })).body.error.message).toBe(
    'This image was deleted.',
  );
});

it('records who did it and why, in the same commit and once', async () => {
  const studio = await createStudio();
  await takeDown(studio, studio.ids[0]);
  await takeDown(studio, studio.ids[0]);
  await takeDown(studio, studio.ids[1]);
  expect(studio.documents('adminActions')).toEqual([
    {
      action: 'takedown',
      actor: 'root',
      uid: 'ann',
      generationId: studio.ids[0],
      reason,
      createdAt: expect.any(Date),
    },
  ]);
});

describe('the hash of its bytes', () => {
  const data = squarePng.toString('base64');
  const references = [{ mimeType: 'image/png', data }];

  it('is kept, and an inline reference with it is refused before any debit', async () => {
    const studio = await createStudio();
    expect((await studio.generate('before', { references })).status).toBe(200);
    await takeDown(studio, studio.ids[0]);
    const { documents } = await (await studio.services.ledger()).database.read([
      `takedowns/${hash(squarePng)}`,
    ]);
    expect(documents[0]?.data).toMatchObject({ uid: 'ann', generationId: studio.ids[0], reason });
    const account = studio.account();
    const other = Buffer.concat([squarePng, Buffer.from('more')]).toString('base64');
    const both = [{ mimeType: 'image/png', data: other }, ...references];
    const answer = await studio.generate('after', { references: both });
    expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(answer.body.error.message).toBe('references.1.data was removed by the studio.');
    expect(studio.account()).toEqual(account);
    expect((await studio.generate('other', { references: [both[0]] })).status).toBe(200);
    // What was generated before is repeated as it was.
    expect((await studio.generate('before', { references })).status).toBe(200);
  });

  it('of an image without one in its document is that of the bytes in the store', async () => {
    const studio = await createStudio({ imageStore: { fetch: async () => Buffer.from(squarePng) } });
    const { database } = await studio.services.ledger();
    const path = `accounts/ann/generations/${studio.ids[0]}`;
    const [document] = (await database.read([path])).documents;
    const { imageHash: _, ...data } = document?.data ?? {};
    await database.commit([{ set: path, data }]);
    await takeDown(studio, studio.ids[0]);
    expect((await database.read([`takedowns/${hash(squarePng)}`])).documents[0]).toBeDefined();
  });
});

describe('any state of the image', () => {
  it('deleted by its user: marked, and the twins are gone', async () => {
    const studio = await createStudio();
    await studio.deleteGeneration(studio.ids[0]);
    expect((await takeDown(studio, studio.ids[0])).status).toBe(200);
    expect(studio.documents('accounts/ann/generations')).toMatchObject([
      { status: 'deleted', removedBy: 'studio' },
      { status: 'deleted', removedBy: 'studio' },
    ]);
    expect([...studio.assets, ...studio.documents('outbox')]).toEqual([]);
  });

  it('its twin deleted by the user, or its maker by an admin in the console', async () => {
    const first = await createStudio();
    await first.deleteGeneration(first.ids[0]);
    await takeDown(first, first.ids[1]);
    expect([...first.assets, ...first.documents('outbox')]).toEqual([]);

    const second = await createStudio();
    const { database } = await second.services.ledger();
    await database.commit([{ delete: `accounts/ann/generations/${second.ids[0]}` }]);
    await takeDown(second, second.ids[1]);
    // The share of the document that an admin deleted, too.
    expect([...second.assets, ...second.documents('shares')]).toEqual([]);
  });

  it('never finished, unknown, or of another user: not found', async () => {
    const studio = await createStudio();
    expect(toOutcome(await takeDown(studio, '0'.repeat(32)))).toEqual([404, 'NOT_FOUND']);
    expect(toOutcome(await takeDown(studio, studio.ids[0], 'bob'))).toEqual([404, 'NOT_FOUND']);
    const failing = createMemoryStudio({
      imageGenerator: async () => Promise.reject(new Failure('PROVIDER_ERROR', 'The model failed.')),
    });
    await failing.generate('k');
    const { body } = await failing.get('generation', { key: 'k' });
    expect(toOutcome(await takeDown(failing, body.generation.id))).toEqual([404, 'NOT_FOUND']);
    expect(failing.documents('adminActions')).toEqual([]);
  });

  it('still pending: in progress', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const studio = createMemoryStudio({
      imageGenerator: async () => {
        await promise;
        return image();
      },
    });
    const pending = studio.generate('k');
    await new Promise((wait) => setTimeout(wait, 0));
    await expect.poll(() => studio.documents('accounts/ann/generations').length).toBe(1);
    const { body } = await studio.get('generation', { key: 'k' });
    expect(toOutcome(await takeDown(studio, body.generation.id))).toEqual([409, 'IN_PROGRESS']);
    resolve();
    expect((await pending).status).toBe(200);
  });
});

it('finishes what a crash left, when it is repeated', async () => {
  const world = createMemoryWorld();
  let isDead = false;
  const studio = await createStudio({
    world,
    imageStore: { destroy: () => (isDead ? new Promise(() => {}) : Promise.resolve(true)) },
  });
  isDead = true;
  void takeDown(studio, studio.ids[1]);
  await expect.poll(() => studio.documents('adminActions').length).toBe(1);
  expect(studio.documents('outbox')).toHaveLength(3);
  const destroyed: string[] = [];
  const other = createMemoryStudio({
    world,
    imageStore: {
      destroy: async (publicId) => {
        destroyed.push(publicId);
        return true;
      },
    },
  });
  expect((await takeDown(other, studio.ids[1])).status).toBe(200);
  expect(destroyed).toEqual([expect.stringMatching(/^[0-9a-f]{32}\//)]);
  await other.call('sweepHolds', {}, { as: 'scheduler' });
  expect(new Set(destroyed).size).toBe(3);
  expect(other.documents('outbox')).toEqual([]);
});

it('meets a share and a deletion at the same moment: nothing stays', async () => {
  for (const racer of ['share', 'delete', 'twin'] as const) {
    const world = createMemoryWorld();
    const studio = await createStudio({ world });
    const [id] = studio.ids;
    const race = {
      share: () => studio.call('share', { id, shared: false }),
      delete: () => studio.deleteGeneration(id),
      twin: () => studio.generate('c', { prompt: 'A secret' }),
    };
    let raced: Promise<unknown> | undefined;
    const slow = createMemoryStudio({
      world,
      imageStore: { destroy: async (publicId) => studio.assets.delete(publicId) },
      faults: (real) => ({
        async commit(writes) {
          // Before the commit of the take-down.
          raced ??= race[racer]();
          await raced;
          return real.commit(writes);
        },
      }),
    });
    expect((await takeDown(slow, id)).status).toBe(200);
    const shown = studio.documents('accounts/ann/generations').filter(({ status }) => status === 'succeeded');
    expect([racer, shown, [...studio.assets]]).toEqual([racer, [], []]);
  }
});

it('removes a twin whose document is spoilt too, and its share', async () => {
  const studio = await createStudio();
  const [id, spoilt] = studio.ids;
  studio.edit(`accounts/ann/generations/${spoilt}`, { tier: 5, cacheKey: 7 });
  expect((await takeDown(studio, id)).status).toBe(200);
  for (const generation of studio.documents('accounts/ann/generations')) {
    expect(generation).toMatchObject({ status: 'deleted', prompt: null, image: null, removedBy: 'studio' });
  }
  expect([studio.documents('shares'), [...studio.assets]]).toEqual([[], []]);
});

it('needs a reason', async () => {
  const studio = await createStudio();
  for (const body of [{}, { reason: ' ' }, { reason: 'x'.repeat(501) }, { reason: 'a\u0000b' }]) {
    const answer = await studio.call(
      'takedown',
      { uid: 'ann', generationId: studio.ids[0], ...body },
      { as },
    );
    expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
  }
});
