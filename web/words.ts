/** Texts and formats of the page: turns the functions' answers into what the user reads. */
import type {
  AccountView,
  Entry,
  Generation,
  Orientation,
  Receipt,
  ReportReason,
  Tier,
  TierOffer,
} from '../shared/contract.ts';
import { ApiError, isSettled } from './client.ts';

export const tierNames: Record<Tier, string> = {
  standard: 'Standard',
  premium2: 'Premium 2',
  premium4: 'Premium 4',
};

export const credits = (count: number) => `${count} ${Math.abs(count) === 1 ? 'credit' : 'credits'}`;

/** Formats an amount as `+5` or `−2`, with the true minus sign, which is as wide as a digit. */
export const signed = (amount: number) => (amount < 0 ? `−${-amount}` : amount > 0 ? `+${amount}` : '0');

/** The shape of a tier's images. An offer describes the landscape orientation. */
export function getShape({ aspectRatio, width, height }: TierOffer, orientation: Orientation) {
  if (orientation === 'landscape') return { aspectRatio, width, height };
  const portraitRatio = aspectRatio.split(':').reverse().join(':');
  return { aspectRatio: portraitRatio, width: height, height: width };
}

/** Formats a duration as `0:07` or `1:23`. */
export function clockTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The cost of a finished image, and the balance after it. */
export function costText({ charged, refunded, balance }: Receipt): string {
  const paid = charged - refunded;
  const cost = paid === 0 ? 'Free of charge' : `Cost: ${credits(paid)}`;
  return `${cost}. Balance: ${credits(balance)}.`;
}

/** What went wrong, as a sentence. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong on this page. Please try again.';
  if (error.reason === 'UNREACHABLE') return 'The studio did not answer. Are you online?';
  return error.message;
}

/** What a failure did to the user's credits, according to its receipt. */
export function failureCreditsText(error: unknown): string {
  if (!(error instanceof ApiError) || !isSettled(error)) {
    return 'We do not know the result yet. Checking again cannot charge you twice.';
  }
  const { receipt } = error;
  if (!receipt || receipt.charged === 0) return 'You were not charged.';
  const { charged, refunded } = receipt;
  if (refunded === 0) return `You were charged ${credits(charged)}.`;
  if (refunded < charged)
    return `${refunded} of ${credits(charged)} ${refunded === 1 ? 'was' : 'were'} refunded.`;
  return `Your ${credits(charged)} ${charged === 1 ? 'was' : 'were'} refunded.`;
}

/** A report for support, as JSON: the whole answer of the functions, the Idempotency-Key and the time. */
export function errorReport(error: unknown, key: string): string {
  const answer =
    error instanceof ApiError ? { code: error.code, reason: error.reason, body: error.body } : {};
  const at = new Date().toISOString();
  return JSON.stringify({ message: problemText(error), ...answer, idempotencyKey: key, at }, null, 2);
}

const entryNames: Record<Entry['type'], string> = {
  grant: 'Credits added',
  debit: 'Image',
  refund: 'Refunded',
  adjustment: 'Adjustment',
  allowance: 'Free allowance',
  purchase: 'Credits bought',
  clawback: 'Payment returned',
  reinstatement: 'Payment restored',
};

/** Why an image failed, by the error reason in its refund entry. */
const refundReasons: Record<string, string> = {
  CONTENT_BLOCKED: 'the model declined this prompt',
  NO_IMAGE: 'the model returned no usable image',
  REFERENCE_UNREADABLE: 'the model could not read a reference image',
  PROVIDER_ERROR: 'the model failed',
  PROVIDER_OVERLOADED: 'the model was overloaded',
  PROVIDER_QUOTA: 'the model had no quota left',
  PROVIDER_TIMEOUT: 'the model took too long',
  STORAGE_ERROR: 'the image could not be stored',
  EXPIRED: 'the time limit passed',
  DELETED: 'the image was deleted',
};

