/** What a credit pack leaves after Stripe's fee, and what is left of it for each image. */
import type { Tier } from '../../shared/contract.ts';
import { imageModel } from '../../shared/imagegen/models.ts';

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
  modelIds: readonly string[];
  /** What an image costs besides the model: hosting and storage, dollars. */
  otherUsd: number;
};

/** One line for each pack, tier and model. */
export function computeMargins(
  packs: readonly SoldPack[],
  { fee, usdRate, tierCredits, modelIds, otherUsd }: MarginOptions,
): Margin[] {
  return packs.flatMap((pack) => {
    const kept = (pack.price * fee.percent) / 100 + fee.fixed;
    const creditUsd = ((pack.price - kept) / pack.credits) * usdRate;
    return Object.entries(tierCredits).flatMap(([tier, credits]) =>
      modelIds.map((modelId) => {
        const earnedUsd = creditUsd * credits;
        const costUsd = imageModel(modelId).costMicros / 1_000_000 + otherUsd;
        const marginUsd = earnedUsd - costUsd;
        return { pack, fee: kept, tier: tier as Tier, modelId, earnedUsd, costUsd, marginUsd };
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
