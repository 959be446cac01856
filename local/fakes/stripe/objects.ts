/** New objects in the shape of the API version, with every field that the library's types require. */
import type Stripe from 'stripe';
import type { Account } from './account.ts';
import type { LineItem, Price, SessionRow } from './store.ts';

export type PriceOptions = {
  id: string;
  /** In the currency's smallest unit. */
  unitAmount: number;
  /** usd by default. */
  currency?: string;
  /** What the checkout page shows. */
  name?: string;
  active?: boolean;
  livemode?: boolean;
  /** `exclusive` by default. */
  taxBehavior?: Price['tax_behavior'];
};

export function createPrice(options: PriceOptions, created: number): Price {
  const { id, unitAmount, currency = 'usd', active = true, livemode = false } = options;
  const { taxBehavior = 'exclusive' } = options;
  return {
    id,
    object: 'price',
    active,
    billing_scheme: 'per_unit',
    created,
    currency,
    custom_unit_amount: null,
    livemode,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: id.replace(/^price_/, 'prod_'),
    recurring: null,
    tax_behavior: taxBehavior,
    tiers_mode: null,
    transform_quantity: null,
    type: 'one_time',
    unit_amount: unitAmount,
    unit_amount_decimal: String(unitAmount),
  };
}

export function createLineItem(account: Account, price: Price, quantity: number, name: string): LineItem {
  const amount = (price.unit_amount ?? 0) * quantity;
  return {
    id: account.store.createId('li_1'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: name,
    metadata: {},
    price,
    quantity,
  };
}

const sessionDefaults = {
  adaptive_pricing: { enabled: true },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  cancel_url: null,
  client_reference_id: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer: null,
  customer_account: null,
  customer_creation: null,
  customer_details: null,
  customer_email: null,
  discounts: [],
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  locale: null,
  managed_payments: null,
  metadata: {},
  mode: 'payment',
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: 'if_required',
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card', 'sepa_debit'],
  payment_status: 'unpaid',
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  submit_type: null,
  subscription: null,
  success_url: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<Stripe.Checkout.Session>;

export function createSession(
  account: Account,
  lineItems: readonly LineItem[],
  fields: Partial<Stripe.Checkout.Session>,
): Stripe.Checkout.Session {
  const { clock, livemode, store, url } = account;
  const id = store.createId(`cs_${livemode ? 'live' : 'test'}_a1`, 56);
  const total = lineItems.reduce((sum, item) => sum + item.amount_total, 0);
  return {
    id,
    object: 'checkout.session',
    ...structuredClone(sessionDefaults),
    amount_subtotal: total,
    amount_total: total,
    created: clock.seconds(),
    currency: lineItems[0]?.currency ?? null,
    expires_at: clock.seconds() + 24 * 3600,
    livemode,
    url: `${url}/c/pay/${id}`,
    ...fields,
  };
}

export function createPaymentIntent(
  account: Account,
  { shown: session, paymentIntentData }: SessionRow,
): Stripe.PaymentIntent {
  const id = account.store.createId('pi_3');
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: session.amount_total ?? 0,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_secret_${account.store.createId('')}`,
    confirmation_method: 'automatic',
    created: account.clock.seconds(),
    currency: session.currency ?? 'usd',
    customer: session.customer,
    customer_account: null,
    description: paymentIntentData.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: account.livemode,
    managed_payments: null,
    metadata: paymentIntentData.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: session.payment_method_types,
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  };
}

export function createCharge(
  account: Account,
  intent: Stripe.PaymentIntent,
  {
    method,
    email,
    ...fields
  }: Partial<Stripe.Charge> & { method: 'card' | 'sepa_debit'; email: string | null },
): Stripe.Charge {
  const id = account.store.createId('ch_3');
  const details =
    method === 'card'
      ? { type: method, card: { brand: 'visa', country: 'US', exp_month: 12, exp_year: 2034, last4: '4242' } }
      : { type: method, sepa_debit: { country: 'DE', last4: '3000' } };
  return {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: intent.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: account.store.createId('txn_3'),
    billing_details: { address: null, email, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: 'FAKE STRIPE',
    captured: true,
    created: account.clock.seconds(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: account.livemode,
    // A charge has the metadata of its payment intent.
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: null,
    paid: true,
    payment_intent: intent.id,
    payment_method: account.store.createId('pm_1'),
    payment_method_details: details as unknown as Stripe.Charge.PaymentMethodDetails,
    receipt_email: null,
    receipt_number: null,
    receipt_url: `${account.url}/receipts/${id}`,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'succeeded',
    transfer_data: null,
    transfer_group: null,
    ...fields,
  };
}

export function createCustomer(account: Account, fields: Partial<Stripe.Customer>): Stripe.Customer {
  return {
    id: account.store.createId('cus_', 14),
    object: 'customer',
    address: null,
    balance: 0,
    created: account.clock.seconds(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: account.livemode,
    metadata: {},
    name: null,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
    ...fields,
  };
}
