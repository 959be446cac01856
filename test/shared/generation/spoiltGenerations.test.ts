/** A document that an admin has spoilt is left out of every list and logged with its path. It takes no other with it. */
import { describe, expect, it } from 'vitest';
import { type Database, removed } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

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

it('a read of the spoilt image is refused, and the log has its path but nothing of its content', async () => {
  const { studio, ids, toPath } = await startGallery();
  studio.edit(toPath(0), { model: 5, request: removed });
  const { status, body } = await studio.get('generation', { id: ids[0] ?? '' });
  expect([status, body.error.details[0]]).toMatchObject([
    409,
    {
      reason: 'ACCOUNT_INVALID',
      metadata: { field: 'generations', generationId: ids[0], retry: 'no' },
    },
  ]);
  expect(JSON.stringify(body)).not.toContain('accounts/');
  const [line] = studio.findEvents('document_unreadable');
  expect(line).toMatchObject({ severity: 'ERROR', path: toPath(0) });
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

type Faults = (database: Database) => Partial<Database>;

/** A studio with a pending generation of 2 credits, the worker of which never ends, after its deadline. */
async function startOverdue(edit: Record<string, unknown>, faults: Faults = () => ({})) {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, faults, imageGenerator: () => new Promise(() => {}) });
  void studio.generate('k', { tier: 'premium2' });
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  const generation = `${path}/generations/${hashGenerationId('ann', 'k')}`;
  studio.edit(generation, edit);
  world.advance(600_000);
  const refunded = async () => (await studio.runJob('sweepHolds')).body.refunded;
  const read = () => world.store.read([generation]).documents[0]?.data;
  return { world, studio, generation, refunded, read };
}

describe('a pending generation with a spoilt document', () => {
  it.each([
    ['the prompt is a number', { prompt: 5 }],
    ['the price is a text, the receipt gone', { credits: 'two', receipt: removed }],
    ['the name of its image is gone', { publicId: removed, tier: 'gold' }],
  ])('is refunded by the sweep once: %s', async (_, edit) => {
    const { studio, generation, refunded, read } = await startOverdue(edit);
    const { owner } = read() ?? {};
    expect(studio.account()?.balance).toBe(98);
    expect([await refunded(), await refunded()]).toEqual([1, 0]);
    expect(studio.account()).toMatchObject({ balance: 100, settled: 100, sequence: 3 });
    expect(read()).toMatchObject({
      ...('prompt' in edit && edit),
      status: 'refunded',
      credits: 2,
      failure: { reason: 'EXPIRED' },
      receipt: { charged: 2, refunded: 2, balance: 100, sequence: 3 },
    });
    expect(studio.findEvents('document_unreadable')).toMatchObject([{ path: generation }]);
    const id = hashGenerationId('ann', 'k');
    expect(studio.documents('outbox')).toMatchObject([{ generationId: id, publicId: `${id}/${owner}` }]);
  });

  it('is refunded what was paid, although an admin has edited its price', async () => {
    const { studio, refunded, read } = await startOverdue({ credits: 7 });
    expect(await refunded()).toBe(1);
    expect(studio.account()).toMatchObject({ balance: 100, settled: 100, sequence: 3 });
    expect(read()).toMatchObject({ credits: 2, receipt: { charged: 2, refunded: 2, balance: 100 } });
  });

  it('is refunded once by two sweeps at the same time', async () => {
    const { studio, refunded } = await startOverdue({ prompt: 5 });
    const [first, second] = await Promise.all([refunded(), refunded()]);
    expect(first + second).toBe(1);
    expect(studio.account()?.balance).toBe(100);
  });

  it('is refunded once, although the reply of the refund is lost', async () => {
    let isLost = false;
    const faults: Faults = (database) => ({
      async commit(writes) {
        const version = await database.commit(writes);
        if (isLost || !writes.some((write) => 'create' in write && write.create.endsWith(':refund')))
          return version;
        isLost = true;
        throw lostReply();
      },
    });
    const { studio, refunded } = await startOverdue({ prompt: 5 }, faults);
    await refunded();
    expect([isLost, await refunded()]).toEqual([true, 0]);
    expect(studio.account()).toMatchObject({ balance: 100, sequence: 3 });
  });

  it('is left alone until its deadline', async () => {
    const { world, refunded } = await startOverdue({ prompt: 5 });
    world.advance(-500_000);
    expect(await refunded()).toBe(0);
    world.advance(100_000);
    expect(await refunded()).toBe(1);
  });

  it('is left alone and logged by each sweep if its debit cannot be read either', async () => {
    const { studio, refunded } = await startOverdue({ prompt: 5 });
    const debit = `${path}/entries/${hashGenerationId('ann', 'k')}:debit`;
    studio.edit(debit, { amount: 'two' });
    expect([await refunded(), await refunded()]).toEqual([0, 0]);
    const about = studio.lines.filter((line) => line.path === debit);
    expect(about).toHaveLength(2);
    expect(studio.account()?.balance).toBe(98);
  });
});

