/** What the page says, from what the functions answer. */
import type { Entry, Orientation, Receipt, Tier } from '../shared/contract.ts';
import type { ApiError, TierOffer } from './api.ts';

export const tierNames: Record<Tier, string> = {
  standard: 'Standard',
  premium2: 'Premium 2',
  premium4: 'Premium 4',
};

export const credits = (count: number) => `${count} ${Math.abs(count) === 1 ? 'credit' : 'credits'}`;

/** As `+5` or `−2`, with the sign that is as wide as a digit. */
export const signed = (amount: number) => (amount < 0 ? `−${-amount}` : `+${amount}`);

/** What a tier paints in an orientation; its offer is of the landscape. */
export function shapeOf({ aspectRatio, width, height }: TierOffer, orientation: Orientation) {
  if (orientation === 'landscape') return { aspectRatio, width, height };
  const turned = aspectRatio.split(':').reverse().join(':');
  return { aspectRatio: turned, width: height, height: width };
}

/** What a picture that was painted has cost. */
export function paidText({ charged, refunded }: Receipt): string {
  const paid = charged - refunded;
  return paid === 0 ? 'It cost nothing.' : `It cost ${credits(paid)}.`;
}

/** What a failure has done to the caller's credits, as far as it is known. */
export function failureCreditsText({ details: { receipt, retry } }: ApiError): string {
  if (retry === 'same_key') return 'Nothing is settled yet. Asking again cannot charge you twice.';
  if (!receipt || receipt.charged === 0) return 'You were not charged.';
  const { charged, refunded, balance } = receipt;
  if (refunded === 0) return `It cost ${credits(charged)}. You have ${credits(balance)}.`;
  if (refunded < charged) {
    return `${credits(charged)} charged, ${credits(refunded)} given back. You have ${credits(balance)}.`;
  }
  return `${credits(charged)} charged and given back. You have ${credits(balance)}.`;
}

const entryNames: Record<Entry['type'], string> = {
  grant: 'Credits added',
  debit: 'Picture',
  refund: 'Given back',
  adjustment: 'Adjusted',
  allowance: 'Free allowance',
};

export function entryText({ type, reason }: Entry): string {
  return reason ? `${entryNames[type]}: ${reason}` : entryNames[type];
}

/** The balance of whichever is later; of two of one sequence, the one that was heard of last. */
export function laterBalance<T extends { balance: number; sequence: number }>(
  known: T | undefined,
  heard: T,
): T {
  return known && known.sequence > heard.sequence ? known : heard;
}
