import type Stripe from 'stripe';
import { type Account, change, emit, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { createRefundObject, toId } from './moneyObjects.ts';

export type RefundOptions = {
  charge?: string | undefined;
  payment_intent?: string | undefined;
  /** All that is left by default. */
  amount?: number | undefined;
  reason?: string | undefined;
  metadata?: Record<string, string> | undefined;
};

/** Refunds a charge, or throws Stripe's refusal. A pending refund counts as refunded until it fails. */
export function createRefund(
  account: Account,
  options: RefundOptions,
  status: 'succeeded' | 'pending' | 'requires_action' = 'succeeded',
): Stripe.Refund {
  const charge = getCharge(account, options);
  const left = charge.amount - charge.amount_refunded;
  if (charge.refunded || left === 0) {
    throw refusal(400, {
      code: 'charge_already_refunded',
      message: `Charge ${charge.id} has already been refunded.`,
    });
  }
  const takenBy = account.store
    .list('disputes')
    .find(({ shown }) => toId(shown.charge) === charge.id && !shown.is_charge_refundable);
  if (takenBy !== undefined) {
    throw refusal(400, {
      code: 'charge_disputed',
      message: `Charge ${charge.id} has been charged back; cannot issue a refund.`,
    });
  }
  const { amount = left, reason = null, metadata = {} } = options;
  if (amount > left) {
    throw refusal(400, {
      message: `Refund amount (${toMoney(amount, charge)}) is greater than unrefunded amount on charge (${toMoney(left, charge)})`,
      param: 'amount',
    });
  }
  const refund = createRefundObject(account, charge, { amount, reason, status, metadata });
  account.store.put('refunds', { livemode: account.livemode, shown: refund });
  emit(account, 'refund.created', refund);
  addRefunded(account, charge.id, amount);
  return refund;
}

/** Ends a pending refund, or fails one that had succeeded: a bank may send the money back weeks later. */
export function settleRefund(
  account: Account,
  id: string,
  outcome: 'succeeded' | 'failed' | 'canceled',
): Stripe.Refund {
  const { shown: refund } = getRow(account, 'refunds', id);
  if (refund.status === 'failed' || refund.status === 'canceled' || refund.status === outcome) {
    throw refusal(400, { message: `The refund ${id} has a status of \`${refund.status}\`.` });
  }
  const { shown, previous } = change(account, 'refunds', id, {
    status: outcome,
    ...(outcome === 'failed'
      ? {
          failure_reason: 'lost_or_stolen_card',
          failure_balance_transaction: account.store.createId('txn_3'),
        }
      : {}),
  });
  emit(account, 'charge.refund.updated', shown, previous);
  emit(account, 'refund.updated', shown, previous);
  if (outcome === 'failed') emit(account, 'refund.failed', shown, previous);
  if (outcome !== 'succeeded') {
    const { shown: charge } = getRow(account, 'charges', toId(refund.charge) ?? '');
    const amountRefunded = charge.amount_refunded - refund.amount;
    const changed = change(account, 'charges', charge.id, {
      amount_refunded: amountRefunded,
      refunded: false,
    });
    emit(account, 'charge.updated', changed.shown, changed.previous);
  }
  return shown;
}

/** Changes a refund's metadata, which sends `refund.updated` for money that has not moved. */
export function updateRefund(account: Account, id: string, metadata: Record<string, string>): Stripe.Refund {
  const { shown: refund } = getRow(account, 'refunds', id);
  const { shown, previous } = change(account, 'refunds', id, {
    metadata: { ...refund.metadata, ...metadata },
  });
  emit(account, 'refund.updated', shown, previous);
  return shown;
}

function addRefunded(account: Account, chargeId: string, amount: number): void {
  const { shown: charge } = getRow(account, 'charges', chargeId);
  const amountRefunded = charge.amount_refunded + amount;
  const { shown, previous } = change(account, 'charges', chargeId, {
    amount_refunded: amountRefunded,
    refunded: amountRefunded === charge.amount,
  });
  emit(account, 'charge.refunded', shown, previous);
}

function getCharge(account: Account, { charge, payment_intent: intentId }: RefundOptions): Stripe.Charge {
  if (charge !== undefined) return getRow(account, 'charges', charge, 'charge').shown;
  if (intentId === undefined) {
    throw refusal(400, {
      code: 'parameter_missing',
      message: 'One of the following params should be provided for this request: payment_intent or charge.',
    });
  }
  const { shown: intent } = getRow(account, 'paymentIntents', intentId, 'payment_intent');
  if (intent.status !== 'succeeded') {
    throw refusal(400, {
      message: `This PaymentIntent (${intentId}) does not have a successful charge to refund.`,
    });
  }
  return getRow(account, 'charges', toId(intent.latest_charge) ?? '').shown;
}

const toMoney = (amount: number, { currency }: Stripe.Charge) =>
  new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount / 100);
