/** Sweeps at the same time do nothing twice, and a broken document does not stop a sweep. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { fromNow, hourMs, overdue, startSweeps } from '../support/sweeps.ts';

const sweeps = await startSweeps();
const { stack, leaveHold, isStored, getStatus, sweep } = sweeps;

beforeEach(sweeps.reset);
afterAll(sweeps.close);

describe('several sweeps at once', () => {
  it('refund each hold once and delete each image once, and their counts add up', async () => {
    const uids = Array.from({ length: 5 }, (_, i) => `user-${i}`);
    const left = [];
    for (const uid of uids) {
      await stack.user(uid, 20);
      for (const key of ['a', 'b', 'c', 'd']) left.push(await leaveHold(uid, key, { uploaded: true }));
    }
    const other = await stack.startServer();
    const urls = [stack.url, other.url, stack.url, other.url];
    const answers = await Promise.all(urls.map((url) => sweep(url)));
    const sum = (field: 'refunded' | 'deletedAssets') =>
      answers.reduce((total, answer) => total + answer[field], 0);
    expect(sum('refunded')).toBe(20);
    expect(sum('deletedAssets')).toBe(20);

    for (const uid of uids) {
      const { account, entries } = await stack.ledger(uid);
      expect(account).toMatchObject({ balance: 20, settled: 20 });
      expect(entries.filter(({ type }) => type === 'refund')).toHaveLength(4);
      expect(await brokenInvariants(stack, uid)).toEqual([]);
    }
    expect(left.filter(({ publicId }) => isStored(publicId))).toEqual([]);
    expect(stack.logs.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });
});

describe('a document that cannot be parsed', () => {
  it.each<[string, Record<string, unknown>]>([
    ['only a status', { owner: undefined, credits: undefined, tier: undefined, request: undefined }],
    ['a price that is text', { credits: 'one' }],
    ['no owner', { owner: null }],
    ['an unknown tier', { tier: 'golden' }],
    ['an unknown status', { status: 'exploded' }],
    ['a status that is a number', { status: 7 }],
  ])(
    'with %s does not stop the other refunds, and is refunded itself while it is pending',
    async (_, fields) => {
      await stack.user('ann', 20);
      const broken = await leaveHold('ann', 'broken', { deadline: fromNow(-hourMs) });
      await stack.edit(broken.path, fields);
      const sound = await leaveHold('ann', 'sound');
      const isPending = !('status' in fields);
      expect(await sweep()).toEqual({ refunded: isPending ? 2 : 1, deletedAssets: 0 });
      expect(await getStatus(sound.path)).toBe('refunded');
      if (isPending) {
        expect((await stack.ledger('ann')).account).toMatchObject({ balance: 20, settled: 20 });
        expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
        expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'ERROR', path: broken.path }));
      }
    },
  );

  it('does not stop the sweep, even if there are more of them than one page, with the same deadline', async () => {
    const deadline = overdue();
    await stack.user('zoe', 20);
    const sound = await leaveHold('zoe', 'sound', { deadline });
    await stack.database.commit(
      Array.from({ length: 105 }, (_, i) => ({
        create: `accounts/ann/generations/broken-${i}`,
        data: { status: 'pending', deadline },
      })),
    );
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect(await getStatus(sound.path)).toBe('refunded');
  });

  it('in the outbox does not stop the other deletions', async () => {
    await stack.user('ann', 20);
    await stack.edit('outbox/broken', { dueAt: fromNow(-hourMs), publicId: 7 });
    const { publicId } = await leaveHold('ann', 'k', { uploaded: true });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 1 });
    expect(isStored(publicId)).toBe(false);
    expect(stack.logs).toContainEqual(expect.objectContaining({ severity: 'ERROR', path: 'outbox/broken' }));
  });
});
