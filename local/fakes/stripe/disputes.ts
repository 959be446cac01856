import type Stripe from 'stripe';
import { type Account, change, emit, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { createDisputeObject, createDisputeTransaction, toId } from './moneyObjects.ts';

export type DisputeOptions = {
  /** The whole charge by default. */
  amount?: number | undefined;
  reason?: string | undefined;
  /** The bank only asks, and takes no money. */
  inquiry?: boolean | undefined;
};

/** `escalate` makes a dispute of an inquiry; `respond` submits evidence; the others close the case. */
export type DisputeStep = 'escalate' | 'respond' | 'won' | 'lost' | 'warning_closed';

/**
 * A charge may have several disputes, and a dispute may ask for more than the charge: banks dispute the whole of what
 * was refunded in part. Source: docs.stripe.com/disputes/how-disputes-work.
 */
export function openDispute(
  account: Account,
  chargeId: string,
  { amount, reason = 'fraudulent', inquiry = false }: DisputeOptions = {},
): Stripe.Dispute {
  const { shown: charge } = getRow(account, 'charges', chargeId);
  const dispute = createDisputeObject(account, charge, {
    amount: amount ?? charge.amount,
    reason,
    status: inquiry ? 'warning_needs_response' : 'needs_response',
  });
  account.store.put('disputes', { livemode: account.livemode, shown: dispute });
  const charged = change(account, 'charges', chargeId, { disputed: true });
  emit(account, 'charge.updated', charged.shown, charged.previous);
  emit(account, 'charge.dispute.created', dispute);
  return inquiry
    ? dispute
    : moveFunds(account, dispute.id, 'charge.dispute.funds_withdrawn', -dispute.amount);
}

/**
 * Takes a dispute one step further; refuses a step that its status does not allow. Of a lost dispute, `returned` comes
 * back all the same: what had been refunded before, which Stripe's dashboard shows as "partially won". Source:
 * support.stripe.com/questions/dispute-for-full-charge-amount-after-a-partial-refund-was-issued.
 */
export function updateDispute(account: Account, id: string, step: DisputeStep, returned = 0): Stripe.Dispute {
  const { shown: dispute } = getRow(account, 'disputes', id);
  const isInquiry = dispute.status.startsWith('warning_') && dispute.status !== 'warning_closed';
  const isDispute = ['needs_response', 'under_review'].includes(dispute.status);
  const isAllowed = {
    escalate: isInquiry,
    respond: dispute.status.endsWith('needs_response'),
    won: isDispute,
    lost: isDispute,
    warning_closed: isInquiry,
  }[step];
  if (!isAllowed) {
    throw refusal(400, {
      message: `The dispute ${id} has a status of \`${dispute.status}\`; ${step} is impossible.`,
    });
  }
  if (step === 'escalate') {
    const { shown, previous } = change(account, 'disputes', id, {
      status: 'needs_response',
      is_charge_refundable: false,
    });
    emit(account, 'charge.dispute.updated', shown, previous);
    return moveFunds(account, id, 'charge.dispute.funds_withdrawn', -dispute.amount);
  }
  const status = step === 'respond' ? (isInquiry ? 'warning_under_review' : 'under_review') : step;
  const { shown, previous } = change(account, 'disputes', id, { status });
  emit(account, step === 'respond' ? 'charge.dispute.updated' : 'charge.dispute.closed', shown, previous);
  const back = step === 'won' ? dispute.amount : step === 'lost' ? returned : 0;
  return back > 0 ? moveFunds(account, id, 'charge.dispute.funds_reinstated', back) : shown;
}

/** Records what the dispute takes or brings back, and sends the event. */
function moveFunds(
  account: Account,
  id: string,
  type: 'charge.dispute.funds_withdrawn' | 'charge.dispute.funds_reinstated',
  amount: number,
): Stripe.Dispute {
  const { shown: dispute } = getRow(account, 'disputes', id);
  const { shown, previous } = change(account, 'disputes', id, {
    balance_transactions: [
      ...dispute.balance_transactions,
      createDisputeTransaction(account, dispute, amount),
    ],
  });
  emit(account, type, shown, previous);
  return shown;
}

export const getChargeOf = (account: Account, session: Stripe.Checkout.Session): string => {
  const intentId = toId(session.payment_intent);
  const chargeId =
    intentId === null ? null : toId(getRow(account, 'paymentIntents', intentId).shown.latest_charge);
  if (chargeId === null) throw refusal(400, { message: `The session ${session.id} has no charge.` });
  return chargeId;
};
