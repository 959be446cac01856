/** What a credit pack leaves after Stripe's fee, and what is left of it for each image. */

import { getPrice } from '../../shared/config/prices.ts';
import type { Resolution, Tier } from '../../shared/contract.ts';
import { getImageCost, hasResolution, imageModel } from '../../shared/imagegen/models.ts';

/** `price` is in the currency of the fee, before tax. */
export type SoldPack = { price: number; credits: number };

/** Stripe keeps `percent` of the price, and `fixed` in its currency. */
export type StripeFee = { percent: number; fixed: number };

export type Margin = {
  pack: SoldPack;
  /** In the currency of the pack. */
  fee: number;
  tier: Tier;
  modelId: string;
  /** What the credits of one image bring after the fee, what the image costs, and the difference; dollars. */
  earnedUsd: number;
  costUsd: number;
  marginUsd: number;
};

export type MarginOptions = {
  fee: StripeFee;
  /** Dollars for one unit of the pack's currency. */
  usdRate: number;
  tierCredits: Record<Tier, number>;
  /** Those without the resolution are left out. */
  modelIds: readonly string[];
  resolution: Resolution;
  /** What an image costs besides the model: hosting and storage, dollars. */
  otherUsd: number;
};

/** One line for each pack, tier and model. */
export function computeMargins(
  packs: readonly SoldPack[],
  { fee, usdRate, tierCredits, modelIds, resolution, otherUsd }: MarginOptions,
): Margin[] {
  return packs.flatMap((pack) => {
    const kept = (pack.price * fee.percent) / 100 + fee.fixed;
    const creditUsd = ((pack.price - kept) / pack.credits) * usdRate;
    const able = modelIds.map((id) => imageModel(id)).filter((model) => hasResolution(model, resolution));
    return (Object.keys(tierCredits) as Tier[]).flatMap((tier) =>
      able.map((model) => {
        const earnedUsd = creditUsd * getPrice(tierCredits, { tier, resolution });
        const costUsd = getImageCost(model, resolution) / 1_000_000 + otherUsd;
        const marginUsd = earnedUsd - costUsd;
        return { pack, fee: kept, tier, modelId: model.id, earnedUsd, costUsd, marginUsd };
      }),
    );
  });
}

/** The lines for a terminal: each pack, and below it a row for each model with the margin of each tier. */
export function formatMargins(margins: readonly Margin[], currency: string): string[] {
  const packs = [...new Set(margins.map(({ pack }) => pack))];
  return packs.flatMap((pack) => {
    const ofPack = margins.filter((margin) => margin.pack === pack);
    const [{ fee } = { fee: 0 }] = ofPack;
    const models = [...new Set(ofPack.map(({ modelId }) => modelId))];
    return [
      `${pack.price.toFixed(2)} ${currency} for ${pack.credits} credits, less a fee of ${fee.toFixed(2)}; left of an image, in dollars:`,
      ...models.map((modelId) => {
        const cells = ofPack
          .filter((margin) => margin.modelId === modelId)
          .map(({ tier, marginUsd, earnedUsd }) => {
            const share = Math.round((marginUsd / earnedUsd) * 100);
            return `${tier} ${marginUsd.toFixed(4)} (${share} %)`;
          });
        return `  ${modelId.padEnd(28)} ${cells.join(', ')}`;
      }),
    ];
  });
}
