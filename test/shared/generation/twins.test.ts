/** The image of twins is deleted with the last of them, whatever documents an admin has deleted in the console. */
import { expect, it } from 'vitest';
import { removed, type Write } from '../../../shared/database/database.ts';
import { generationPath, hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

const toId = (key: string) => hashGenerationId('ann', key);
const isDeletion = (writes: readonly Write[]) =>
  writes.some((write) => 'update' in write && write.data.status === 'deleted');

/** Two instances, an image under the key `a`, and twins of it. `meanwhile` runs before the first deletion commits. */
async function createTwins(...keys: string[]) {
  const world = createMemoryWorld();
  const destroyed: string[] = [];
  const hooks: { meanwhile?: (() => Promise<unknown>) | undefined } = {};
  const parts = {
    world,
    env: { CACHE_TTL_SECONDS: '3600' },
    imageStore: {
      async destroy(publicId: string) {
        destroyed.push(publicId);
        return true;
      },
    },
  };
  const studio = createMemoryStudio({
    ...parts,
    faults: (database) => ({
      async commit(writes) {
        const { meanwhile } = hooks;
        if (meanwhile && isDeletion(writes)) {
          hooks.meanwhile = undefined;
          await meanwhile();
        }
        return database.commit(writes);
      },
    }),
  });
  const other = createMemoryStudio(parts);
  for (const key of ['a', ...keys]) await studio.generate(key);
  expect(studio.generated()).toBe(1);
  return {
    studio,
    other,
    hooks,
    destroyed,
    image: studio.stored[0],
    remove: async (key: string, by = studio) => {
      expect((await by.deleteGeneration(toId(key))).status).toBe(200);
    },
    eraseInConsole: (key: string) => world.store.commit([{ delete: generationPath('ann', toId(key)) }]),
  };
}

it.each([
  ['two', ['b', 'c']],
  ['three', ['b', 'c', 'd']],
])('%s twins that are deleted at once, after the document of their source was deleted', async (_, keys) => {
  const { other, hooks, destroyed, image, remove, eraseInConsole } = await createTwins(...keys);
  eraseInConsole('a');
  const [first = '', ...rest] = keys;
  hooks.meanwhile = async () => {
    for (const key of rest) await remove(key, other);
  };
  await remove(first);
  expect(destroyed).toEqual([image]);
});

it('keeps the image for a twin that stays, although its source and another twin are gone', async () => {
  const { studio, other, hooks, destroyed, image, remove, eraseInConsole } = await createTwins('b', 'c', 'd');
  eraseInConsole('a');
  hooks.meanwhile = () => remove('c', other);
  await remove('b');
  expect(destroyed).toEqual([]);
  // The cache returns no image of a source that is gone.
  expect((await studio.generate('e')).body.generation.cached).toBe(false);
  await remove('d');
  expect(destroyed).toEqual([image]);
});

it('deletes the image although the list of sharers names a twin that was deleted in the console', async () => {
  const { destroyed, image, remove, eraseInConsole } = await createTwins('b', 'c');
  eraseInConsole('b');
  await remove('a');
  expect(destroyed).toEqual([]);
  await remove('c');
  expect(destroyed).toEqual([image]);
});

it('decides again if the last other twin is deleted in the console meanwhile', async () => {
  const { hooks, destroyed, image, remove, eraseInConsole } = await createTwins('b');
  hooks.meanwhile = async () => eraseInConsole('b');
  await remove('a');
  expect(destroyed).toEqual([image]);
});

it.each([{ prompt: 5 }, { status: 5 }])('keeps the image for a source spoilt with %o', async (edit) => {
  const { studio, destroyed, image, remove } = await createTwins('b', 'c');
  studio.edit(generationPath('ann', toId('a')), edit);
  await remove('b');
  await remove('c');
  expect(destroyed).toEqual([]);
  await remove('a');
  expect(destroyed).toEqual([image]);
});

it('does not believe a list that began again after an admin had removed it', async () => {
  const { studio, destroyed, image, remove } = await createTwins('b');
  studio.edit(generationPath('ann', toId('a')), { sharers: removed });
  expect((await studio.generate('c')).body.generation.cached).toBe(true);
  await remove('c');
  await remove('a');
  expect(destroyed).toEqual([]);
  await remove('b');
  expect(destroyed).toEqual([image]);
});

it('a list that began again is not believed after its source is gone', async () => {
  const { studio, destroyed, image, remove } = await createTwins('b');
  studio.edit(generationPath('ann', toId('a')), { sharers: removed });
  await studio.generate('c');
  await remove('a');
  await remove('c');
  expect(destroyed).toEqual([]);
  await remove('b');
  expect(destroyed).toEqual([image]);
});

it('a twin that the list still names keeps no image that it does not show', async () => {
  const { studio, destroyed, image, remove, eraseInConsole } = await createTwins('b');
  eraseInConsole('b');
  await studio.generate('b', { fresh: true });
  await remove('a');
  expect(destroyed).toEqual([image]);
});

it('keeps the image of a twin whose source was settled, erased in the console and refunded', async () => {
  const world = createMemoryWorld();
  const destroyed: string[] = [];
  let isLost = false;
  const parts = {
    world,
    env: { CACHE_TTL_SECONDS: '3600' },
    imageStore: {
      async destroy(publicId: string) {
        destroyed.push(publicId);
        return true;
      },
    },
  };
  const other = createMemoryStudio(parts);
  const studio = createMemoryStudio({
    ...parts,
    faults: (database) => ({
      async commit(writes) {
        const version = await database.commit(writes);
        const isSettling = writes.some((write) => 'update' in write && write.data.status === 'succeeded');
        if (!isSettling) return version;
        isLost = true;
        expect((await other.generate('twin')).body.generation.cached).toBe(true);
        world.store.commit([{ delete: generationPath('ann', toId('a')) }]);
        throw lostReply();
      },
    }),
  });
  const { receipt } = (await studio.generate('a')).body;
  expect([isLost, receipt]).toEqual([true, { charged: 1, refunded: 1, balance: 100, sequence: 3 }]);
  for (let i = 0; i < 3; i += 1) {
    await studio.sweep();
    world.advance(3_600_000);
  }
  expect([destroyed, studio.documents('outbox')]).toEqual([[], []]);
  expect((await studio.deleteGeneration(toId('twin'))).status).toBe(200);
  expect(destroyed).toEqual(studio.stored);
});
