/** Take-downs of images with documents that an admin has spoilt or deleted in the console. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Data, removed } from '../../../shared/database/database.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { onePixelPng, squarePng } from '../../support/pictures.ts';

const reason = 'It shows a living person.';
const as = 'admin:root';
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A studio with a shared and reported image, and its shared twin. */
async function createStudio() {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({
    world,
    imageGenerator: async () => ({ ...image(), chunks: [new Uint8Array(squarePng)] }),
    env: { CACHE_TTL_SECONDS: '600' },
  });
  const ids: string[] = [];
  const tokens: string[] = [];
  for (const key of ['a', 'b']) {
    const { id } = (await studio.generate(key, { prompt: 'A secret' })).body.generation;
    const { body } = await studio.call('share', { id, shared: true });
    const token = String(body.generation.shareUrl?.split('/').at(-1));
    ids.push(id);
    tokens.push(token);
    await studio.call('report', { token, reason: 'personal' }, { as: 'nobody' });
  }
  const reports = async () => (await studio.call('reports', undefined, { as })).body.reports;
  const path = (i: 0 | 1) => `accounts/ann/generations/${ids[i]}`;
  return {
    ...studio,
    ids: ids as [string, string],
    now: () => world.clock.now(),
    reports,
    spoil: (i: 0 | 1, data: Data) => studio.edit(path(i), data),
    remove: (i: 0 | 1) => world.store.commit([{ delete: path(i) }]),
    generation: (i: 0 | 1) => world.store.read([path(i)]).documents[0]?.data,
    takeDown: (i: 0 | 1) => studio.call('takedown', { uid: 'ann', generationId: ids[i], reason }, { as }),
    resolve: async (i: 0 | 1) => {
      const [report] = (await reports()).filter(({ generationId }) => generationId === ids[i]);
      return studio.call('resolveReport', { id: report?.id, resolution: 'takenDown' }, { as });
    },
    pages: () =>
      Promise.all(tokens.map(async (token) => (await studio.get('sharedImage', { token }, 'nobody')).status)),
    left: () => [...studio.assets, ...studio.documents('shares'), ...studio.documents('outbox')],
  };
}

describe('a spoilt document', () => {
  it.each<Data>([
    { tier: 'huge' },
    { credits: 'many', createdAt: 'yesterday' },
    { shareToken: 5 },
    { shareToken: 'another' },
    { publicId: 'another' },
    { publicId: 7, image: 'gone' },
    { status: 'live' },
    { removedBy: 'me', failure: 3, request: null },
  ])('is no obstacle: %j', async (data) => {
    const studio = await createStudio();
    studio.spoil(0, data);
    const { status, body } = await studio.takeDown(0);
    expect([status, body.generation]).toMatchObject([
      200,
      {
        id: studio.ids[0],
        status: 'deleted',
        prompt: null,
        image: null,
        removedBy: 'studio',
        removedReason: reason,
      },
    ]);
    for (const i of [0, 1] as const) {
      expect(studio.generation(i)).toMatchObject({ prompt: null, image: null, removedBy: 'studio' });
    }
    expect([await studio.pages(), studio.left(), await studio.reports()]).toEqual([[404, 404], [], []]);
    expect(studio.documents('takedowns')).toHaveLength(1);
    expect((await studio.takeDown(0)).status).toBe(200);
  });

  it.each<[0 | 1, Data]>([
    [0, { imageOwner: 7 }],
    [0, { status: 'live' }],
    [1, { imageOwner: removed }],
    [1, { imageOwner: 7 }],
    [1, { status: 'live' }],
  ])('of twin %i goes with the other one: %o', async (spoilt, data) => {
    const studio = await createStudio();
    studio.spoil(spoilt, data);
    expect((await studio.takeDown(spoilt === 0 ? 1 : 0)).status).toBe(200);
    for (const i of [0, 1] as const) {
      expect(studio.generation(i)).toMatchObject({ status: 'deleted', image: null, removedBy: 'studio' });
    }
    expect([await studio.pages(), studio.left()]).toEqual([[404, 404], []]);
  });

  it('of a report can be removed as well', async () => {
    const studio = await createStudio();
    studio.spoil(1, { tier: 'huge' });
    const { status, body } = await studio.resolve(1);
    expect([status, body.report]).toMatchObject([200, { status: 'takenDown', image: null }]);
    expect([await studio.pages(), studio.left(), await studio.reports()]).toEqual([[404, 404], [], []]);
  });

  it('of a generation that was refunded or is pending is as before', async () => {
    const studio = await createStudio();
    studio.spoil(0, { tier: 'huge', status: 'pending' });
    expect(toOutcome(await studio.takeDown(0))).toEqual([409, 'IN_PROGRESS']);
    studio.spoil(0, { status: 'refunded' });
    expect(toOutcome(await studio.takeDown(0))).toEqual([404, 'NOT_FOUND']);
  });
});

describe('a deleted document', () => {
  it('of the generation that made the image: its share and its twin go', async () => {
    const studio = await createStudio();
    studio.remove(0);
    const { status, body } = await studio.takeDown(0);
    expect([status, body.generation]).toMatchObject([
      200,
      { id: studio.ids[0], status: 'deleted', image: null, removedBy: 'studio' },
    ]);
    expect(studio.generation(0)).toBeUndefined();
    expect(studio.generation(1)).toMatchObject({ status: 'deleted', removedBy: 'studio' });
    expect([await studio.pages(), studio.left(), await studio.reports()]).toEqual([[404, 404], [], []]);
    expect((await studio.takeDown(0)).status).toBe(200);
  });

  it('of the generation that made the image: a late upload is deleted as well', async () => {
    const studio = await createStudio();
    const lateUploadUntil = new Date(studio.now() + 3_600_000);
    studio.spoil(1, { lateUploadUntil });
    studio.remove(0);
    expect((await studio.takeDown(1)).status).toBe(200);
    expect(studio.documents('outbox')).toMatchObject([
      { generationId: studio.ids[0], until: lateUploadUntil },
    ]);
  });

  it('of a twin: its share goes with the image', async () => {
    const studio = await createStudio();
    studio.remove(1);
    expect((await studio.takeDown(0)).status).toBe(200);
    expect([await studio.pages(), studio.left()]).toEqual([[404, 404], []]);
  });

  it('of all that showed it: the shares go, and the hash is that of a copy', async () => {
    const studio = await createStudio();
    studio.remove(0);
    studio.remove(1);
    expect((await studio.resolve(0)).status).toBe(200);
    expect((await studio.resolve(1)).status).toBe(200);
    expect([await studio.pages(), studio.documents('shares'), await studio.reports()]).toEqual([
      [404, 404],
      [],
      [],
    ]);
    const { database } = await studio.services.ledger();
    const [takedown] = (await database.read([`takedowns/${hash(onePixelPng)}`])).documents;
    expect(takedown?.data).toMatchObject({ uid: 'ann' });
    expect(studio.documents('adminActions')).toHaveLength(4);
  });

  it('without a share is not found', async () => {
    const studio = await createStudio();
    for (const id of studio.ids) await studio.call('share', { id, shared: false });
    studio.remove(0);
    studio.remove(1);
    expect(toOutcome(await studio.takeDown(0))).toEqual([404, 'NOT_FOUND']);
    expect(studio.documents('adminActions')).toEqual([]);
  });
});
