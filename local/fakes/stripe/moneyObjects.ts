/** New refunds, disputes and invoices in the shape of the API version. */
import type Stripe from 'stripe';
import type { Account } from './account.ts';
import type { SessionRow } from './store.ts';

export const toId = (value: string | { id: string } | null): string | null =>
  typeof value === 'string' ? value : (value?.id ?? null);

export function createRefundObject(
  account: Account,
  charge: Stripe.Charge,
  fields: Pick<Stripe.Refund, 'amount' | 'reason' | 'status' | 'metadata'>,
): Stripe.Refund {
  return {
    id: account.store.createId('re_3'),
    object: 'refund',
    balance_transaction: account.store.createId('txn_3'),
    charge: charge.id,
    created: account.clock.seconds(),
    currency: charge.currency,
    customer: toId(charge.customer),
    customer_account: null,
    destination_details: {
      type: 'card',
      card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
    },
    payment_intent: toId(charge.payment_intent),
    payment_method: charge.payment_method,
    receipt_number: null,
    source_transfer_reversal: null,
    transfer_reversal: null,
    ...(fields.status === 'pending' ? { pending_reason: 'processing' } : {}),
    ...fields,
  };
}

const emptyEvidence = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
].map((name) => [name, null]);

const secondsToRespond = 7 * 24 * 3600;

export function createDisputeObject(
  account: Account,
  charge: Stripe.Charge,
  fields: Pick<Stripe.Dispute, 'amount' | 'reason' | 'status'>,
): Stripe.Dispute {
  return {
    id: account.store.createId('du_1'),
    object: 'dispute',
    balance_transactions: [],
    charge: charge.id,
    created: account.clock.seconds(),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...Object.fromEntries(emptyEvidence), enhanced_evidence: {} } as Stripe.Dispute.Evidence,
    evidence_details: {
      due_by: account.clock.seconds() + secondsToRespond,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    } as Stripe.Dispute.EvidenceDetails,
    intended_submission_method: 'manual',
    // The card network takes the money of a dispute, but not of an inquiry.
    is_charge_refundable: fields.status === 'warning_needs_response',
    livemode: account.livemode,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: toId(charge.payment_intent),
    ...fields,
  };
}

const disputeFee = 1500;

/** What a dispute takes (a negative amount, and a fee) or brings back. */
export function createDisputeTransaction(
  account: Account,
  dispute: Stripe.Dispute,
  amount: number,
): Stripe.BalanceTransaction {
  const fee = amount < 0 ? disputeFee : 0;
  return {
    id: account.store.createId('txn_1'),
    object: 'balance_transaction',
    amount,
    available_on: account.clock.seconds(),
    balance_type: 'payments',
    created: account.clock.seconds(),
    currency: dispute.currency,
    description:
      amount < 0
        ? `Chargeback withdrawal for ${dispute.charge}`
        : `Chargeback reversal for ${dispute.charge}`,
    exchange_rate: null,
    fee,
    fee_details: [],
    net: amount - fee,
    reporting_category: amount < 0 ? 'dispute' : 'dispute_reversal',
    source: dispute.id,
    status: 'available',
    type: 'adjustment',
  };
}

const invoiceDefaults = {
  account_country: 'US',
  account_name: 'Fake Stripe',
  account_tax_ids: null,
  amount_overpaid: 0,
  amount_remaining: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: true,
  auto_advance: false,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  automatically_finalizes_at: null,
  billing_reason: 'manual',
  collection_method: 'charge_automatically',
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_name: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  ending_balance: 0,
  footer: null,
  from_invoice: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  metadata: {},
  next_payment_attempt: null,
  on_behalf_of: null,
  parent: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
  status: 'paid',
  test_clock: null,
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} satisfies Partial<Stripe.Invoice>;

/** The paid invoice of a session with `invoice_creation`. */
export function createInvoice(account: Account, { shown: session, lineItems }: SessionRow): Stripe.Invoice {
  const { clock, livemode, store, url } = account;
  const now = clock.seconds();
  const id = store.createId('in_1');
  const total = session.amount_total ?? 0;
  const beforeTax = total - (session.total_details?.amount_tax ?? 0);
  const lines = lineItems.map((item) => ({
    id: item.id.replace(/^li_/, 'il_'),
    object: 'line_item',
    amount: item.amount_subtotal,
    currency: item.currency,
    description: item.description,
    invoice: id,
    livemode,
    metadata: {},
    quantity: item.quantity,
  })) as unknown as Stripe.InvoiceLineItem[];
  return {
    id,
    object: 'invoice',
    ...invoiceDefaults,
    amount_due: total,
    amount_paid: total,
    created: now,
    currency: session.currency ?? 'usd',
    customer: session.customer,
    customer_email: session.customer_details?.email ?? null,
    effective_at: now,
    hosted_invoice_url: `${url}/i/${id}`,
    invoice_pdf: `${url}/i/${id}`,
    lines: { object: 'list', data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode,
    number: store.createId('', 8).toUpperCase(),
    period_end: now,
    period_start: now,
    status_transitions: { finalized_at: now, marked_uncollectible_at: null, paid_at: now, voided_at: null },
    subtotal: beforeTax,
    subtotal_excluding_tax: beforeTax,
    total,
    total_excluding_tax: beforeTax,
  };
}