it.each([
  ['gone', removed],
  ['text', 'tomorrow'],
])(
  'a pending generation whose deadline is %s is reported by reconcile until it is corrected',
  async (_, deadline) => {
    const { studio, generation, refunded, world } = await startOverdue({ deadline });
    const audit = async () => (await studio.runJob('reconcile')).body.broken;
    expect(await refunded()).toBe(0);
    expect(await audit()).toMatchObject([
      { uid: 'ann', differences: [expect.stringContaining(`${hashGenerationId('ann', 'k')} is pending`)] },
    ]);
    studio.edit(generation, { deadline: new Date(world.clock.now()) });
    expect(await refunded()).toBe(1);
    expect(await audit()).toEqual([]);
    expect(studio.account()).toMatchObject({ balance: 100 });
  },
);

it('the sweep refunds the other generations too', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, imageGenerator: () => new Promise(() => {}) });
  for (const key of ['a', 'b', 'c']) void studio.generate(key);
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  studio.edit(`${path}/generations/${hashGenerationId('ann', 'b')}`, { prompt: removed });
  studio.edit(`${path}/entries/${hashGenerationId('ann', 'b')}:debit`, { amount: removed });
  world.advance(600_000);
  expect((await studio.runJob('sweepHolds')).body.refunded).toBe(2);
});

it.each([
  ['its size', { tier: 'gold' }],
  ['its price', { credits: 7 }],
])('a generation that fails is refunded what was paid, although an admin has edited %s', async (_, edit) => {
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
    studio.edit(generation?.path ?? '', edit);
  };
  const failed = await studio.generate('k');
  expect(toOutcome(failed)).toEqual([422, 'CONTENT_BLOCKED']);
  expect(failed.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 100 });
});

it('a grant that is repeated after its document was spoilt is not made again, and the log names the document', async () => {
  const { studio, findPaths } = await startGallery();
  const grant = () =>
    studio.call('grant', { uid: 'ann', amount: 5, reason: 'a gift' }, { key: 'k', as: tokens.admin('root') });
  expect((await grant()).status).toBe(200);
  const { balance } = studio.account() ?? {};
  studio.editEach('grants', { amount: removed });
  expect(toOutcome(await grant())).toEqual([500, 'INTERNAL']);
  expect(studio.account()).toMatchObject({ balance });
  expect(findPaths()).toEqual([expect.stringMatching(/^grants\/[0-9a-f]{32}$/)]);
});

it.each([
  ['is a text', '2026-01-01'],
  ['was removed', removed],
])(
  'reconcile names an item of the outbox in the log that no sweep finds, because its dueAt %s',
  async (_, dueAt) => {
    const { studio, findPaths } = await startGallery();
    const due = new Date(0);
    const item = { uid: 'ann', generationId: 'x', publicId: 'x', createdAt: due, dueAt: due, until: due };
    studio.edit('outbox/x', item);
    studio.edit('outbox/x', { dueAt });
    studio.edit('outbox/y', { ...item, generationId: 'y', dueAt: new Date('2030-01-01') });
    expect([(await studio.sweep()).status, findPaths()]).toEqual([200, []]);
    const { status, body } = await studio.runJob('reconcile');
    expect([status, body.broken, findPaths()]).toEqual([200, [], ['outbox/x']]);
    expect(studio.documents('outbox')).toHaveLength(2);
  },
);

it('a spoilt item of the outbox stays, is named in the log, and takes no other with it', async () => {
  const { studio, findPaths } = await startGallery();
  const due = new Date(0);
  const item = {
    uid: 'ann',
    generationId: 'whole',
    publicId: 'whole',
    createdAt: due,
    dueAt: due,
    until: due,
  };
  studio.edit('outbox/spoilt', { ...item, publicId: 7 });
  studio.edit('outbox/whole', item);
  expect((await studio.sweep()).status).toBe(200);
  expect(studio.documents('outbox')).toEqual([{ ...item, publicId: 7 }]);
  expect(findPaths()).toEqual(['outbox/spoilt']);
});
