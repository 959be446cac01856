/** The call that holds a generation refunds what it has paid, whatever an admin writes into the document meanwhile. */
import { expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { generationPath, hashGenerationId } from '../../../shared/generation/record.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { lostReply, newGeneration, once } from '../../support/watchedDatabase.ts';

const path = generationPath('ann', hashGenerationId('ann', 'k'));

it.each([0, 7])('the price becomes %i before a hold with a lost reply is read again', async (credits) => {
  const edit = once(
    (writes) => newGeneration(writes) !== undefined,
    () => {
      studio.edit(path, { credits });
      throw lostReply();
    },
  );
  const studio = createMemoryStudio({
    imageGenerator: async () => {
      throw new Failure('CONTENT_BLOCKED', 'Blocked.', { metadata: { finishReason: 'SAFETY' } });
    },
    faults: (database) => ({
      async commit(writes) {
        const version = await database.commit(writes);
        await edit(writes);
        return version;
      },
    }),
  });
  const failed = await studio.generate('k');
  expect(toOutcome(failed)).toEqual([422, 'CONTENT_BLOCKED']);
  expect(failed.body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 100 });
  expect(studio.account()).toMatchObject({ balance: 100, settled: 100 });
});

it('the price and the owner are edited, and the worker fails after the deadline', async () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({
    world,
    imageGenerator: async () => {
      studio.edit(path, { credits: 7, owner: 'another' });
      world.advance(600_000);
      throw new Failure('CONTENT_BLOCKED', 'Blocked.', { metadata: { finishReason: 'SAFETY' } });
    },
  });
  await studio.generate('k');
  await studio.sweep();
  expect(studio.account()).toMatchObject({ balance: 100, settled: 100 });
});
