/** While the image store refuses our calls, no image is generated: it could not be stored, but would be billed. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createStoreAccess } from '../../../shared/images/storeAccess.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const minute = 60_000;
const misconfigured = [500, 'PROVIDER_MISCONFIGURED'];

/** A studio whose store refuses us until `repair`. */
function createStudio() {
  const world = createMemoryWorld();
  let isRefusing = true;
  /** Awaited by each upload. */
  let gate = Promise.resolve();
  let uploads = 0;
  const studio = createMemoryStudio({
    world,
    imageStore: {
      async store(publicId) {
        uploads += 1;
        await gate;
        if (isRefusing) throw new Failure('PROVIDER_MISCONFIGURED', 'The store refuses us.');
        return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/small' };
      },
    },
  });
  return {
    ...studio,
    advance: world.advance,
    uploads: () => uploads,
    repair: () => {
      isRefusing = false;
    },
    hold: () => {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
  };
}

describe('a store that refuses us', () => {
  it('fails the first generation, which is refunded and logged as an error, and is not asked again', async () => {
    const studio = createStudio();
    const answer = await studio.generate('a');
    expect(toOutcome(answer)).toEqual(misconfigured);
    expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
    expect(studio.uploads()).toBe(1);
    expect(studio.lines.at(-1)).toMatchObject({ severity: 'ERROR', reason: 'PROVIDER_MISCONFIGURED' });
  });

  it('is known for a minute: requests are refused before any debit, and no image is generated', async () => {
    const studio = createStudio();
    await studio.generate('a');
    const { balance, sequence } = studio.account() ?? {};
    studio.advance(minute - 1_000);
    const refused = await studio.generate('b');
    expect(toOutcome(refused)).toEqual(misconfigured);
    expect(refused.body.receipt).toBeUndefined();
    expect(refused.body.error.details[0]?.metadata.retry).toBe('same_key');
    expect(studio.lines.at(-1)).toMatchObject({ severity: 'ERROR' });
    expect([studio.generated(), studio.uploads()]).toEqual([1, 1]);
    expect(studio.account()).toMatchObject({ balance, sequence });
    expect(studio.documents('accounts/ann/generations')).toHaveLength(1);
  });

  it('does not keep a finished generation from being replayed', async () => {
    const studio = createStudio();
    studio.repair();
    expect((await studio.generate('a')).status).toBe(200);
    studio.services.storeAccess.recordRefusal();
    expect(toOutcome(await studio.generate('b'))).toEqual(misconfigured);
    expect((await studio.generate('a')).status).toBe(200);
  });

  it('is tried again by one request after a minute, and open to all once that has stored its image', async () => {
    const studio = createStudio();
    await studio.generate('a');
    studio.advance(minute);
    studio.repair();
    const open = studio.hold();
    const probe = studio.generate('b');
    await expect.poll(studio.uploads).toBe(2);
    expect(toOutcome(await studio.generate('c'))).toEqual(misconfigured);
    open();
    expect((await probe).status).toBe(200);
    expect((await studio.generate('c')).status).toBe(200);
  });

  it('is known for another minute if it still refuses us', async () => {
    const studio = createStudio();
    await studio.generate('a');
    studio.advance(minute);
    expect(toOutcome(await studio.generate('b'))).toEqual(misconfigured);
    studio.advance(minute - 1_000);
    await studio.generate('c');
    expect(studio.generated()).toBe(2);
  });

  it('costs a generation nothing that was held before it was known', async () => {
    const world = createMemoryWorld();
    const studio = createMemoryStudio({ world, imageGenerator: async () => image() });
    const { services } = studio;
    // The refusal becomes known between the hold and the model.
    const loadGenerator = services.imageGenerator;
    services.imageGenerator = () => {
      services.storeAccess.recordRefusal();
      return loadGenerator();
    };
    const answer = await studio.generate('a');
    expect(toOutcome(answer)).toEqual(misconfigured);
    expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
    expect(studio.generated()).toBe(0);
  });
});

it('a request that never reaches the store does not postpone the next try', () => {
  const { clock, advance } = virtualClock();
  const access = createStoreAccess(clock);
  access.recordRefusal();
  expect(() => access.claim('1K')).toThrow(/not set up correctly/);
  advance(minute);
  // As a request does that is refused for other reasons.
  expect(access.refusal('1K')).toBeUndefined();
  expect(access.refusal('1K')).toBeUndefined();
  access.claim('1K');
  expect(access.refusal('1K')?.reason).toBe('PROVIDER_MISCONFIGURED');
  access.recordSuccess();
  expect(access.refusal('1K')).toBeUndefined();
});
