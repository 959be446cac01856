/** Favourites: which images can be marked, and what finds them. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

const toId = (key: string) => hashGenerationId('ann', key);

/** A studio in which the images under these keys are finished, one a second. */
async function createFavourites(
  keys: string[],
  parts: Partial<Parameters<typeof createMemoryStudio>[0]> = {},
) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, ...parts });
  for (const key of keys) {
    world.advance(1_000);
    await studio.generate(key, { prompt: `A fox ${key}` });
  }
  const mark = (key: string, favourite = true, more: object = {}) =>
    studio.call('favourite', { id: toId(key), favourite }, more);
  const found = async (query: Record<string, string> = {}) =>
    ((await studio.get('gallery', { favourite: 'true', ...query })).body.generations as { id: string }[]).map(
      ({ id }) => id,
    );
  return { ...studio, world, mark, found };
}

describe('favourite', () => {
  it('marks an image, and takes the mark away, however often it is called', async () => {
    const { mark, found, get, generate } = await createFavourites(['a', 'b', 'c']);
    expect((await get('generation', { key: 'a' })).body.generation.favourite).toBe(false);
    const first = await mark('a');
    expect(first.status).toBe(200);
    expect(first.body.generation).toMatchObject({ id: toId('a'), favourite: true });
    expect(await mark('a')).toEqual(first);
    await mark('c');
    expect(await found()).toEqual([toId('c'), toId('a')]);
    expect((await get('generation', { key: 'a' })).body.generation.favourite).toBe(true);
    expect((await generate('a', { prompt: 'A fox a' })).body.generation.favourite).toBe(true);
    for (let i = 0; i < 2; i += 1) expect((await mark('a', false)).body.generation.favourite).toBe(false);
    expect(await found()).toEqual([toId('c')]);
  });

  it('can be combined with a search and with pages', async () => {
    const { mark, get, found } = await createFavourites(['a', 'b', 'c', 'd']);
    for (const key of ['a', 'b', 'd']) await mark(key);
    expect(await found({ query: 'fox b' })).toEqual([toId('b')]);
    expect(await found({ query: 'c' })).toEqual([]);
    const first = (await get('gallery', { favourite: 'true', query: 'fox', pageSize: '2' })).body;
    expect(first.generations.map(({ id }: { id: string }) => id)).toEqual([toId('d'), toId('b')]);
    const pageToken = first.nextPageToken;
    expect(await found({ query: 'fox', pageSize: '2', pageToken })).toEqual([toId('a')]);
  });

  it('writes nothing if the image is already marked', async () => {
    const commits: unknown[] = [];
    const { mark } = await createFavourites(['a'], {
      faults: (database) => ({
        commit(writes) {
          commits.push(writes);
          return database.commit(writes);
        },
      }),
    });
    await mark('a', false);
    commits.length = 0;
    for (let i = 0; i < 2; i += 1) await mark('a');
    expect(commits).toHaveLength(1);
  });

  it('marks the image although the reply of the commit is lost', async () => {
    let isLost = false;
    const { mark } = await createFavourites(['a'], {
      faults: (database) => ({
        async commit(writes) {
          const version = await database.commit(writes);
          if (!isLost && JSON.stringify(writes).includes('"favourite":true')) {
            isLost = true;
            throw lostReply();
          }
          return version;
        },
      }),
    });
    expect((await mark('a')).body.generation.favourite).toBe(true);
    expect(isLost).toBe(true);
  });

  it('is only for a finished image of the caller', async () => {
    const { mark, deleteGeneration } = await createFavourites(['a', 'failed'], {
      async imageGenerator(request) {
        if (JSON.stringify(request).includes('failed')) throw new Failure('NO_IMAGE', 'No image.');
        return image();
      },
    });
    expect(toOutcome(await mark('failed'))).toEqual([404, 'NOT_FOUND']);
    expect(toOutcome(await mark('never'))).toEqual([404, 'NOT_FOUND']);
    expect(toOutcome(await mark('a', true, { as: 'user:bob' }))).toEqual([404, 'NOT_FOUND']);
    await deleteGeneration(toId('a'));
    for (const favourite of [true, false]) {
      expect(toOutcome(await mark('a', favourite))).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('is not for an image that is still being generated', async () => {
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof image>>();
    const studio = await createFavourites([], { imageGenerator: () => promise });
    const running = studio.generate('a');
    await expect.poll(() => studio.documents('accounts/ann/generations')).toHaveLength(1);
    expect(toOutcome(await studio.mark('a'))).toEqual([404, 'NOT_FOUND']);
    resolve(image());
    expect((await running).body.generation.favourite).toBe(false);
  });

  it('leaves twins of the image as they are, made before or after', async () => {
    const studio = createMemoryStudio({ env: { CACHE_TTL_SECONDS: '600' } });
    await studio.generate('a');
    await studio.generate('b');
    await studio.call('favourite', { id: toId('a'), favourite: true });
    expect((await studio.generate('c')).body.generation).toMatchObject({ cached: true, favourite: false });
    expect((await studio.get('generation', { key: 'b' })).body.generation.favourite).toBe(false);
  });

  it.each([
    {},
    { favourite: true },
    { id: toId('a') },
    { id: toId('a'), favourite: 'true' },
    { id: toId('a'), favourite: null },
  ])('refuses %j', async (body) => {
    const studio = createMemoryStudio({});
    expect(toOutcome(await studio.call('favourite', body))).toEqual([400, 'INVALID_REQUEST']);
  });
});
