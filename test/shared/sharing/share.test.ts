/** A share shows a copy of an image, and no copy outlives its share, whatever fails or races. */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { fc } from '../../support/properties.ts';

const hour = 3_600_000;
type Studio = ReturnType<typeof createMemoryStudio>;

const share = (studio: Studio, id: string, shared = true) => studio.call('share', { id, shared });
const sweep = (studio: Studio) => studio.call('sweepHolds', {}, { as: 'scheduler' });
const toToken = (shareUrl: string | undefined) => shareUrl?.split('/').at(-1) ?? '';
const copies = ({ assets }: Studio) => [...assets].filter((name) => name.startsWith('shares/'));

/** A studio with one finished image. */
async function createStudio(parts: Parameters<typeof createMemoryStudio>[0] = {}) {
  const world = parts.world ?? createMemoryWorld();
  const studio = createMemoryStudio({ ...parts, world, env: { PUBLIC_URL: 'https://studio.example' } });
  const { id } = (await studio.generate('k')).body.generation;
  return { ...studio, world, id };
}

describe('a shared image', () => {
  it('has one address that nobody can guess, wherever its generation is shown', async () => {
    const studio = await createStudio();
    const { status, body } = await share(studio, studio.id);
    const { shareUrl } = body.generation;
    expect([status, shareUrl]).toEqual([
      200,
      expect.stringMatching(/^https:\/\/studio\.example\/i\/[\w-]{22}$/),
    ]);
    expect((await share(studio, studio.id)).body).toEqual(body);
    expect((await studio.generate('k')).body.generation.shareUrl).toBe(shareUrl);
    const { body: found } = await studio.get('generation', { id: studio.id });
    expect(found.generation.shareUrl).toBe(shareUrl);
    expect(copies(studio)).toEqual([`shares/${toToken(shareUrl)}`]);
    expect(studio.documents('outbox')).toEqual([]);
  });

  it('is private again at once: no page, no copy, no document, and the next share has another address', async () => {
    const studio = await createStudio();
    const first = (await share(studio, studio.id)).body.generation.shareUrl;
    const { status, body } = await share(studio, studio.id, false);
    expect([status, body.generation.shareUrl]).toEqual([200, undefined]);
    expect(copies(studio)).toEqual([]);
    expect([...studio.documents('shares'), ...studio.documents('outbox')]).toEqual([]);
    expect((await studio.get('sharedImage', { token: toToken(first) })).status).toBe(404);
    expect((await share(studio, studio.id, false)).status).toBe(200);
    expect((await share(studio, studio.id)).body.generation.shareUrl).not.toBe(first);
  });

  it('ends with its generation, in one commit', async () => {
    const commits: string[][] = [];
    const studio = await createStudio({
      faults: (real) => ({
        commit(writes) {
          commits.push(writes.map((write) => Object.values(write)[0] as string));
          return real.commit(writes);
        },
      }),
    });
    const token = toToken((await share(studio, studio.id)).body.generation.shareUrl);
    commits.length = 0;
    expect((await studio.deleteGeneration(studio.id)).body.generation.shareUrl).toBeUndefined();
    expect(commits[0]).toEqual(
      expect.arrayContaining([`accounts/ann/generations/${studio.id}`, `shares/${token}`, `outbox/${token}`]),
    );
    expect([...studio.assets, ...studio.documents('shares'), ...studio.documents('outbox')]).toEqual([]);
  });

  it('is one of its own for each twin from the cache', async () => {
    const studio = createMemoryStudio({ env: { CACHE_TTL_SECONDS: '600' } });
    const [first, twin] = [await studio.generate('a'), await studio.generate('b')];
    expect(twin.body.generation.cached).toBe(true);
    const ids = [first.body.generation.id, twin.body.generation.id];
    const urls = await Promise.all(ids.map(async (id) => (await share(studio, id)).body.generation.shareUrl));
    expect(new Set(urls).size).toBe(2);
    await studio.deleteGeneration(ids[0] as string);
    expect(copies(studio)).toEqual([`shares/${toToken(urls[1])}`]);
    expect((await studio.get('sharedImage', { token: toToken(urls[1]) })).status).toBe(200);
  });
});

