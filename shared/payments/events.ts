/** What Stripe's events and objects do to the ledger. The table of the contract, row by row. */
import type { Log } from '../core/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Reversal } from '../ledger/purchases.ts';
import { checkPayment, type Order, parseOrder } from './order.ts';
import { type RecordedPayment, recordPayment } from './recordPayment.ts';
import type { StripeApi } from './stripe.ts';
import {
  type Dispute,
  parseDispute,
  parseRefund,
  parseSession,
  type Refund,
  type Session,
  type StripeEvent,
} from './stripeObjects.ts';

export type PaymentContext = {
  ledger: Ledger;
  stripe: StripeApi;
  log: Log;
  /** The Google Cloud project, which marks the sessions of this studio. */
  project: string;
};

export type PaymentOutcome = {
  uid: string | null;
  sessionId?: string;
  recorded?: RecordedPayment;
  /** What only a person can decide. */
  problem?: string;
};

/** The types of events that move credits. A webhook endpoint needs no others. */
export const handledEventTypes = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
] as const;

/** @returns undefined if the event needs nothing. */
export async function handleEvent(
  context: PaymentContext,
  { type, data: { object } }: StripeEvent,
): Promise<PaymentOutcome | undefined> {
  switch (type as (typeof handledEventTypes)[number]) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return handleSession(context, parseSession(object));
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
      return handleRefund(context, parseRefund(object));
    case 'charge.dispute.funds_withdrawn':
      return handleDispute(context, parseDispute(object), false);
    case 'charge.dispute.funds_reinstated':
      return handleDispute(context, parseDispute(object), true);
    default:
      return undefined;
  }
}

/** Records the purchase of a paid session, and the refund or dispute that has asked for it. */
export async function handleSession(
  context: PaymentContext,
  session: Session,
  reversal?: Reversal,
): Promise<PaymentOutcome | undefined> {
  const { ledger, log, project } = context;
  const order = parseOrder(session, project);
  if (!order || session.payment_status === 'unpaid') return undefined;
  const { uid } = order;
  const checked = checkPayment(session, order);
  if ('problem' in checked) {
    const { problem } = checked;
    log.error(`A payment gives no credits: it ${problem}`, {
      event: 'payment_mismatch',
      uid,
      sessionId: session.id,
    });
    return { uid, sessionId: session.id, problem };
  }
  const recorded = await recordPayment(ledger, checked.payment, reversal);
  if (recorded === 'closed') return refundClosed(context, checked.payment.paymentIntent, session, order);
  return { uid, sessionId: session.id, recorded };
}

async function refundClosed(
  { stripe, log }: PaymentContext,
  paymentIntent: string,
  { id: sessionId }: Session,
  { uid }: Order,
): Promise<PaymentOutcome> {
  await stripe.refundPayment(paymentIntent);
  const problem = 'paid for a closed account; the payment was refunded';
  log.warning(`A user ${problem}`, { event: 'payment_for_closed_account', uid, sessionId });
  return { uid, sessionId, problem };
}

/** A refund that is still on its way moves nothing. */
export async function handleRefund(
  context: PaymentContext,
  { id, amount, status, payment_intent: paymentIntent }: Refund,
): Promise<PaymentOutcome | undefined> {
  const isReturned = status === 'failed' || status === 'canceled';
  if (!isReturned && status !== 'succeeded') return undefined;
  const reversal: Reversal = { kind: 'refund', id, amount, left: isReturned ? 0 : amount, isReturned };
  return handleReversal(context, paymentIntent, reversal);
}

export async function handleDispute(
  context: PaymentContext,
  dispute: Dispute,
  isReturned: boolean,
): Promise<PaymentOutcome | undefined> {
  const { id, amount, payment_intent: paymentIntent } = dispute;
  const left = isReturned ? computeLeft(dispute) : amount;
  return handleReversal(context, paymentIntent, { kind: 'dispute', id, amount, left, isReturned });
}

/**
 * What a dispute keeps after money came back. Of a lost dispute a part may come back: what had been refunded before.
 * Source: support.stripe.com/questions/dispute-for-full-charge-amount-after-a-partial-refund-was-issued.
 */
function computeLeft({ amount, currency, status, balance_transactions: transactions }: Dispute): number {
  const isComparable = transactions.every((transaction) => transaction.currency === currency);
  if (status !== 'lost' || !isComparable) return 0;
  const balance = transactions.reduce((total, transaction) => total + transaction.amount, 0);
  return Math.min(amount, Math.max(0, -balance));
}

async function handleReversal(
  context: PaymentContext,
  paymentIntent: string | null | undefined,
  reversal: Reversal,
): Promise<PaymentOutcome | undefined> {
  const session = paymentIntent ? await context.stripe.findSessionOf(paymentIntent) : undefined;
  return session && handleSession(context, session, reversal);
}
