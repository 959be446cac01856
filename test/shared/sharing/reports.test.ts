/** Anyone reports a shared image; the answer gives nothing away; admins close reports. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Report as Shown } from '../../../shared/contract.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const as = 'admin:root';
let world: ReturnType<typeof createMemoryWorld>;
let studio: ReturnType<typeof createMemoryStudio>;
let id: string;
let token: string;

beforeEach(async () => {
  world = createMemoryWorld();
  studio = createMemoryStudio({ world, env: { IDENTITY_HASH_KEY: 'k'.repeat(32) } });
  id = (await studio.generate('k')).body.generation.id;
  const { shareUrl } = (await studio.call('share', { id, shared: true })).body.generation;
  token = shareUrl?.split('/').at(-1) ?? '';
});

const report = (body: object = {}, address = '192.0.2.1') =>
  studio.call('report', { token, reason: 'sexual', ...body }, { as: '', address });
const list = async (query = {}) => (await studio.get('reports', query, as)).body;
const resolve = (reportId: string | undefined, resolution: string) =>
  studio.call('resolveReport', { id: reportId, resolution }, { as });

describe('a report', () => {
  it('is kept with what was shared, and without the address', async () => {
    expect(await report({ details: 'Look at\nthe corner.' })).toEqual({
      status: 200,
      body: { received: true },
    });
    expect(studio.documents('reports')).toEqual([
      {
        token,
        uid: 'ann',
        generationId: id,
        reason: 'sexual',
        details: 'Look at\nthe corner.',
        status: 'open',
        createdAt: expect.any(Date),
      },
    ]);
    expect(JSON.stringify([studio.documents('reports'), studio.lines])).not.toContain('192.0.2');
  });

  it('gets the same answer for an image that is not there, and none is kept', async () => {
    const unknown = await report({ token: 'x'.repeat(22) });
    await studio.call('share', { id, shared: false });
    expect([unknown, await report()]).toEqual(new Array(2).fill({ status: 200, body: { received: true } }));
    expect(studio.documents('reports')).toEqual([]);
  });

  it('is one for each address and image, however often it is sent', async () => {
    await report();
    await report({ reason: 'violence' });
    expect(studio.documents('reports')).toMatchObject([{ reason: 'sexual' }]);
    await report({}, '192.0.2.2');
    expect(studio.documents('reports')).toHaveLength(2);
  });

  it('has an id that only the key connects with the address', async () => {
    await report();
    const [first] = (await list()).reports;
    const other = createMemoryStudio({
      world: createMemoryWorld(),
      env: { IDENTITY_HASH_KEY: 'l'.repeat(32) },
    });
    const again = (await other.generate('k')).body.generation.id;
    expect(again).toBe(id);
    const { hashReportId } = await import('../../../shared/sharing/reports.ts');
    expect(first?.id).toBe(hashReportId('k'.repeat(32), '192.0.2.1', token));
    expect(first?.id).not.toBe(hashReportId('l'.repeat(32), '192.0.2.1', token));
  });

  it('is limited for an address and for an image', async () => {
    for (let i = 0; i < 10; i += 1) expect((await report({ token: `${i}`.repeat(22) })).status).toBe(200);
    const refused = await report();
    expect(toOutcome(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.body.error.details[0]?.metadata.limit).toBe('reportsPerMinute');
    for (let i = 0; i < 20; i += 1) expect((await report({}, `198.51.100.${i}`)).status).toBe(200);
    const full = await report({}, '198.51.100.99');
    expect(full.body.error.details[0]?.metadata.limit).toBe('reportsOfImagePerMinute');
    world.advance(60_001);
    expect((await report({}, '198.51.100.99')).status).toBe(200);
  });

  it.each<[string, object, string]>([
    ['no token', { token: undefined }, 'token'],
    ['a token that is a path', { token: '../accounts/ann/gener' }, 'token'],
    ['an unknown reason', { reason: 'ugly' }, 'reason'],
    ['empty details', { details: ' ' }, 'details'],
    ['details that are too long', { details: 'x'.repeat(2_001) }, 'details'],
    ['a control character', { details: 'a\u0007b' }, 'details'],
    ['an unknown field', { uid: 'ann' }, 'uid'],
  ])('is refused with %s', async (_, body, field) => {
    const answer = await report(body);
    expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
    expect(JSON.stringify(answer.body.error.details)).toContain(`"field":"${field}"`);
  });
});

it('keeps no report of a share that ends before its commit', async () => {
  const slow = createMemoryStudio({
    world,
    faults: (database) => ({
      async commit(writes) {
        if (world.store.read([`shares/${token}`]).documents[0]) await studio.deleteGeneration(id);
        return database.commit(writes);
      },
    }),
  });
  const body = { token, reason: 'personal', details: 'That is Ann.' };
  expect((await slow.call('report', body, { as: '' })).body).toEqual({ received: true });
  expect(studio.documents('reports')).toEqual([]);
});

it('answers a report of a spoilt share as any other, and keeps nothing', async () => {
  studio.edit(`shares/${token}`, { uid: 5 });
  expect((await report()).body).toEqual({ received: true });
  expect(studio.documents('reports')).toEqual([]);
  expect(studio.findEvents('document_unreadable')).toMatchObject([{ path: `shares/${token}` }]);
});

describe('the list of reports', () => {
  it('has the open ones, newest first, page by page, each with its image and user', async () => {
    for (const last of [1, 2, 3]) {
      await report({ details: `report ${last}` }, `192.0.2.${last}`);
      world.advance(1_000);
    }
    const first = await list({ pageSize: '2' });
    expect(first.reports.map(({ details }: Shown) => details)).toEqual(['report 3', 'report 2']);
    expect(first.reports[0]).toMatchObject({
      uid: 'ann',
      generationId: id,
      token,
      status: 'open',
      image: { url: expect.stringContaining('https://') },
    });
    const second = await list({ pageSize: '2', pageToken: first.nextPageToken });
    expect(second.reports.map(({ details }: Shown) => details)).toEqual(['report 1']);
    expect(second.nextPageToken).toBeUndefined();
    expect((await studio.get('reports', { pageToken: 'bm9uZQ' }, as)).status).toBe(400);
    await studio.deleteGeneration(id);
    expect((await list()).reports.map(({ image }: Shown) => image)).toEqual([null, null, null]);
  });

  it('leaves out a spoilt report and the image of a spoilt generation, and logs both', async () => {
    await report();
    await report({}, '192.0.2.2');
    const [spoilt = ''] = (await list()).reports.map(({ id }: Shown) => id);
    studio.edit(`reports/${spoilt}`, { reason: 'nothing' });
    studio.edit(`accounts/ann/generations/${id}`, { tier: 5 });
    const { reports } = await list();
    expect(reports.map(({ image }: Shown) => image)).toEqual([null]);
    expect(reports[0].id).not.toBe(spoilt);
    expect(studio.findEvents('document_unreadable').map(({ path }) => path)).toEqual([
      `reports/${spoilt}`,
      `accounts/ann/generations/${id}`,
    ]);
  });

  it('is for admins', async () => {
    expect((await studio.get('reports')).status).toBe(403);
    expect((await studio.call('resolveReport', {})).status).toBe(403);
    expect((await studio.call('takedown', {})).status).toBe(403);
  });
});

describe('a report that an admin closes', () => {
  it('dismissed: leaves the image, and is no longer listed', async () => {
    await report();
    const [open] = (await list()).reports;
    const { status, body } = await resolve(open?.id, 'dismissed');
    expect([status, body.report]).toMatchObject([200, { ...open, status: 'dismissed' }]);
    expect((await list()).reports).toEqual([]);
    expect((await studio.get('sharedImage', { token })).status).toBe(200);
    expect(studio.documents('adminActions')).toMatchObject([
      { action: 'resolveReport', actor: 'root', uid: 'ann', generationId: id, reason: 'dismissed' },
    ]);
    expect((await resolve(open?.id, 'dismissed')).body.report).toEqual(body.report);
    expect(studio.documents('adminActions')).toHaveLength(1);
  });

  it('takenDown: removes the image with the reason of the report, also after it was dismissed', async () => {
    await report();
    const [open] = (await list()).reports;
    await resolve(open?.id, 'dismissed');
    expect((await resolve(open?.id, 'takenDown')).body.report).toMatchObject({
      status: 'takenDown',
      image: null,
    });
    const { body } = await studio.get('generation', { id });
    expect(body.generation).toMatchObject({ removedBy: 'studio', removedReason: 'sexual' });
    expect((await studio.get('sharedImage', { token })).status).toBe(404);
    expect((await resolve(open?.id, 'dismissed')).body.report.status).toBe('takenDown');
    const actions = studio.documents('adminActions').map(({ action, reason }) => `${action} ${reason}`);
    expect(actions.sort()).toEqual(['resolveReport dismissed', 'resolveReport takenDown', 'takedown sexual']);
  });

  it('by a take-down: every report of the image and its twins, and no other', async () => {
    const many = createMemoryStudio({ env: { CACHE_TTL_SECONDS: '600' } });
    const shareNew = async (key: string, prompt: string) => {
      const { id } = (await many.generate(key, { prompt })).body.generation;
      const { shareUrl } = (await many.call('share', { id, shared: true })).body.generation;
      for (const address of ['192.0.2.1', '192.0.2.2']) {
        const body = { token: shareUrl?.split('/').at(-1), reason: 'violence' };
        await many.call('report', body, { as: '', address });
      }
      return id;
    };
    const [twin] = [await shareNew('a', 'One'), await shareNew('b', 'One')];
    const other = await shareNew('c', 'Two');
    await many.call('takedown', { uid: 'ann', generationId: twin, reason: 'No.' }, { as });
    const { reports } = (await many.get('reports', {}, as)).body;
    expect(reports.map(({ generationId }: Shown) => generationId)).toEqual([other, other]);
    expect(many.documents('reports').filter(({ status }) => status === 'takenDown')).toMatchObject(
      new Array(4).fill({ resolvedBy: 'root', resolvedAt: expect.any(Date) }),
    );
    expect(many.documents('adminActions')).toHaveLength(5);
  });

  it('is not found by another id', async () => {
    expect(toOutcome(await resolve('0'.repeat(32), 'dismissed'))).toEqual([404, 'NOT_FOUND']);
    expect(toOutcome(await resolve('x', 'dismissed'))).toEqual([400, 'INVALID_REQUEST']);
  });
});
