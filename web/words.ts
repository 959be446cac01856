/** What the page says, from what the functions answer. */
import type { AccountView, Entry, Orientation, Receipt, Tier, TierOffer } from '../shared/contract.ts';
import { ApiError, isSettled } from './client.ts';

export const tierNames: Record<Tier, string> = {
  standard: 'Standard',
  premium2: 'Premium 2',
  premium4: 'Premium 4',
};

export const credits = (count: number) => `${count} ${Math.abs(count) === 1 ? 'credit' : 'credits'}`;

/** As `+5` or `−2`, with the sign that is as wide as a digit. */
export const signed = (amount: number) => (amount < 0 ? `−${-amount}` : `+${amount}`);

/** What a tier paints in an orientation; its offer is of the landscape. */
export function getShape({ aspectRatio, width, height }: TierOffer, orientation: Orientation) {
  if (orientation === 'landscape') return { aspectRatio, width, height };
  const turned = aspectRatio.split(':').reverse().join(':');
  return { aspectRatio: turned, width: height, height: width };
}

/** As `0:07` or `1:23`. */
export function clockTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What an image that was painted has cost. */
export function costText({ charged, refunded, balance }: Receipt): string {
  const paid = charged - refunded;
  const cost = paid === 0 ? 'It cost nothing' : `It cost ${credits(paid)}`;
  return `${cost}; you have ${credits(balance)}.`;
}

/** What went wrong, in a sentence. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong on this page. Please try again.';
  if (error.reason === 'UNREACHABLE') return 'The studio did not answer. Are you online?';
  return error.message;
}

/** What a failure has done to the caller's credits, as far as the receipt tells it. */
export function failureCreditsText(error: unknown): string {
  if (!(error instanceof ApiError) || !isSettled(error)) {
    return 'Nothing is settled yet. Asking again cannot charge you twice.';
  }
  const { receipt } = error;
  if (!receipt || receipt.charged === 0) return 'You were not charged.';
  const { charged, refunded } = receipt;
  if (refunded === 0) return `It cost ${credits(charged)}.`;
  if (refunded < charged) return `${credits(refunded)} of ${charged} are back.`;
  return `Your ${credits(charged)} ${charged === 1 ? 'is' : 'are'} back.`;
}

/** All there is to know of an error, to be sent to those who can help. */
export function errorReport(error: unknown, key: string): string {
  const known = error instanceof ApiError ? { code: error.code, reason: error.reason, body: error.body } : {};
  const at = new Date().toISOString();
  return JSON.stringify({ message: problemText(error), ...known, idempotencyKey: key, at }, null, 2);
}

const entryNames: Record<Entry['type'], string> = {
  grant: 'Credits added',
  debit: 'Image',
  refund: 'Given back',
  adjustment: 'Adjusted',
  allowance: 'Free allowance',
};

/** Why an image was not painted, where its refund names a reason of the functions' errors. */
const refundReasons: Record<string, string> = {
  CONTENT_BLOCKED: 'the model would not paint it',
  NO_IMAGE: 'the model sent no image',
  PROVIDER_ERROR: 'the model failed',
  PROVIDER_OVERLOADED: 'the model was overloaded',
  PROVIDER_QUOTA: 'the model had no quota left',
  PROVIDER_TIMEOUT: 'the model took too long',
  STORAGE_ERROR: 'the image could not be kept',
  EXPIRED: 'it was not finished in time',
  DELETED: 'it was deleted meanwhile',
};

export function entryText({ type, reason }: Entry): string {
  if (!reason) return entryNames[type];
  if (type !== 'refund') return `${entryNames[type]}: ${reason}`;
  return `${entryNames[type]}: ${refundReasons[reason] ?? 'the studio failed'}`;
}

export function allowanceText({
  credits: count,
  period,
  nextAt,
}: NonNullable<AccountView['allowance']>): string {
  return `Topped up to ${credits(count)} each ${period}, next on ${dayText(nextAt)}.`;
}

const shortTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const wholeTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** A moment as people in this place write it. @param rfc3339 as the functions give it. */
export const timeText = (rfc3339: string) => shortTime.format(new Date(rfc3339));
export const wholeTimeText = (rfc3339: string) => wholeTime.format(new Date(rfc3339));
const dayText = (rfc3339: string) => day.format(new Date(rfc3339));

/** As `1.2 MB`. */
export const sizeText = (bytes: number) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** A file's name from a prompt: its first words, and what tells it from others of the same prompt. */
export function fileName(prompt: string | null, id: string, mimeType: string): string {
  const words = (prompt ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const name = words.slice(0, 8).join('-').slice(0, 60) || 'image';
  return `${name}-${id.slice(0, 8)}.${mimeType.split('/')[1] ?? 'png'}`;
}
