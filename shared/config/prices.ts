/** What images cost, in credits: the tiers' prices, which TIER_CREDITS overrides, and the factors of the resolutions. */
import type { GenerateRequest } from '../contract/generate.ts';
import type { Resolution, Tier } from '../contract/tiers.ts';

/** The credits of each tier at 1K if the environment names none. */
export const tierCreditsDefault = 'standard=1,premium2=2,premium4=4';

/** How many times the credits of its tier an image costs. */
const priceFactors: Record<Resolution, number> = { '1K': 1, '2K': 2, '4K': 4 };

/** The price of an image, credits. @param tierCredits the price of each tier at 1K. */
export const getPrice = (
  tierCredits: Record<Tier, number>,
  { tier, resolution }: Pick<GenerateRequest, 'tier' | 'resolution'>,
): number => tierCredits[tier] * priceFactors[resolution];
