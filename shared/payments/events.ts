/** What Stripe's events and objects do to the ledger. The table of the contract, row by row. */
import type { Log } from '../core/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Reversal } from '../ledger/purchaseRules.ts';
import { checkPayment, type Payment, parseOrder } from './order.ts';
import { type KnownReversals, type RecordedPayment, recordPayment } from './recordPayment.ts';
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
    case 'charge.dispute.funds_reinstated': {
      const dispute = parseDispute(object);
      const reversal = toDisputeReversal(dispute, type === 'charge.dispute.funds_reinstated');
      return handleReversal(context, dispute.payment_intent, reversal);
    }
    default:
      return undefined;
  }
}

/**
 * Records the purchase of a paid session, and the refund or dispute that has asked for it.
 * @param known what is known of its refunds and disputes. Stripe is asked for the others if the purchase is recorded late.
 */
export async function handleSession(
  context: PaymentContext,
  session: Session,
  known: KnownReversals = { reversals: [], areAll: false },
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
  const recorded = await recordPayment(ledger, checked.payment, known);
  if (recorded === 'closed') return refundClosed(context, checked.payment, known.reversals);
  if (recorded !== 'late') return { uid, sessionId: session.id, recorded };
  // The events of what Stripe has taken back since may never come again.
  const listed = await findReversals(context, checked.payment);
  return handleSession(context, session, { reversals: [...known.reversals, ...listed], areAll: true });
}

async function findReversals({ stripe }: PaymentContext, { paymentIntent }: Payment): Promise<Reversal[]> {
  const { refunds, disputes } = await stripe.listReversalsOf(paymentIntent);
  const reversals = [...refunds.map(parseRefundReversal), ...disputes.map(parseDisputeReversal)];
  return reversals.filter((reversal) => reversal !== undefined);
}

/**
 * Returns a payment for a closed account. The event of a refund that failed does not start another: `reconcilePayments` tries
 * again. Stripe refuses to refund what a dispute has taken.
 */
async function refundClosed(
  context: PaymentContext,
  payment: Payment,
  known: readonly Reversal[],
): Promise<PaymentOutcome> {
  const { stripe, log } = context;
  const { paymentIntent, sessionId, order } = payment;
  const hasFailed = known.some(({ kind, isReturned }) => kind === 'refund' && isReturned);
  if (!hasFailed) await stripe.refundPayment(paymentIntent);
  const all = [...known, ...(await findReversals(context, payment))];
  const isDisputed = all.some(({ kind, isReturned }) => kind === 'dispute' && !isReturned);
  const refund = hasFailed ? 'the refund has failed' : 'the payment was refunded';
  const problem = `paid for a closed account; ${isDisputed ? 'the payment is disputed' : refund}`;
  log.warning(`A user ${problem}`, { event: 'payment_for_closed_account', uid: order.uid, sessionId });
  return { uid: order.uid, sessionId, problem };
}

export const handleRefund = (context: PaymentContext, refund: Refund) =>
  handleReversal(context, refund.payment_intent, parseRefundReversal(refund));

/** A dispute as it is now. */
export const handleDispute = (context: PaymentContext, dispute: Dispute) =>
  handleReversal(context, dispute.payment_intent, parseDisputeReversal(dispute));

/** A refund that is still on its way moves nothing. */
function parseRefundReversal({ id, amount, status }: Refund): Reversal | undefined {
  const isReturned = status === 'failed' || status === 'canceled';
  if (!isReturned && status !== 'succeeded') return undefined;
  return { kind: 'refund', id, amount, left: isReturned ? 0 : amount, isReturned };
}

/** A dispute without a movement of money, such as an inquiry, takes nothing. */
function parseDisputeReversal(dispute: Dispute): Reversal | undefined {
  const { status, balance_transactions: transactions } = dispute;
  if (!transactions.some(({ amount }) => amount < 0)) return undefined;
  return toDisputeReversal(dispute, status === 'won' || transactions.some(({ amount }) => amount > 0));
}

function toDisputeReversal(dispute: Dispute, isReturned: boolean): Reversal {
  const { id, amount } = dispute;
  return { kind: 'dispute', id, amount, left: isReturned ? computeLeft(dispute) : amount, isReturned };
}

/**
 * What a dispute keeps after money came back. Of a lost dispute a part may come back: what had been refunded before.
 * The transactions may be in another currency than the payment, so only their ratio counts.
 * Source: support.stripe.com/questions/dispute-for-full-charge-amount-after-a-partial-refund-was-issued.
 */
function computeLeft({ amount, status, balance_transactions: transactions }: Dispute): number {
  if (status !== 'lost') return 0;
  const add = (amounts: number[]) => amounts.reduce((total, one) => total + one, 0);
  const amounts = transactions.map((transaction) => transaction.amount);
  const taken = -add(amounts.filter((one) => one < 0));
  return taken === 0 ? 0 : Math.round((amount * Math.max(0, -add(amounts))) / taken);
}

async function handleReversal(
  context: PaymentContext,
  paymentIntent: string | null | undefined,
  reversal: Reversal | undefined,
): Promise<PaymentOutcome | undefined> {
  if (!reversal || !paymentIntent) return undefined;
  const session = await context.stripe.findSessionOf(paymentIntent);
  return session && handleSession(context, session, { reversals: [reversal], areAll: false });
}
