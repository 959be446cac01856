/** A store that is slow or hangs never delays a refund. */
import { expect, it } from 'vitest';
import type { Write } from '../../../shared/database/database.ts';
import { Failure } from '../../../shared/errors.ts';
import { outboxPath } from '../../../shared/generation/outbox.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';

const destroyMs = 3_000;
const minuteMs = 60_000;

/** A studio with images in the outbox. Each deletion takes `destroyMs`, one after the other, and then fails or not. */
function createStudio(items: number, fails: boolean) {
  const world = createMemoryWorld();
  const destroyed: string[] = [];
  const hooks: { onDestroy?: () => void } = {};
  const studio = createMemoryStudio({
    world,
    // The worker dies: the hold stays.
    imageGenerator: () => new Promise(() => {}),
    imageStore: {
      async destroy(publicId) {
        hooks.onDestroy?.();
        destroyed.push(publicId);
        world.advance(destroyMs);
        if (fails) throw new Failure('PROVIDER_TIMEOUT', 'The image store took too long.');
        return true;
      },
    },
  });
  const now = new Date(world.clock.now());
  const writes = Array.from({ length: items }, (_, i): Write => {
    const generationId = i.toString(16).padStart(32, '0');
    const item = { uid: 'bob', generationId, publicId: `image-${i}`, createdAt: now, dueAt: now, until: now };
    return { create: outboxPath(generationId), data: item };
  });
  world.store.commit(writes);
  const findHold = () => studio.documents('accounts/ann/generations')[0];
  /** Leaves a hold that a dead worker holds. */
  async function leaveHold() {
    void studio.generate('k');
    await expect.poll(findHold).toBeDefined();
  }
  return { ...studio, world, destroyed, hooks, leaveHold, findHold };
}

it('refunds what is overdue before it deletes anything', async () => {
  const { world, hooks, sweep, leaveHold, findHold } = createStudio(3, false);
  await leaveHold();
  world.advance(10 * minuteMs);
  const statuses: unknown[] = [];
  hooks.onDestroy = () => void statuses.push(findHold()?.status);
  expect((await sweep()).body).toEqual({ refunded: 1, deletedAssets: 4 });
  expect(new Set(statuses)).toEqual(new Set(['refunded']));
});

it('stops deleting when the store hangs, and says so once', async () => {
  const { world, destroyed, lines, sweep, documents } = createStudio(90, true);
  const startedAt = world.clock.elapsed();
  expect((await sweep()).body).toEqual({ refunded: 0, deletedAssets: 0 });
  expect(destroyed.length).toBeLessThan(20);
  expect(world.clock.elapsed() - startedAt).toBeLessThan(minuteMs);
  expect(lines.filter(({ event }) => event === 'outbox_waits')).toHaveLength(1);
  expect(documents('outbox')).toHaveLength(90);
});

it('looks for overdue holds between the deletions of a full outbox', async () => {
  const { world, destroyed, hooks, sweep, leaveHold, findHold } = createStudio(90, false);
  await leaveHold();
  const deadline = Number(findHold()?.deadline);
  // The hold is not overdue when the sweep begins.
  world.advance(deadline - world.clock.now() - 10_000);
  let refundedAfterMs: number | undefined;
  hooks.onDestroy = () => {
    if (findHold()?.status === 'refunded') refundedAfterMs ??= world.clock.now() - deadline;
  };
  expect((await sweep()).body).toEqual({ refunded: 1, deletedAssets: expect.any(Number) });
  expect(refundedAfterMs).toBeLessThan(minuteMs);
  expect(destroyed.length).toBeGreaterThan(50);
});
