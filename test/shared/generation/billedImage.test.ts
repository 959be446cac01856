/** Which refunds count as images that somebody else has paid for. */
import { expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld } from '../../support/memoryStudio.ts';

it.each([
  ['does not count a refund if only improving the prompt was billed', 0, undefined],
  ['counts a refund if a part of the image was billed', 3, 1],
])('%s', async (_, providerCostMicros, count) => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({
    world,
    write: async () => ({ text: 'No.', finishReason: 'STOP', providerCostMicros: 7 }),
    imageGenerator: async () => {
      throw new Failure('PROVIDER_OVERLOADED', 'The model is overloaded.', { providerCostMicros });
    },
  });
  expect((await studio.generate('k', { enhance: true })).status).toBe(503);
  const [generation] = studio.documents('accounts/ann/generations');
  expect(generation).toMatchObject({ status: 'refunded', providerCostMicros: 7 + providerCostMicros });
  const [account] = world.store.read(['accounts/ann']).documents;
  expect((account?.data.billedRefunds as Date[] | undefined)?.length).toBe(count);
});

it('replays an answer although the spend of the day cannot be summed now', async () => {
  const world = createMemoryWorld();
  const first = await createMemoryStudio({ world }).generate('k');
  const studio = createMemoryStudio({ world, env: { MAX_SPEND_PER_DAY_USD: '1' } });
  world.store.totals = () => {
    throw Object.assign(new Error('PERMISSION_DENIED'), { code: 7 });
  };
  expect(await studio.generate('k')).toEqual(first);
  expect((await studio.generate('other')).status).toBe(500);
});
