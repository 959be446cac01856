/** Chooses the string for a value in the functions' answers. */
import type { Generation, Receipt, ReportReason } from '../../shared/contract.ts';
import { ApiError, isSettled } from '../client.ts';
import { text } from './en.ts';

const { failures, payments } = text;

/** The cost of a finished image, and the balance after it. */
export function costText({ charged, refunded, balance }: Receipt): string {
  const paid = charged - refunded;
  return failures.costAndBalance(paid === 0 ? failures.free : failures.cost(paid), balance);
}

/** What went wrong, as a sentence. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return failures.onPage;
  if (error.reason === 'UNREACHABLE') return failures.unreachable;
  // The page says “confirm” everywhere.
  if (error.reason === 'EMAIL_NOT_VERIFIED') return failures.confirmAddress;
  return error.message;
}

/** The functions refuse with these before a debit, so nothing is charged although the same key may be used again. */
const beforeDebit = ['RATE_LIMITED', 'PROVIDER_QUOTA', 'SPEND_CEILING', 'AUTH_UNAVAILABLE'];

/** What a failure did to the user's credits, according to its receipt. */
export function failureCreditsText(error: unknown): string {
  if (!(error instanceof ApiError)) return failures.unknownResult;
  const { receipt, reason } = error;
  if (!receipt && beforeDebit.includes(reason)) return failures.notCharged;
  if (!isSettled(error)) return failures.unknownResult;
  if (!receipt || receipt.charged === 0) return failures.notCharged;
  const { charged, refunded } = receipt;
  if (refunded === 0) return failures.charged(charged);
  return refunded < charged ? failures.partlyRefunded(refunded, charged) : failures.refunded(charged);
}

/** A report for support, as JSON: the whole answer of the functions, the Idempotency-Key and the time. */
export function errorReport(error: unknown, key: string): string {
  const answer =
    error instanceof ApiError ? { code: error.code, reason: error.reason, body: error.body } : {};
  const at = new Date().toISOString();
  return JSON.stringify({ message: problemText(error), ...answer, idempotencyKey: key, at }, null, 2);
}

/** That the studio removed an image, and why. */
export function removalText({ removedReason = 'other' }: Generation): string {
  return text.report.removed(text.report.removalReasons[removedReason as ReportReason] ?? removedReason);
}

/** What the page knows of one payment on Stripe's page. */
export type PaymentNotice = { sessionId: string } & (
  | { state: 'confirming' | 'left' | 'waiting' | 'failed' | 'notCredited' | 'notFound' }
  | { state: 'paid'; credits: number }
  | { state: 'unknown'; problem: string }
);

/** What the page says about a payment. */
export function paymentText(notice: PaymentNotice): string {
  if (notice.state === 'paid') return payments.paid(notice.credits);
  if (notice.state === 'unknown') return payments.unknown(notice.problem);
  return payments[notice.state];
}
