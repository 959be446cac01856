/** What a visitor of the checkout page does, and what becomes of the money. */
import type Stripe from 'stripe';
import { type Account, change, emit, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { createInvoice, toId } from './moneyObjects.ts';
import { createCharge, createCustomer, createPaymentIntent } from './objects.ts';
import type { SessionRow } from './store.ts';

export type PayOptions = {
  /** With a delayed method: the session completes unpaid, and `settlePayment` decides later. */
  later?: boolean | undefined;
  email?: string | undefined;
  /** Pays another amount than the session asked, as a discount would. */
  amountTotal?: number | undefined;
};

/** Completes an open session. Stripe sends the events in no certain order; this is the usual one. */
export function paySession(account: Account, id: string, options: PayOptions = {}): Stripe.Checkout.Session {
  const { shown: session } = requireOpen(account, id);
  if (options.later && !takesDebit(session)) {
    throw refusal(400, { message: `The session ${id} takes no delayed payment.` });
  }
  const email = options.email ?? session.customer_email ?? 'buyer@example.com';
  setAmounts(account, id, options.amountTotal);
  setCustomer(account, id, email);
  const { amount_total: total } = getRow(account, 'sessions', id).shown;
  const status = total === 0 ? 'no_payment_required' : options.later ? 'unpaid' : 'paid';
  if (total !== 0) {
    const intent = getIntent(account, id);
    change(account, 'sessions', id, { payment_intent: intent.id });
    if (options.later) startPayment(account, intent, email);
    else succeed(account, intent, 'card', email);
  }
  if (status !== 'unpaid') issueInvoice(account, id);
  const { shown } = change(account, 'sessions', id, {
    status: 'complete',
    payment_status: status,
    url: null,
  });
  emit(account, 'checkout.session.completed', shown);
  return shown;
}

/** True if a visitor may pay by bank debit, of which the money arrives later. */
export const takesDebit = (session: Stripe.Checkout.Session) =>
  session.payment_method_types.includes('sepa_debit');

/** The card is declined. The session stays open, and the visitor may try again. */
export function declinePayment(account: Account, id: string): Stripe.Checkout.Session {
  const { shown: session } = requireOpen(account, id);
  const intent = getIntent(account, id);
  const error = { code: 'card_declined', message: 'Your card was declined.' };
  const charge = createCharge(account, intent, {
    method: 'card',
    email: session.customer_email,
    amount_captured: 0,
    balance_transaction: null,
    captured: false,
    failure_code: error.code,
    failure_message: error.message,
    paid: false,
    receipt_url: null,
    status: 'failed',
  });
  account.store.put('charges', { livemode: account.livemode, shown: charge });
  emit(account, 'charge.failed', charge);
  const failed = change(account, 'paymentIntents', intent.id, {
    last_payment_error: { ...error, type: 'card_error', charge: charge.id, decline_code: 'generic_decline' },
    latest_charge: charge.id,
  });
  emit(account, 'payment_intent.payment_failed', failed.shown);
  return session;
}

/** Ends the payment of a session that completed unpaid. */
export function settlePayment(
  account: Account,
  id: string,
  outcome: 'succeeded' | 'failed',
): Stripe.Checkout.Session {
  const { shown: session } = getRow(account, 'sessions', id);
  const intentId = toId(session.payment_intent);
  if (session.status !== 'complete' || session.payment_status !== 'unpaid' || intentId === null) {
    throw refusal(400, { message: `The session ${id} waits for no payment.` });
  }
  const { shown: intent } = getRow(account, 'paymentIntents', intentId);
  if (intent.status !== 'processing') throw refusal(400, { message: `The payment of ${id} has failed.` });
  const email = session.customer_details?.email ?? null;
  if (outcome === 'failed') {
    const charge = change(account, 'charges', toId(intent.latest_charge) ?? '', {
      failure_code: 'payment_method_not_available',
      failure_message: 'The bank refused the debit.',
      paid: false,
      status: 'failed',
    });
    emit(account, 'charge.failed', charge.shown);
    const failed = change(account, 'paymentIntents', intentId, { status: 'requires_payment_method' });
    emit(account, 'payment_intent.payment_failed', failed.shown);
    emit(account, 'checkout.session.async_payment_failed', session);
    return session;
  }
  succeed(account, intent, 'sepa_debit', email);
  issueInvoice(account, id);
  const { shown } = change(account, 'sessions', id, { payment_status: 'paid' });
  emit(account, 'checkout.session.async_payment_succeeded', shown);
  return shown;
}

export function expireSession(account: Account, id: string): Stripe.Checkout.Session {
  const { shown: session } = getRow(account, 'sessions', id);
  if (session.status !== 'open') {
    throw refusal(400, {
      message: `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    });
  }
  const { shown } = change(account, 'sessions', id, { status: 'expired', url: null });
  emit(account, 'checkout.session.expired', shown);
  return shown;
}

/** Expires the open sessions that are past their time. */
export function expireOldSessions(account: Account): void {
  for (const { livemode, shown } of account.store.list('sessions')) {
    if (shown.status === 'open' && shown.expires_at <= account.clock.seconds()) {
      expireSession({ ...account, livemode, request: null }, shown.id);
    }
  }
}

function requireOpen(account: Account, id: string): SessionRow {
  const row = getRow(account, 'sessions', id);
  if (row.shown.status === 'open') return row;
  throw refusal(400, { message: `This Checkout Session has a status of \`${row.shown.status}\`.` });
}

/** Adds the tax where Stripe computes it, and makes what was paid differ from what was asked where a test wants that. */
function setAmounts(account: Account, id: string, amountTotal: number | undefined): void {
  const { shown: session, lineItems } = getRow(account, 'sessions', id);
  const isTaxed = session.automatic_tax.enabled || session.managed_payments?.enabled === true;
  const subtotal = session.amount_subtotal ?? 0;
  const isIncluded = lineItems.every(({ price }) => price?.tax_behavior === 'inclusive');
  const { taxPercent } = account;
  const tax = isTaxed ? Math.round((subtotal * taxPercent) / (isIncluded ? 100 + taxPercent : 100)) : 0;
  const total = isIncluded ? subtotal : subtotal + tax;
  const discount = Math.max(0, amountTotal === undefined ? 0 : total - amountTotal);
  change(account, 'sessions', id, {
    amount_total: amountTotal ?? total,
    automatic_tax: { ...session.automatic_tax, ...(isTaxed ? { status: 'complete' } : {}) },
    total_details: { amount_discount: discount, amount_shipping: 0, amount_tax: tax },
  });
}

function setCustomer(account: Account, id: string, email: string): void {
  const { shown: session } = getRow(account, 'sessions', id);
  let customer = toId(session.customer);
  if (customer === null && session.customer_creation === 'always') {
    const created = createCustomer(account, { email });
    account.store.put('customers', { livemode: account.livemode, shown: created });
    emit(account, 'customer.created', created);
    customer = created.id;
  }
  change(account, 'sessions', id, {
    customer,
    customer_details: {
      address: null,
      business_name: null,
      email,
      individual_name: null,
      name: null,
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
  });
}

/** The intent of an earlier declined attempt, or a new one. */
function getIntent(account: Account, sessionId: string): Stripe.PaymentIntent {
  const row = getRow(account, 'sessions', sessionId);
  if (row.attemptedIntent !== undefined) {
    const { amount_total: amount, customer } = row.shown;
    return change(account, 'paymentIntents', row.attemptedIntent, { amount: amount ?? 0, customer }).shown;
  }
  const intent = createPaymentIntent(account, row);
  account.store.put('paymentIntents', { livemode: account.livemode, shown: intent });
  account.store.put('sessions', { ...row, attemptedIntent: intent.id });
  emit(account, 'payment_intent.created', intent);
  return intent;
}

function startPayment(account: Account, intent: Stripe.PaymentIntent, email: string): void {
  const charge = createCharge(account, intent, {
    method: 'sepa_debit',
    email,
    balance_transaction: null,
    paid: false,
    receipt_url: null,
    status: 'pending',
  });
  account.store.put('charges', { livemode: account.livemode, shown: charge });
  emit(account, 'charge.pending', charge);
  const { shown } = change(account, 'paymentIntents', intent.id, {
    latest_charge: charge.id,
    payment_method: charge.payment_method,
    status: 'processing',
  });
  emit(account, 'payment_intent.processing', shown);
}

function succeed(
  account: Account,
  intent: Stripe.PaymentIntent,
  method: 'card' | 'sepa_debit',
  email: string | null,
): void {
  const charge = getSucceededCharge(account, intent, method, email);
  emit(account, 'charge.succeeded', charge);
  const { shown } = change(account, 'paymentIntents', intent.id, {
    amount_received: intent.amount,
    last_payment_error: null,
    latest_charge: charge.id,
    payment_method: charge.payment_method,
    status: 'succeeded',
  });
  emit(account, 'payment_intent.succeeded', shown);
}

/** The pending charge of a delayed payment, or a new one. */
function getSucceededCharge(
  account: Account,
  intent: Stripe.PaymentIntent,
  method: 'card' | 'sepa_debit',
  email: string | null,
): Stripe.Charge {
  if (intent.status === 'processing') {
    const id = toId(intent.latest_charge) ?? '';
    return change(account, 'charges', id, {
      balance_transaction: account.store.createId('txn_3'),
      paid: true,
      receipt_url: `${account.url}/receipts/${id}`,
      status: 'succeeded',
    }).shown;
  }
  const charge = createCharge(account, intent, { method, email });
  account.store.put('charges', { livemode: account.livemode, shown: charge });
  return charge;
}

function issueInvoice(account: Account, sessionId: string): void {
  const row = getRow(account, 'sessions', sessionId);
  if (!row.shown.invoice_creation?.enabled) return;
  const invoice = createInvoice(account, row);
  account.store.put('invoices', { livemode: account.livemode, shown: invoice });
  change(account, 'sessions', sessionId, { invoice: invoice.id });
  for (const type of [
    'invoice.created',
    'invoice.finalized',
    'invoice.paid',
    'invoice.payment_succeeded',
  ] as const) {
    emit(account, type, invoice);
  }
}