describe('only a finished image of the caller can be shared', () => {
  it.each([true, false])('shared: %s', async (shared) => {
    const studio = await createStudio({
      imageGenerator: async (request) => {
        if (request.prompt === 'fails') throw new Failure('PROVIDER_ERROR', 'The model failed.');
        return { ...(await import('../../support/memoryStudio.ts')).image() };
      },
    });
    await studio.generate('failed', { prompt: 'fails' });
    const refunded = studio.documents('accounts/ann/generations').find(({ status }) => status === 'refunded');
    expect(refunded).toBeDefined();
    const { body } = await studio.get('generation', { key: 'failed' });
    const ids = [body.generation.id, '0'.repeat(32)];
    for (const id of ids) expect(toOutcome(await share(studio, id, shared))).toEqual([404, 'NOT_FOUND']);
    const byAnother = await studio.call('share', { id: studio.id, shared }, { as: 'user:bob' });
    expect(toOutcome(byAnother)).toEqual([404, 'NOT_FOUND']);
    await studio.deleteGeneration(studio.id);
    expect(toOutcome(await share(studio, studio.id, shared))).toEqual([404, 'NOT_FOUND']);
    expect([...studio.documents('shares'), ...studio.documents('outbox')]).toEqual([]);
  });
});

it('an image of a closed account can only become private', async () => {
  const studio = await createStudio();
  await share(studio, studio.id);
  studio.edit('accounts/ann', { closedAt: new Date() });
  expect(toOutcome(await share(studio, studio.id))).toEqual([409, 'ACCOUNT_CLOSED']);
  expect((await share(studio, studio.id, false)).status).toBe(200);
  expect([...copies(studio), ...studio.documents('shares')]).toEqual([]);
});

describe('a share that fails', () => {
  it('leaves no share, and deletes a copy that arrives late, for as long as its upload is valid', async () => {
    let late: string | undefined;
    const studio = await createStudio({
      imageStore: {
        async store(publicId) {
          if (publicId.startsWith('shares/')) {
            late = publicId;
            throw new Failure('STORAGE_ERROR', 'The connection broke.');
          }
          return { url: 'https://images.example/a', thumbnailUrl: 'https://images.example/b' };
        },
      },
    });
    expect(toOutcome(await share(studio, studio.id))).toEqual([502, 'STORAGE_ERROR']);
    expect(studio.documents('shares')).toEqual([]);
    studio.world.advance(hour / 2);
    studio.assets.add(late as string);
    await sweep(studio);
    expect(copies(studio)).toEqual([]);
    studio.world.advance(hour);
    await sweep(studio);
    expect(studio.documents('outbox')).toEqual([]);
  });

  it('is ended by the sweep if its process died, and a worker that goes on later cannot finish it', async () => {
    const resumed = Promise.withResolvers<void>();
    const world = createMemoryWorld();
    let stops = false;
    const studio = await createStudio({
      world,
      faults: (real) => ({
        async commit(writes) {
          // The commit that makes the share public.
          if (stops && writes.length === 3) await resumed.promise;
          return real.commit(writes);
        },
      }),
    });
    stops = true;
    const slow = share(studio, studio.id);
    await new Promise(setImmediate);
    expect(copies(studio)).toHaveLength(1);
    const other = createMemoryStudio({
      world,
      imageStore: { destroy: async (id) => studio.assets.delete(id) },
    });
    await sweep(other);
    expect(copies(studio)).toHaveLength(1);
    world.advance(60_001);
    await sweep(other);
    expect([...copies(studio), ...studio.documents('shares')]).toEqual([]);
    resumed.resolve();
    expect(toOutcome(await slow)).toEqual([502, 'STORAGE_ERROR']);
    const { body } = await studio.get('generation', { id: studio.id });
    expect(body.generation.shareUrl).toBeUndefined();
  });

  it('signs no upload after the time at which the sweep may have ended it', async () => {
    const world = createMemoryWorld();
    const studio = await createStudio({
      world,
      imageStore: {
        fetch: async () => {
          world.advance(60_000);
          return Buffer.from('image');
        },
      },
    });
    expect(toOutcome(await share(studio, studio.id))).toEqual([504, 'PROVIDER_TIMEOUT']);
    expect(studio.stored.filter((name) => name.startsWith('shares/'))).toEqual([]);
  });

  it('leaves nothing if its first commit takes effect after the image is private again', async () => {
    const held = Promise.withResolvers<() => unknown>();
    let isHeld = false;
    const studio = await createStudio({
      faults: (real) => ({
        async commit(writes) {
          if (isHeld || !writes.some((write) => 'create' in write && write.create.startsWith('shares/'))) {
            return real.commit(writes);
          }
          isHeld = true;
          held.resolve(() => real.commit(writes));
          throw Object.assign(new Error('The connection broke'), { code: 14 });
        },
      }),
    });
    const { body } = await share(studio, studio.id);
    expect((await share(studio, studio.id, false)).status).toBe(200);
    await (await held.promise)();
    // So does the deletion of the ended share's outbox item.
    studio.world.store.commit([{ delete: `outbox/${toToken(body.generation.shareUrl)}` }]);
    studio.world.advance(60_001);
    await sweep(studio);
    expect([...copies(studio), ...studio.documents('shares')]).toEqual([]);
  });

  it('is public if only the reply of its last commit was lost', async () => {
    let isUnlucky = false;
    const studio = await createStudio({
      faults: (real) => ({
        async commit(writes) {
          const version = await real.commit(writes);
          if (!isUnlucky || !writes.some((write) => 'delete' in write)) return version;
          throw Object.assign(new Error('The connection broke'), { code: 14 });
        },
      }),
    });
    isUnlucky = true;
    const { status, body } = await share(studio, studio.id);
    expect([status, copies(studio)]).toEqual([200, [`shares/${toToken(body.generation.shareUrl)}`]]);
    expect(studio.documents('outbox')).toEqual([]);
  });
});

