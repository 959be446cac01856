/** Twins share one image, which is deleted together with the last of them. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import { isCached, startCache } from '../support/cacheUsers.ts';
import { missingImages } from '../support/invariants.ts';
import { getRefusal } from '../support/replies.ts';
import { runJob } from '../support/scheduler.ts';
import { lostReply, newGeneration, once } from '../support/watchedDatabase.ts';

const cache = await startCache();
const { stack, hooks, other, countModelCalls, createTwins, findCacheItems, expectSound, findDestroys } =
  cache;

beforeEach(cache.clearHooks);
afterAll(() => stack.close());

describe('deleting twins', () => {
  const orders = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'].map((keys) => [...keys]);

  it.each(orders)(
    'in the order %s, %s, %s: keeps the image until the last twin is deleted',
    async (...order) => {
      const { user, publicId, url } = await createTwins('b', 'c');
      for (const [i, key] of order.entries()) {
        expect((await fetch(url)).status).toBe(200);
        const removed = await user.remove(key);
        expect(removed.body.generation).toMatchObject({ status: 'deleted', image: null, prompt: null });
        const left = order.slice(i + 1);
        const shown = (await user.get('gallery')).body.generations as {
          id: string;
          image: { url: string };
        }[];
        expect(shown.map(({ id }) => id).sort()).toEqual(
          left.map((each) => hashGenerationId(user.uid, each)).sort(),
        );
        for (const { image } of shown) expect(image.url).toBe(url);
        expect(findDestroys(publicId)).toHaveLength(left.length === 0 ? 1 : 0);
        await expectSound(user);
      }
      expect((await fetch(url)).status).toBe(404);
      expect(stack.cloudinary.assets.has(publicId)).toBe(false);
      expect(await stack.document(`outbox/${hashGenerationId(user.uid, 'a')}`)).toBeUndefined();
      expect((await user.getStored('a'))?.sharers).toEqual([]);
      for (const key of order) expect((await user.remove(key)).status).toBe(200);
      expect(findDestroys(publicId)).toHaveLength(1);
    },
  );

  it('all at once leaves no stray image and deletes it once', async () => {
    const keys = ['b', 'c', 'd', 'e', 'f'];
    const { user, publicId } = await createTwins(...keys);
    const answers = await Promise.all(
      ['a', ...keys].map((key, i) => user.remove(key, i % 2 ? other.url : undefined)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect((await user.getStored('a'))?.sharers).toEqual([]);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(findDestroys(publicId)).toHaveLength(1);
    expect(await stack.document(`outbox/${hashGenerationId(user.uid, 'a')}`)).toBeUndefined();
    await expectSound(user);
  });

  it.each([
    ['the twin', 'the original', 'b', 'a'],
    ['the original', 'a twin', 'a', 'b'],
    ['a twin', 'another twin', 'b', 'c'],
  ])('%s while another server deletes %s: removes both from the list of sharers', async (...names) => {
    const [, , first, second] = names;
    const { user, publicId } = await createTwins('b', 'c');
    hooks.beforeCommit = once(
      () => true,
      async () => void expect((await user.remove(second)).status).toBe(200),
    );
    expect((await user.remove(first, other.url)).status).toBe(200);
    const left = ['a', 'b', 'c'].filter((key) => key !== first && key !== second);
    expect((await user.getStored('a'))?.sharers).toEqual(left.map((key) => hashGenerationId(user.uid, key)));
    expect(stack.cloudinary.assets.has(publicId)).toBe(true);
    await expectSound(user);
    for (const key of left) await user.remove(key);
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectSound(user);
  });

  it('keeps the image for the others even after the list of sharers was deleted in the console', async () => {
    const { user, publicId, url } = await createTwins('b', 'c');
    await stack.erase(user.getPath('a'));
    expect((await user.remove('b')).body.generation.status).toBe('deleted');
    expect((await fetch(url)).status).toBe(200);
    expect(await missingImages(stack, [user.uid])).toEqual([]);
    expect((await user.remove('c')).body.generation.status).toBe('deleted');
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    expect(findDestroys(publicId)).toHaveLength(1);
  });

  it('removes the cache document, so the same prompt generates a new image', async () => {
    const { user } = await createTwins('b');
    await user.remove('a');
    expect(await findCacheItems(user.uid)).toEqual([]);
    const next = await user.ask('c');
    expect(isCached(next)).toEqual([200, false]);
    expect(next.body.receipt).toMatchObject({ charged: 2, balance: 16 });
    await expectSound(user);
  });

  it('answers their keys with 410 and never generates them again', async () => {
    const { user } = await createTwins('b');
    for (const key of ['a', 'b']) await user.remove(key);
    const before = countModelCalls();
    for (const key of ['a', 'b']) {
      const answer = await user.ask(key);
      expect(getRefusal(answer)).toEqual([410, 'DELETED']);
      expect(answer.body.receipt.charged).toBe(key === 'a' ? 2 : 0);
    }
    expect(countModelCalls()).toBe(before);
  });

  it('leaves the image to the sweep if the store fails or the reply is lost', async () => {
    const { user, publicId } = await createTwins('b');
    await user.remove('a');
    stack.cloudinary.script({ action: 'destroy', ...cloudinaryFault.error(500) });
    expect((await user.remove('b')).status).toBe(200);
    const path = `outbox/${hashGenerationId(user.uid, 'a')}`;
    expect(await stack.document(path)).toMatchObject({ publicId });
    await expectSound(user);

    const lost = await createTwins('b');
    await lost.user.remove('b');
    hooks.afterCommit = once(
      () => true,
      () => {
        throw lostReply();
      },
    );
    expect((await lost.user.remove('a', other.url)).status).toBe(200);
    expect((await stack.document(`outbox/${hashGenerationId(lost.user.uid, 'a')}`))?.publicId).toBe(
      lost.publicId,
    );
    await stack.edit(path, { dueAt: new Date(0) });
    expect((await runJob(stack, 'sweepHolds')).body.deletedAssets).toBe(2);
    for (const id of [publicId, lost.publicId]) expect(stack.cloudinary.assets.has(id)).toBe(false);
  });
});

describe('a hit and the deletion of its source at the same time', () => {
  it('generates a new image if the source is deleted between read and commit', async () => {
    const { user, publicId } = await createTwins();
    hooks.beforeCommit = once(
      (writes) => newGeneration(writes)?.cached === true,
      async () => void expect((await user.remove('a')).status).toBe(200),
    );
    const answer = await user.ask('b', {}, other.url);
    expect(isCached(answer)).toEqual([200, false]);
    expect(answer.body.receipt).toMatchObject({ charged: 2, balance: 16 });
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectSound(user);
  });

  it('keeps the image for a hit that comes while the source is being deleted', async () => {
    const { user, publicId } = await createTwins();
    hooks.beforeCommit = once(
      () => true,
      async () => void expect(isCached(await user.ask('b'))).toEqual([200, true]),
    );
    expect((await user.remove('a', other.url)).body.generation.status).toBe('deleted');
    expect(stack.cloudinary.assets.has(publicId)).toBe(true);
    await expectSound(user);
    await user.remove('b');
    expect(stack.cloudinary.assets.has(publicId)).toBe(false);
    await expectSound(user);
  });

  it('adds up after many of both at once', async () => {
    const { user } = await createTwins('b');
    const work = [
      ...['c', 'd', 'e', 'f'].map((key, i) => user.ask(key, {}, i % 2 ? other.url : undefined)),
      user.remove('a', other.url),
      user.remove('b'),
    ];
    const answers = await Promise.all(work);
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    await expectSound(user);
    for (const key of ['c', 'd', 'e', 'f']) await user.remove(key);
    expect((await user.get('gallery')).body.generations).toEqual([]);
    await expectSound(user);
    const theirs = (await stack.ledger(user.uid)).generations.map(({ publicId }) => publicId);
    expect(theirs.filter((id) => stack.cloudinary.assets.has(id))).toEqual([]);
  });
});
