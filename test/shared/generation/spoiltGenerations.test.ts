/** A document that an admin has spoilt is left out of every list and logged with its path. It takes no other with it. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const path = 'accounts/ann';

/** A studio with five images, one a second, oldest first, and the paths of their documents. */
async function startGallery(env: Record<string, string> = {}) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, env });
  const ids: string[] = [];
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    ids.push((await studio.generate(key)).body.generation.id);
    world.advance(1_000);
  }
  const toPath = (i: number) => `${path}/generations/${ids[i]}`;

  async function readAll(name: 'gallery' | 'ledger', pageSize: number): Promise<{ id: string }[]> {
    const items: { id: string }[] = [];
    let pageToken: string | undefined;
    do {
      const query = { pageSize: String(pageSize), ...(pageToken && { pageToken }) };
      const { status, body } = await studio.get(name, query);
      expect(status).toBe(200);
      items.push(...(body.generations ?? body.entries));
      pageToken = body.nextPageToken;
    } while (pageToken);
    return items;
  }
  const findPaths = () => studio.findEvents('document_unreadable').map((line) => line.path);
  return { world, studio, ids, toPath, readAll, findPaths };
}

describe('the gallery', () => {
  it.each([1, 2, 3, 20])('leaves out spoilt images, with pages of %i', async (pageSize) => {
    const { studio, ids, toPath, readAll, findPaths } = await startGallery();
    studio.edit(toPath(3), { prompt: removed });
    studio.edit(toPath(2), { image: 'gone' });
    studio.edit(toPath(0), { createdAt: 'yesterday' });
    const shown = (await readAll('gallery', pageSize)).map(({ id }) => id);
    expect(shown).toEqual([ids[4], ids[1]]);
    expect(findPaths().sort()).toEqual([0, 2, 3].map(toPath).sort());
    const before = findPaths().length;
    await readAll('gallery', pageSize);
    expect(findPaths()).toHaveLength(before);
  });

  it('shows a spoilt image again once it is repaired', async () => {
    const { studio, ids, toPath, readAll } = await startGallery();
    studio.edit(toPath(3), { cached: 'no' });
    expect(await readAll('gallery', 20)).toHaveLength(4);
    studio.edit(toPath(3), { cached: false });
    expect((await readAll('gallery', 20)).map(({ id }) => id)).toEqual(ids.toReversed());
  });
});

it.each([1, 2, 20])('the entries leave out spoilt ones, with pages of %i', async (pageSize) => {
  const { studio, ids, readAll, findPaths } = await startGallery();
  studio.edit(`${path}/entries/${ids[4]}:debit`, { amount: 'one' });
  studio.edit(`${path}/entries/${ids[1]}:debit`, { sequence: 'three' });
  const shown = (await readAll('ledger', pageSize)).map(({ id }) => id);
  expect(shown).toEqual([`${ids[3]}:debit`, `${ids[2]}:debit`, `${ids[0]}:debit`, 'signup']);
  expect(findPaths()).toHaveLength(2);
});

it('a read of the spoilt image answers 500, and the log has its path but nothing of its content', async () => {
  const { studio, ids, toPath } = await startGallery();
  studio.edit(toPath(0), { model: 5, request: removed });
  const { status, body } = await studio.get('generation', { id: ids[0] ?? '' });
  expect([status, body.error.details[0].reason]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(body)).not.toContain('accounts/');
  const [line] = studio.findEvents('document_unreadable');
  expect(line).toMatchObject({ severity: 'ERROR', function: 'generation', path: toPath(0) });
  expect(line?.stack_trace).toContain('check the fields request, model');
  expect((await studio.get('generation', { id: ids[1] ?? '' })).status).toBe(200);
});

it('a spoilt image is no reference, and is not found by the cache', async () => {
  const { studio, ids, toPath } = await startGallery({ CACHE_TTL_SECONDS: '3600' });
  expect(new Set(ids).size).toBe(5);
  expect(studio.generated()).toBe(1);
  studio.edit(toPath(0), { fingerprint: removed });
  const references = [{ generationId: ids[0] }];
  expect(toOutcome(await studio.generate('with', { references }))).toEqual([404, 'NOT_FOUND']);
  expect((await studio.generate('again')).body.generation.cached).toBe(false);
  expect(studio.generated()).toBe(2);
});

it('the sweep refunds the other generations, and each sweep logs the spoilt one once', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, imageGenerator: () => new Promise(() => {}) });
  for (const key of ['a', 'b', 'c']) void studio.generate(key);
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  const pending = world.store.page({
    collection: `${path}/generations`,
    orderBy: [['__name__', 'asc']],
    limit: 9,
  }).documents;
  expect(pending).toHaveLength(3);
  studio.edit(pending[1]?.path ?? '', { prompt: removed });
  world.advance(600_000);
  expect((await studio.runJob('sweepHolds')).body.refunded).toBe(2);
  expect((await studio.runJob('sweepHolds')).body.refunded).toBe(0);
  const { path: spoilt } = pending[1] ?? {};
  expect(studio.findEvents('document_unreadable')).toMatchObject([{ path: spoilt }, { path: spoilt }]);
});

it('a generation whose document is spoilt while it runs is refunded if it fails', async () => {
  const world = createMemoryWorld();
  let spoil = () => {};
  const studio = createMemoryStudio({
    world,
    async imageGenerator() {
      spoil();
      throw new Failure('CONTENT_BLOCKED', 'Blocked.', { metadata: { finishReason: 'SAFETY' } });
    },
  });
  spoil = () => {
    const [generation] = world.store.page({
      collection: `${path}/generations`,
      orderBy: [['__name__', 'asc']],
      limit: 1,
    }).documents;
    studio.edit(generation?.path ?? '', { tier: 'gold' });
  };
  const failed = await studio.generate('k');
  expect(toOutcome(failed)).toEqual([422, 'CONTENT_BLOCKED']);
  expect(failed.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 100 });
});
