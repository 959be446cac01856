/** A search: what it finds, its pages, and that no word of a deleted prompt is left. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';

const toId = (key: string) => hashGenerationId('ann', key);
const pathOf = (key: string) => `accounts/ann/generations/${toId(key)}`;
const onDemand = async (request: unknown) => {
  if (JSON.stringify(request).includes('fails')) throw new Failure('NO_IMAGE', 'No image.');
  return image();
};

/** A studio with images, one a second. `prompts` has their keys. */
async function createSearch(prompts: Record<string, string>, env = {}) {
  const world = createMemoryWorld();
  const limits: number[] = [];
  const studio = createMemoryStudio({
    world,
    env: { MAX_PER_MINUTE_PER_USER: '1000', ...env },
    imageGenerator: onDemand,
    faults: (database) => ({
      page(request) {
        limits.push(request.limit);
        return database.page(request);
      },
    }),
  });
  const generate = async (key: string, prompt: string, more: object = {}) => {
    world.advance(1_000);
    return studio.generate(key, { prompt, ...more });
  };
  for (const [key, prompt] of Object.entries(prompts)) await generate(key, prompt);
  const keys = new Map(Object.keys(prompts).map((key) => [toId(key), key]));
  const page = async (query: Record<string, string>) => {
    const { status, body } = await studio.get('gallery', query);
    expect(status).toBe(200);
    const found = (body.generations as { id: string }[]).map(({ id }) => keys.get(id) ?? id);
    return { found, pageToken: body.nextPageToken as string | undefined };
  };
  return { ...studio, world, limits, generate, page };
}

/** Copies an image under other ids, one a second, newest last. */
function copyImage({ world, edit }: Awaited<ReturnType<typeof createSearch>>, key: string, count: number) {
  const source = world.store.read([pathOf(key)]).documents[0]?.data ?? {};
  for (let i = 1; i <= count; i += 1) {
    const createdAt = new Date(Number(source.createdAt) + i * 1_000);
    edit(pathOf(`copy ${i}`), { ...source, createdAt });
  }
}

describe('gallery?query', () => {
  const prompts = { a: 'A red fox', b: 'A red wolf', c: 'The FOX is red!', d: 'Red apples', e: 'A fox' };

  it.each<[Record<string, string>, string[]]>([
    [{ query: 'fox' }, ['e', 'c', 'a']],
    [{ query: 'Fox RED' }, ['c', 'a']],
    [{ query: 'red wolf fox' }, []],
    [{ query: 'fo' }, []],
    [{ query: ' ,.! ' }, ['e', 'd', 'c', 'b', 'a']],
    [{ query: '' }, ['e', 'd', 'c', 'b', 'a']],
  ])('%j finds %j', async (query, expected) => {
    const { page } = await createSearch(prompts);
    expect(await page(query)).toEqual({ found: expected, pageToken: undefined });
  });

  it('finds the words of the original prompt, and those of a twin', async () => {
    const { generate, page } = await createSearch({}, { CACHE_TTL_SECONDS: '600' });
    await generate('a', 'A fox at night', { originalPrompt: 'fuchs' });
    const twin = await generate('b', 'A fox at night', { originalPrompt: 'renard' });
    expect(twin.body.generation.cached).toBe(true);
    expect((await page({ query: 'fuchs' })).found).toEqual([toId('a')]);
    expect((await page({ query: 'renard night' })).found).toEqual([toId('b')]);
  });

  it('finds only finished images', async () => {
    const { generate, page, documents } = await createSearch({ a: 'A fox' });
    expect(toOutcome(await generate('b', 'A fox that fails'))).toEqual([502, 'NO_IMAGE']);
    expect((await page({ query: 'fox' })).found).toEqual(['a']);
    expect(documents('accounts/ann/generations').filter(({ words }) => words)).toHaveLength(1);
  });

  it('finds no image that an admin gave another status', async () => {
    const { edit, page } = await createSearch({ a: 'A fox' });
    edit(pathOf('a'), { status: 'refunded' });
    expect((await page({ query: 'fox' })).found).toEqual([]);
  });

  it('leaves out images from before there was a search', async () => {
    const { edit, page } = await createSearch({ a: 'A fox', b: 'A fox', c: 'A fox' });
    edit(pathOf('a'), { words: null });
    edit(pathOf('b'), { words: null });
    expect((await page({ query: 'fox' })).found).toEqual(['c']);
    expect((await page({})).found).toEqual(['c', 'b', 'a']);
  });

  it('comes in pages', async () => {
    const { page } = await createSearch({ ...prompts, f: 'Red foxes and a red fox' });
    const first = await page({ query: 'red', pageSize: '2' });
    expect(first.found).toEqual(['f', 'd']);
    const second = await page({ query: 'red', pageSize: '2', pageToken: first.pageToken ?? '' });
    expect(second.found).toEqual(['c', 'b']);
    const third = await page({ query: 'red', pageSize: '2', pageToken: second.pageToken ?? '' });
    expect(third).toEqual({ found: ['a'], pageToken: undefined });
  });

  it('reads at most about 300 documents for a page, and goes on from there', async () => {
    const search = await createSearch({ a: 'A fox that is crimson', b: 'A wolf that is crimson' });
    copyImage(search, 'b', 700);
    search.limits.length = 0;
    const pages: string[][] = [];
    let pageToken: string | undefined;
    do {
      const page = await search.page({
        query: 'fox crimson',
        pageSize: '5',
        ...(pageToken && { pageToken }),
      });
      pages.push(page.found);
      pageToken = page.pageToken;
      expect(search.limits.splice(0).reduce((sum, limit) => sum + limit)).toBeLessThanOrEqual(306);
    } while (pageToken && pages.length < 9);
    expect(pages).toEqual([[], [], ['a']]);
  });

  it('does not end at documents that an admin has spoilt', async () => {
    const search = await createSearch({ a: 'A fox that is crimson', b: 'A wolf that is crimson' });
    copyImage(search, 'b', 310);
    for (let i = 1; i <= 150; i += 1) search.edit(pathOf(`copy ${i}`), { tier: 'none' });
    const first = await search.page({ query: 'fox crimson', pageSize: '5' });
    expect(first.found).toEqual([]);
    expect(await search.page({ query: 'fox crimson', pageToken: first.pageToken ?? '' })).toEqual({
      found: ['a'],
      pageToken: undefined,
    });
  });

  it.each<[Record<string, string>, string]>([
    [{ query: 'x'.repeat(201) }, 'query'],
    [{ favourite: 'false' }, 'favourite'],
    [{ favourite: '' }, 'favourite'],
    [{ query: 'fox', pageToken: 'bm9uZQ' }, 'pageToken'],
    [{ words: 'fox' }, 'words'],
  ])('refuses %j', async (query, field) => {
    const { body, status } = await createMemoryStudio({}).get('gallery', query);
    expect(status).toBe(400);
    expect(body.error.details[1].fieldViolations).toMatchObject([{ field }]);
  });
});

