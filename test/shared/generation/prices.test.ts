/** What an image costs and what it is: for each model, tier, resolution and orientation. */
import { describe, expect, it } from 'vitest';
import type { AspectRatio, Orientation, Resolution, Tier, TierOffer } from '../../../shared/contract.ts';
import type { GeneratedImage } from '../../../shared/imagegen/gemini.ts';
import { type ImageShape, imageModels } from '../../../shared/imagegen/models.ts';
import { createMemoryStudio, toOutcome } from '../../support/memoryStudio.ts';

type Size = [width: number, height: number];
/** Pixels in landscape, and their aspect ratios in both orientations. */
const shapes: Record<Tier, { old: Size; new: Size; ratios: Record<Orientation, AspectRatio> }> = {
  standard: { old: [1024, 1024], new: [1024, 1024], ratios: { landscape: '1:1', portrait: '1:1' } },
  premium2: { old: [1248, 832], new: [1264, 848], ratios: { landscape: '3:2', portrait: '2:3' } },
  premium4: { old: [1344, 768], new: [1376, 768], ratios: { landscape: '16:9', portrait: '9:16' } },
};
const credits: Record<Tier, Record<Resolution, number>> = {
  standard: { '1K': 1, '2K': 2, '4K': 4 },
  premium2: { '1K': 2, '2K': 4, '4K': 8 },
  premium4: { '1K': 4, '2K': 8, '4K': 16 },
};
const factors: Record<Resolution, number> = { '1K': 1, '2K': 2, '4K': 4 };
/** Micro-dollars. */
const costs: Record<string, { sizes: 'old' | 'new' } & Partial<Record<Resolution, number>>> = {
  'gemini-2.5-flash-image': { sizes: 'old', '1K': 39_000 },
  'gemini-nano-banana-2.1': { sizes: 'new', '1K': 33_600, '2K': 50_400, '4K': 113_400 },
  'gemini-3.1-flash-lite-image': { sizes: 'new', '1K': 34_000 },
  'gemini-3.1-flash-image': { sizes: 'new', '1K': 67_000, '2K': 101_000, '4K': 151_000 },
  'gemini-3-pro-image': { sizes: 'new', '1K': 134_000, '2K': 134_000, '4K': 240_000 },
};
const tiers = Object.keys(credits) as Tier[];
const resolutions = Object.keys(factors) as Resolution[];

/** A model that paints what it is asked for. It remembers each request. */
function startStudio(modelId: string) {
  const shapesAsked: ImageShape[] = [];
  const studio = createMemoryStudio({
    env: {
      IMAGEGEN_MODEL_ID: modelId,
      IMAGEGEN_FALLBACK_MODEL_IDS: '',
      SIGNUP_CREDITS: '1000',
      MAX_PER_MINUTE_PER_USER: '1000',
    },
    async generateImage(model, { aspectRatio, resolution }): Promise<GeneratedImage> {
      shapesAsked.push({ aspectRatio, resolution });
      const [width, height] = model.sizes[aspectRatio].map((side) => side * factors[resolution]) as Size;
      const cost = { providerCostMicros: model.costMicros[resolution] ?? Number.NaN };
      return { mimeType: 'image/jpeg', width, height, bytes: 3, chunks: [], model: model.id, ...cost };
    },
  });
  return { studio, shapesAsked };
}

describe.each(Object.entries(costs))('%s', (modelId, { sizes, ...costMicros }) => {
  const { studio, shapesAsked } = startStudio(modelId);
  const rows = tiers.flatMap((tier) =>
    resolutions.flatMap((resolution) =>
      (['landscape', 'portrait'] as const).map((orientation) => ({ tier, resolution, orientation })),
    ),
  );

  it.each(rows)('$tier, $resolution, $orientation', async ({ tier, resolution, orientation }) => {
    const answer = await studio.generate(`${tier} ${resolution} ${orientation}`, {
      tier,
      resolution,
      orientation,
    });
    if (costMicros[resolution] === undefined) {
      expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
      expect(answer.body.error.message).toMatch(
        /^resolution must be 1K: no model of this studio makes [24]K/,
      );
      return;
    }
    const landscape = shapes[tier][sizes].map((side) => side * factors[resolution]);
    const [width, height] = orientation === 'portrait' ? landscape.toReversed() : landscape;
    expect(answer.body).toMatchObject({
      generation: { tier, resolution, orientation, model: modelId, image: { width, height } },
      receipt: { charged: credits[tier][resolution], refunded: 0 },
    });
    const record = studio.documents('accounts/ann/generations');
    expect(
      record.find(({ image }) => (image as { url: string })?.url === answer.body.generation.image?.url),
    ).toMatchObject({ providerCostMicros: costMicros[resolution], credits: credits[tier][resolution] });
    expect(shapesAsked.at(-1)).toEqual({ aspectRatio: shapes[tier].ratios[orientation], resolution });
  });

  it('has the same prices and pixels in the account', async () => {
    const { body } = (await studio.get('account')) as { body: unknown } as { body: { tiers: TierOffer[] } };
    const offers = tiers.map((id) => {
      const [width, height] = shapes[id][sizes];
      const aspectRatio = shapes[id].ratios.landscape;
      const offered = resolutions
        .filter((resolution) => costMicros[resolution] !== undefined)
        .map((resolution) => ({
          resolution,
          credits: credits[id][resolution],
          width: width * factors[resolution],
          height: height * factors[resolution],
        }));
      return { id, credits: credits[id]['1K'], aspectRatio, width, height, resolutions: offered };
    });
    expect(body.tiers).toEqual(offers);
  });
});

it('TIER_CREDITS sets the price of 1K, which the resolution multiplies', async () => {
  const studio = createMemoryStudio({ env: { TIER_CREDITS: 'standard=3,premium2=5,premium4=7' } });
  for (const [tier, resolution, charged] of [
    ['standard', '1K', 3],
    ['premium2', '2K', 10],
    ['premium4', '4K', 28],
  ] as const) {
    const { body } = await studio.generate(tier, { tier, resolution });
    expect(body.receipt).toMatchObject({ charged });
  }
});

it('an image that cannot be paid for is refused at its own price', async () => {
  const studio = createMemoryStudio({ env: { SIGNUP_CREDITS: '15' } });
  const refused = await studio.generate('a', { tier: 'premium4', resolution: '4K' });
  expect(toOutcome(refused)).toEqual([402, 'INSUFFICIENT_CREDITS']);
  expect(refused.body.error.details[0]?.metadata).toMatchObject({ required: '16', balance: '15' });
});

it('every model of the catalogue is in the table', () => {
  const table = Object.entries(costs).map(([id, { sizes: _, ...micros }]) => [id, micros]);
  expect(Object.fromEntries(imageModels.map(({ id, costMicros }) => [id, costMicros]))).toEqual(
    Object.fromEntries(table),
  );
});
