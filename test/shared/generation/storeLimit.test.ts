/** An image that is too large for the plan of the image store: its resolution is refused before the next one is generated. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { TierOffer } from '../../../shared/contract.ts';
import { toUploadFailure } from '../../../shared/images/cloudinaryFailures.ts';
import { createMemoryStudio, createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';

const hourMs = 3_600_000;
const storageError = [502, 'STORAGE_ERROR'];

/** A studio with a store that takes no image of more than 10 MB. Images of one resolution have 25 MB, all others one. */
function createStudio(message?: string, tooLarge = '4K') {
  const world = createMemoryWorld();
  let resolution: unknown;
  const studio = createMemoryStudio({
    world,
    async imageGenerator(request) {
      resolution = request.resolution;
      const facts = { mimeType: 'image/png' as const, width: 1024, height: 1024, bytes: 3, chunks: [] };
      return { ...facts, model: 'model', providerCostMicros: 39_000 };
    },
    imageStore: {
      async store(publicId) {
        const url = `https://images.example/${publicId}`;
        if (resolution !== tooLarge) return { url, thumbnailUrl: url };
        const error = { http_code: message ? 400 : 413, message };
        throw toUploadFailure('store', error, {}, world.clock.now());
      },
    },
  });
  return { ...studio, advance: world.advance };
}

describe.each([
  ['File size too large. Got 25000000. Maximum is 10485760.', '10485760'],
  [undefined, undefined],
])('the store says %s', (message, maxBytes) => {
  let studio: ReturnType<typeof createStudio>;
  beforeEach(() => {
    studio = createStudio(message);
  });

  it('the first generation is refunded at once, and says what to do', async () => {
    const answer = await studio.generate('a', { resolution: '4K' });
    expect(toOutcome(answer)).toEqual(storageError);
    expect(answer.body.error.message).toBe(
      message
        ? 'The image has 25 MB, and the image store takes at most 10.5 MB. Choose a lower resolution.'
        : 'The image is too large for the image store. Choose a lower resolution.',
    );
    expect(answer.body.error.details[0]?.metadata.maxBytes).toBe(maxBytes);
    expect(answer.body.receipt).toMatchObject({ charged: 4, refunded: 4 });
    // The same file again would be too large again.
    expect(studio.documents('accounts/ann/generations')).toMatchObject([{ status: 'refunded' }]);
  });

  it('the next one of this resolution is refused before any debit, and no image is generated', async () => {
    await studio.generate('a', { resolution: '4K' });
    const refused = await studio.generate('b', { resolution: '4K' });
    expect(toOutcome(refused)).toEqual(storageError);
    expect(refused.body.error.message).toMatch(/^Images of 4K are too large/);
    expect(refused.body.error.details[0]?.metadata).toMatchObject({
      retry: 'no',
      ...(maxBytes && { maxBytes }),
    });
    expect(refused.body.receipt).toBeUndefined();
    expect(studio.generated()).toBe(1);
    // Its own failure again.
    expect((await studio.generate('a', { resolution: '4K' })).body.receipt).toMatchObject({ refunded: 4 });
  });

  it('lower ones are generated, and the account offers only those', async () => {
    const offered = async () => {
      const { body } = await studio.get('account');
      return (body.tiers as TierOffer[])[0]?.resolutions.map(({ resolution }) => resolution);
    };
    expect(await offered()).toEqual(['1K', '2K', '4K']);
    await studio.generate('a', { resolution: '4K' });
    expect(await offered()).toEqual(['1K', '2K']);
    expect((await studio.generate('b', { resolution: '2K' })).status).toBe(200);
    expect((await studio.generate('c')).status).toBe(200);
  });

  it('it is tried again after an hour', async () => {
    await studio.generate('a', { resolution: '4K' });
    studio.advance(hourMs - 1);
    await studio.generate('b', { resolution: '4K' });
    expect(studio.generated()).toBe(1);
    studio.advance(1);
    await studio.generate('b', { resolution: '4K' });
    expect(studio.generated()).toBe(2);
  });
});

it('an image of 1K that is too large closes nothing: most others are far smaller', async () => {
  const studio = createStudio('File size too large. Got 25000000. Maximum is 10485760.', '1K');
  for (const key of ['a', 'b']) expect(toOutcome(await studio.generate(key))).toEqual(storageError);
  expect(studio.generated()).toBe(2);
  expect((await studio.generate('c', { resolution: '4K' })).status).toBe(200);
});