/** Why an image is reported or was removed. An admin may also give a reason in words. */
export const removalReasons: Record<ReportReason, string> = {
  illegal: 'It is illegal',
  sexual: 'It is sexual',
  violence: 'It shows violence',
  personal: 'It shows a person who did not agree',
  copyright: 'It violates a copyright',
  other: 'Something else',
};

/** That the studio removed an image, and why. */
export function removalText({ removedReason = 'other' }: Generation): string {
  return `The studio removed this image. Reason: ${removalReasons[removedReason as ReportReason] ?? removedReason}.`;
}

/** Stripe's prefixes: what took the credits of a payment, or gave them back. */
const isOfDispute = (id: string) => /^(clawback|reinstatement):(du|dp)_/.test(id);
const isOfRefund = (id: string) => /^(clawback|reinstatement):(re|pyr)_/.test(id);

function paymentEntryText({ id, type }: Entry): string {
  if (id.endsWith(':debt')) return 'Debt paid off';
  if (isOfRefund(id)) {
    return type === 'clawback' ? 'Payment refunded' : 'Refund did not go through: credits restored';
  }
  if (isOfDispute(id)) return type === 'clawback' ? 'Payment disputed' : 'Dispute ended: credits restored';
  return entryNames[type];
}

export function entryText(entry: Entry): string {
  const { type, reason } = entry;
  if (type === 'clawback' || type === 'reinstatement') return paymentEntryText(entry);
  if (!reason) return entryNames[type];
  if (type !== 'refund') return `${entryNames[type]}: ${reason}`;
  return `${entryNames[type]}: ${refundReasons[reason] ?? 'an error in the studio'}`;
}

export const debtText = (debt: number) =>
  `You owe ${credits(debt)}: a payment was returned after its credits were spent. The next credits that you receive pay this off first.`;

/** What the page knows of one payment on Stripe's page. */
export type PaymentNotice = { sessionId: string } & (
  | { state: 'confirming' | 'left' | 'waiting' | 'failed' | 'notCredited' | 'notFound' }
  | { state: 'paid'; credits: number; balance: number }
  | { state: 'unknown'; problem: string }
);

/** What the page says about a payment. */
export function paymentText(notice: PaymentNotice): string {
  switch (notice.state) {
    case 'confirming':
      return 'Confirming your payment …';
    case 'paid':
      return `You bought ${credits(notice.credits)}. Balance: ${credits(notice.balance)}.`;
    case 'waiting':
      return 'Your credits will be added when your bank confirms the payment. If it does not, nothing is charged.';
    case 'failed':
      return 'Your bank refused the payment. Nothing was charged.';
    case 'left':
      return 'You left the checkout. Nothing was charged.';
    case 'notCredited':
      return 'Your payment has arrived, but its credits are not added yet. Please contact support.';
    case 'notFound':
      return 'This payment does not belong to this account. Sign in with the account that you paid from.';
    case 'unknown':
      return `We could not confirm your payment yet. ${notice.problem}`;
  }
}

export function allowanceText({
  credits: count,
  period,
  nextAt,
}: NonNullable<AccountView['allowance']>): string {
  return `Topped up to ${credits(count)} every ${period}. Next: ${dayText(nextAt)}.`;
}

const shortTime = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const wholeTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** Formats a time in the user's locale and time zone. @param rfc3339 a timestamp of the functions */
export const timeText = (rfc3339: string) => shortTime.format(new Date(rfc3339));
export const wholeTimeText = (rfc3339: string) => wholeTime.format(new Date(rfc3339));
const dayText = (rfc3339: string) => day.format(new Date(rfc3339));

/** Formats a file size as `1.2 MB` or `12 kB`. */
export const sizeText = (bytes: number) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** A file name from the first words of the prompt; part of the id keeps names of equal prompts apart. */
export function fileName(prompt: string | null, id: string, mimeType: string): string {
  const words = (prompt ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const name = words.slice(0, 8).join('-').slice(0, 60) || 'image';
  return `${name}-${id.slice(0, 8)}.${mimeType.split('/')[1] ?? 'png'}`;
}