describe('no word is left', () => {
  const isErased = async ({ documents, page }: Awaited<ReturnType<typeof createSearch>>) => {
    expect(JSON.stringify(documents('accounts/ann/generations'))).not.toContain('fox');
    expect((await page({ query: 'fox' })).found).toEqual([]);
    expect((await page({ favourite: 'true' })).found).toEqual([]);
  };
  const createFavourite = async () => {
    const search = await createSearch({ a: 'A fox' });
    expect(JSON.stringify(search.documents('accounts/ann/generations'))).toContain('"words":["a","fox"]');
    await search.call('favourite', { id: toId('a'), favourite: true });
    return search;
  };

  it('when its user deletes the image', async () => {
    const search = await createFavourite();
    expect((await search.deleteGeneration(toId('a'))).body.generation.favourite).toBe(false);
    await isErased(search);
  });

  it('when it is deleted again, as after a backup is restored', async () => {
    const search = await createFavourite();
    await search.deleteGeneration(toId('a'));
    search.edit(pathOf('a'), { words: ['fox'], favourite: true });
    await search.deleteGeneration(toId('a'));
    await isErased(search);
  });

  it('when the studio takes the image down', async () => {
    const search = await createFavourite();
    const takedown = { uid: 'ann', generationId: toId('a'), reason: 'Illegal' };
    expect((await search.call('takedown', takedown, { as: 'admin' })).status).toBe(200);
    await isErased(search);
  });

  it('when the account closes', async () => {
    const search = await createFavourite();
    expect((await search.call('closeAccount', { confirm: 'CLOSE' })).status).toBe(200);
    for (let i = 0; i < 3; i += 1) await search.sweep();
    expect(JSON.stringify(search.documents('accounts/ann/generations'))).not.toContain('fox');
  });

  it('in the export, which has the prompt', async () => {
    const search = await createFavourite();
    const [exported] = ((await search.call('exportAccount')).body as never as { generations: object[] })
      .generations;
    expect(exported).toMatchObject({ prompt: 'A fox', favourite: true });
    expect(exported).not.toHaveProperty('words');
  });
});