/** Delays each call of the database until the scheduler lets it go on. */
const schedule = (scheduler: fc.Scheduler) => (real: Database) => ({
  read: (paths: readonly string[]) => scheduler.schedule(Promise.resolve()).then(() => real.read(paths)),
  commit: (writes: Parameters<Database['commit']>[0]) =>
    scheduler.schedule(Promise.resolve()).then(() => real.commit(writes)),
});

it('calls that share, make private and delete at once end consistently, in any order of their steps', async () => {
  const action = fc.constantFrom('share', 'share', 'private', 'delete', 'sweep');
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { minLength: 2, maxLength: 4 }),
      async (scheduler, actions) => {
        const world = createMemoryWorld();
        const studio = await createStudio({ world });
        const racing = createMemoryStudio({
          world,
          faults: schedule(scheduler),
          imageStore: {
            async store(publicId) {
              studio.assets.add(publicId);
              return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/s' };
            },
            destroy: async (publicId) => studio.assets.delete(publicId),
          },
        });
        const acts: Record<string, () => Promise<{ status: number }>> = {
          share: () => share(racing, studio.id),
          private: () => share(racing, studio.id, false),
          delete: () => racing.deleteGeneration(studio.id),
          sweep: () => sweep(racing),
        };
        const calls = actions.map((name) => acts[name]?.());
        await scheduler.waitFor(Promise.all(calls));
        await new Promise(setImmediate);
        world.advance(2 * hour);
        await sweep(studio);
        await sweep(studio);
        const [generation] = studio.documents('accounts/ann/generations');
        const token = generation?.shareToken;
        const expected = token ? [`shares/${token}`] : [];
        expect(copies(studio)).toEqual(expected);
        expect(studio.documents('outbox')).toEqual([]);
        const shares = studio.documents('shares').map(({ image }) => (image as { url: string } | null)?.url);
        expect(shares).toEqual(expected.map((name) => `https://images.example/${name}`));
        if (generation?.status === 'deleted') expect(token ?? null).toBeNull();
        if (!actions.includes('private') && !actions.includes('delete') && actions.includes('share')) {
          expect(token).toBeTypeOf('string');
        }
      },
    ),
    { numRuns: 150 },
  );
});
