/** A database that goes silent when an image is finished: the image is kept if the database is back in time. */
import { expect, it } from 'vitest';
import { DeadlinePassed } from '../../../shared/core/deadline.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const callMs = 2_500;

/** A studio whose database is silent for this long from the first settling, milliseconds. */
function createStudio(silentMs: number) {
  const world = createMemoryWorld();
  let silentUntil: number | undefined;
  const isSilent = () => world.clock.elapsed() < (silentUntil ?? 0);
  const wait = () => {
    world.advance(callMs);
    throw new DeadlinePassed(`Firestore took more than ${callMs} ms`);
  };
  const studio = createMemoryStudio({
    world,
    imageStore: {
      async store(publicId) {
        silentUntil ??= world.clock.elapsed() + silentMs;
        return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/small' };
      },
    },
    faults: (database) => ({
      read: async (paths) => (isSilent() ? wait() : database.read(paths)),
      commit: async (writes) => (isSilent() ? wait() : database.commit(writes)),
    }),
  });
  return { ...studio, world };
}

it.each([5_000, 15_000, 60_000, 115_000])('of %i ms costs nobody the image', async (silentMs) => {
  const studio = createStudio(silentMs);
  const answer = await studio.generate('k');
  expect(answer.status).toBe(200);
  expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 0, balance: 99 });
  expect(studio.documents('outbox')).toEqual([]);
});

it('that lasts past the time of the call is a refund, before the deadline of the hold', async () => {
  const studio = createStudio(122_000);
  const answer = await studio.generate('k');
  expect(toOutcome(answer)).toEqual([503, 'DATABASE_UNAVAILABLE']);
  expect(answer.body.error.details[0]?.metadata.retry).toBe('new_key');
  expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 100 });
  expect(studio.documents('outbox')).toHaveLength(1);
  const [generation] = studio.documents('accounts/ann/generations');
  expect(studio.world.clock.now()).toBeLessThan(Number(generation?.deadline));
});

it('for the rest of the day is left to the sweep, and is answered before Cloud Run gives up', async () => {
  const studio = createStudio(86_400_000);
  const answer = await studio.generate('k');
  expect(answer.body.error.details[0]?.metadata.retry).toBe('same_key');
  expect(studio.world.clock.elapsed()).toBeLessThan(150_000);
  studio.world.advance(86_400_000);
  await studio.sweep();
  expect(studio.account()?.balance).toBe(100);
});
