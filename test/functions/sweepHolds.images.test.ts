/** The sweep deletes every image that belongs to no generation, also one that is uploaded late. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import type { Database } from '../../shared/database/database.ts';
import { generationPath, hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getErrorInfo, getRefusal } from '../support/replies.ts';
import { fromNow, hourMs, minuteMs, overdue, startSweeps } from '../support/sweeps.ts';

const sweeps = await startSweeps();
const { stack, gemini, upload, leaveHold, isStored, getOutboxItem, sweep, findDestroys } = sweeps;

beforeEach(sweeps.reset);
afterAll(sweeps.close);

describe('an image without a generation', () => {
  it('is deleted by the sweep that refunds its generation, from the CDN too', async () => {
    await stack.user('ann', 20);
    const { publicId, outbox } = await leaveHold('ann', 'k', { uploaded: true });
    expect(isStored(publicId)).toBe(true);
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(findDestroys(publicId)).toMatchObject([{ invalidate: true }]);
    expect(await stack.document(outbox)).toMatchObject({ uid: 'ann', publicId });
  });

  it('is looked for until one hour after the deadline', async () => {
    await stack.user('ann', 20);
    const deadline = overdue();
    const { publicId, outbox } = await leaveHold('ann', 'k', { uploaded: true, deadline });
    await sweep();
    const item = await getOutboxItem(outbox);
    expect(item.until).toEqual(new Date(deadline.getTime() + hourMs));
    expect(item.dueAt.getTime()).toBeGreaterThan(Date.now());
    expect(item.dueAt.getTime()).toBeLessThanOrEqual(item.until.getTime());
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(findDestroys(publicId)).toHaveLength(1);

    for (const times of [2, 3]) {
      await stack.edit(outbox, { dueAt: overdue() });
      expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
      expect(findDestroys(publicId)).toHaveLength(times);
      expect(await stack.document(outbox)).toBeDefined();
    }
    // The last look is at the end of that hour, never before.
    await stack.edit(outbox, { dueAt: overdue(), until: fromNow(2_000) });
    await sweep();
    const last = await getOutboxItem(outbox);
    expect(last.dueAt).toEqual(last.until);

    await stack.edit(outbox, { dueAt: overdue(), until: overdue() });
    await sweep();
    expect(findDestroys(publicId)).toHaveLength(5);
    expect(await stack.document(outbox)).toBeUndefined();
  });

  it('is deleted by a later sweep if it was uploaded after the first one', async () => {
    await stack.user('ann', 20);
    const { publicId, outbox } = await leaveHold('ann', 'k');
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    await upload(publicId);
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    await stack.edit(outbox, { dueAt: overdue(), until: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await stack.document(outbox)).toBeUndefined();
  });

  it('of a slow worker whose hold was swept is deleted, and the worker answers 410', async () => {
    const user = await stack.user('ann', 20);
    const id = hashGenerationId('ann', 'slow');
    const late = await gemini.during(
      () => user.generate('slow', { tier: 'premium2' }),
      async () => {
        await stack.edit(generationPath('ann', id), { deadline: overdue() });
        expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
      },
    );
    expect(getRefusal(late)).toEqual([410, 'EXPIRED']);
    expect(late.body.receipt).toMatchObject({ charged: 2, refunded: 2, balance: 20 });
    const { publicId } = (await stack.ledger('ann')).generations[0] ?? { publicId: '' };
    expect(isStored(publicId)).toBe(true);
    await stack.edit(`outbox/${id}`, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });

  it('of a worker that died between upload and settling is deleted, and the debit refunded', async () => {
    const user = await stack.user('ann', 20);
    let commits = 0;
    const dying: Database = {
      ...stack.database,
      async commit(writes) {
        commits += 1;
        if (commits > 1) throw Object.assign(new Error('The process is gone'), { code: 7 });
        return stack.database.commit(writes);
      },
    };
    const { url } = await stack.startServer({}, { database: dying });
    const unsettled = await user.generate('k', {}, url);
    expect(unsettled.status).toBe(500);
    expect(getErrorInfo(unsettled).metadata.retry).toBe('same_key');
    const [generation] = (await stack.ledger('ann')).generations;
    if (!generation) throw new Error('There is no generation');
    expect([generation.status, isStored(generation.publicId)]).toEqual(['pending', true]);

    await stack.edit(generationPath('ann', generation.id), { deadline: overdue() });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(generation.publicId)).toBe(false);
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 20 });
    expect(getRefusal(await user.generate('k'))).toEqual([410, 'EXPIRED']);
  });

  it.each([
    ['an error of the image store', cloudinaryFault.error(500), true],
    ['a rate limit of the image store', cloudinaryFault.rateLimited(), true],
    ['a broken connection', cloudinaryFault.reset(), true],
    ['a deletion whose reply was lost', { ...cloudinaryFault.reset(), afterWork: true }, false],
  ])('is tried again after %s', async (_, fault, stays) => {
    await stack.user('ann', 20);
    const failing = await leaveHold('ann', 'failing', { uploaded: true, deadline: fromNow(-2_000) });
    stack.cloudinary.script({ ...fault, action: 'destroy' });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect(isStored(failing.publicId)).toBe(stays);
    const { dueAt } = await getOutboxItem(failing.outbox);
    expect(dueAt.getTime()).toBeLessThanOrEqual(Date.now() + minuteMs);

    await stack.edit(failing.outbox, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: stays ? 1 : 0 });
    expect(isStored(failing.publicId)).toBe(false);
    expect(findDestroys(failing.publicId)).toHaveLength(2);
  });

  it('is deleted even if another one cannot be', async () => {
    await stack.user('ann', 20);
    const left = [];
    for (const key of ['a', 'b', 'c']) left.push(await leaveHold('ann', key, { uploaded: true }));
    stack.cloudinary.script({ ...cloudinaryFault.error(503), action: 'destroy' });
    expect(await sweep()).toEqual({ refunded: 3, deletedAssets: 2 });
    expect(left.filter(({ publicId }) => isStored(publicId))).toHaveLength(1);
    for (const { outbox } of left) await stack.edit(outbox, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
  });

  it('of a deleted generation is deleted by the sweep if deleteGeneration could not', async () => {
    const user = await stack.user('ann', 20);
    const { id } = (await user.generate('k')).body.generation;
    const { publicId } = (await stack.ledger('ann')).generations[0] ?? { publicId: '' };
    stack.cloudinary.script({ ...cloudinaryFault.error(500), action: 'destroy' });
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    expect(isStored(publicId)).toBe(true);
    await stack.edit(`outbox/${id}`, { dueAt: overdue() });
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(await stack.document(`outbox/${id}`)).toBeUndefined();
  });
});
