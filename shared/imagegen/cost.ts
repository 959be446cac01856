/** What Google bills for a reply, from the tokens that the reply reports. */
import type { Resolution } from '../contract/tiers.ts';
import { type TokenPrices, textModelFacts } from './modelFacts.ts';
import { getImageCost, type ImageModel } from './models.ts';

/** The part of a reply's `usageMetadata` that is billed. Thinking is not part of `candidatesTokenCount`. */
export type Usage = {
  promptTokenCount?: number;
  promptTokensDetails?: readonly ModalityTokens[];
  candidatesTokenCount?: number;
  thoughtsTokenCount?: number;
  candidatesTokensDetails?: readonly ModalityTokens[];
};
type ModalityTokens = { modality?: string; tokenCount?: number };

type TextPrices = Omit<TokenPrices, 'image'>;

/** An unknown text model counts as the default one. */
const textPricesDefault: TextPrices = { input: 0.3, text: 2.5 };

/** Sums of floating-point prices may exceed a whole number by less than this. */
const roundingError = 1e-6;

/** The cost of all tokens of a reply, in whole micro-dollars, rounded up. 0 without usage. */
export function getTokenCostMicros(usage: Usage | undefined, prices: TokenPrices): number {
  const images = countImageTokens(usage);
  const text = Math.max(0, toCount(usage?.candidatesTokenCount) - images);
  return roundUp(
    toCount(usage?.promptTokenCount) * prices.input +
      (text + toCount(usage?.thoughtsTokenCount)) * prices.text +
      images * prices.image,
  );
}

/**
 * The cost of a reply with an image: the catalogue's price of the image, the reference images, and the thinking. The text
 * of the prompt does not count: it usually costs less than 1 % of the image.
 */
export function getImageCostMicros(
  usage: Usage | undefined,
  model: ImageModel,
  resolution: Resolution,
): number {
  const { tokenMicros } = model;
  const references = sumImageTokens(usage?.promptTokensDetails) * tokenMicros.input;
  return (
    getImageCost(model, resolution) +
    roundUp(references + toCount(usage?.thoughtsTokenCount) * tokenMicros.text)
  );
}

/** The cost of a text model's reply. */
export function getTextCostMicros(usage: Usage | undefined, modelId: string): number {
  const facts = Object.hasOwn(textModelFacts, modelId) ? textModelFacts[modelId] : undefined;
  const prices = facts?.tokenMicros.value;
  return getTokenCostMicros(usage, { ...(prices ?? textPricesDefault), image: 0 });
}

/** The tokens of the images in a reply. */
export function countImageTokens(usage: Usage | undefined): number {
  return sumImageTokens(usage?.candidatesTokensDetails);
}

function sumImageTokens(details: Usage['candidatesTokensDetails']): number {
  return (Array.isArray(details) ? details : [])
    .filter(({ modality }) => modality === 'IMAGE')
    .reduce((sum, { tokenCount }) => sum + toCount(tokenCount), 0);
}

/** A gateway may send anything. */
const toCount = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;

const roundUp = (micros: number) => Math.max(0, Math.ceil(micros - roundingError));
