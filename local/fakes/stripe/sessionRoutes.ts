import { z } from 'zod';
import { type Account, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { listLineItems, listRows } from './lists.ts';
import { toId } from './moneyObjects.ts';
import { createLineItem, createSession } from './objects.ts';
import { address, boolean, expand, integer, metadata, pagination, range, text } from './params.ts';
import { expireSession } from './payments.ts';
import { type Route, route } from './route.ts';

const enabled = z.strictObject({ enabled: boolean }).optional();

const lineItem = z.strictObject({
  adjustable_quantity: enabled,
  metadata: metadata.optional(),
  price: text(),
  quantity: integer(1, 999_999),
});

/** The parameters that the fake knows. Stripe knows more; the fake refuses those as unknown. */
const createParams = z.strictObject({
  adaptive_pricing: enabled,
  allow_promotion_codes: boolean.optional(),
  allowed_payment_method_types: z.array(text()).optional(),
  automatic_tax: enabled,
  billing_address_collection: z.enum(['auto', 'required']).optional(),
  cancel_url: address.optional(),
  client_reference_id: text(200).optional(),
  currency: text(3).optional(),
  customer: text().optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  customer_email: text(800).optional(),
  customer_update: z
    .strictObject({
      address: z.enum(['auto', 'never']).optional(),
      name: z.enum(['auto', 'never']).optional(),
    })
    .optional(),
  expand,
  expires_at: integer().optional(),
  invoice_creation: z
    .strictObject({
      enabled: boolean,
      invoice_data: z
        .strictObject({
          description: text().optional(),
          footer: text().optional(),
          metadata: metadata.optional(),
        })
        .optional(),
    })
    .optional(),
  line_items: z.array(lineItem).min(1).max(100),
  locale: text(10).optional(),
  managed_payments: z.strictObject({ enabled: boolean.optional() }).optional(),
  metadata: metadata.optional(),
  mode: z.enum(['payment']),
  origin_context: z.enum(['mobile_app', 'web']).optional(),
  payment_intent_data: z
    .strictObject({
      description: text().optional(),
      metadata: metadata.optional(),
      receipt_email: text().optional(),
      statement_descriptor_suffix: text(22).optional(),
    })
    .optional(),
  submit_type: z.enum(['auto', 'book', 'donate', 'pay', 'subscribe']).optional(),
  success_url: address,
  tax_id_collection: enabled,
  ui_mode: z.enum(['hosted_page']).optional(),
});
type CreateParams = z.infer<typeof createParams>;

const minSeconds = 30 * 60;
const maxSeconds = 24 * 3600;

function create(account: Account, params: CreateParams): object {
  refuseCombinations(params);
  refuseExpiry(account, params.expires_at);
  const lineItems = params.line_items.map((item, index) => createItem(account, params, item, index));
  if (params.customer !== undefined) getCustomer(account, params.customer);
  const session = createSession(account, lineItems, {
    adaptive_pricing: { enabled: params.adaptive_pricing?.enabled ?? true },
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    automatic_tax: {
      enabled: params.automatic_tax?.enabled ?? false,
      liability: params.automatic_tax?.enabled ? { type: 'self' } : null,
      provider: params.automatic_tax?.enabled ? 'stripe' : null,
      status: params.automatic_tax?.enabled ? 'requires_location_inputs' : null,
    },
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    customer: params.customer ?? null,
    customer_creation: params.customer === undefined ? (params.customer_creation ?? 'if_required') : null,
    customer_email: params.customer_email ?? null,
    ...(params.expires_at === undefined ? {} : { expires_at: params.expires_at }),
    invoice_creation: {
      enabled: params.invoice_creation?.enabled ?? false,
      invoice_data: {
        account_tax_ids: null,
        custom_fields: null,
        description: params.invoice_creation?.invoice_data?.description ?? null,
        footer: params.invoice_creation?.invoice_data?.footer ?? null,
        issuer: null,
        metadata: params.invoice_creation?.invoice_data?.metadata ?? {},
        rendering_options: null,
      },
    },
    locale: params.locale ?? null,
    managed_payments: params.managed_payments ? { enabled: params.managed_payments.enabled ?? false } : null,
    metadata: params.metadata ?? {},
    origin_context: params.origin_context ?? null,
    payment_method_types: params.allowed_payment_method_types ?? ['card', 'sepa_debit'],
    submit_type: params.submit_type ?? null,
    success_url: params.success_url,
  });
  const { description, metadata: intentMetadata } = params.payment_intent_data ?? {};
  account.store.put('sessions', {
    livemode: account.livemode,
    shown: session,
    lineItems,
    paymentIntentData: { description, metadata: intentMetadata },
  });
  return session;
}

function refuseCombinations(params: CreateParams): void {
  for (const other of ['customer_email', 'customer_creation'] as const) {
    if (params.customer !== undefined && params[other] !== undefined) {
      throw refusal(400, {
        message: `You may only specify one of these parameters: customer, ${other}.`,
        param: 'customer',
      });
    }
  }
  if (params.customer_update !== undefined && params.customer === undefined) {
    throw refusal(400, {
      message: '`customer_update` can only be used with `customer`.',
      param: 'customer_update',
    });
  }
  if (!params.managed_payments?.enabled) return;
  // With Managed Payments Stripe is the seller, and answers for the taxes.
  for (const name of ['automatic_tax', 'tax_id_collection', 'adaptive_pricing'] as const) {
    if (params[name] !== undefined) {
      throw refusal(400, { message: `You cannot use \`${name}\` with \`managed_payments\`.`, param: name });
    }
  }
}

function refuseExpiry({ clock }: Account, expiresAt: number | undefined): void {
  if (expiresAt === undefined) return;
  const seconds = expiresAt - clock.seconds();
  if (seconds < minSeconds) {
    throw refusal(400, {
      message: 'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
      param: 'expires_at',
    });
  }
  if (seconds > maxSeconds) {
    throw refusal(400, {
      message: 'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
      param: 'expires_at',
    });
  }
}

function createItem(
  account: Account,
  params: CreateParams,
  { price: id, quantity }: CreateParams['line_items'][number],
  index: number,
) {
  const param = `line_items[${index}][price]`;
  const { shown: price, name } = getRow(account, 'prices', id, param);
  if (!price.active) {
    throw refusal(400, {
      message: 'The price specified is inactive. This field only accepts active prices.',
      param,
    });
  }
  const first = account.store.get('prices', params.line_items[0]?.price ?? '')?.shown.currency;
  const currency = params.currency ?? first ?? price.currency;
  if (price.currency !== currency) {
    throw refusal(400, {
      message: `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
      param,
    });
  }
  return createLineItem(account, price, quantity, name);
}

/** A deleted customer can be read, but no longer used. */
export function getCustomer(account: Account, id: string) {
  const { shown } = getRow(account, 'customers', id, 'customer');
  if (!('deleted' in shown)) return shown;
  throw refusal(400, { code: 'resource_missing', message: `No such customer: '${id}'`, param: 'customer' });
}

const listParams = z.strictObject({
  ...pagination,
  created: range.optional(),
  customer: text().optional(),
  customer_details: z.strictObject({ email: text() }).optional(),
  payment_intent: text().optional(),
  status: z.enum(['complete', 'expired', 'open']).optional(),
});

const sessions = '/v1/checkout/sessions';

export const sessionRoutes: Route[] = [
  route(['POST', sessions], 'checkout_session_write', createParams, create),
  route(['GET', sessions], 'checkout_session_read', listParams, (account, params) =>
    listRows(
      account,
      'sessions',
      sessions,
      params,
      (session) =>
        (params.status === undefined || session.status === params.status) &&
        (params.customer === undefined || toId(session.customer) === params.customer) &&
        (params.payment_intent === undefined || toId(session.payment_intent) === params.payment_intent) &&
        (params.customer_details === undefined ||
          session.customer_details?.email === params.customer_details.email),
    ),
  ),
  route(
    ['GET', `${sessions}/:id`],
    'checkout_session_read',
    z.strictObject({ expand }),
    (account, _, id) => getRow(account, 'sessions', id).shown,
  ),
  route(
    ['POST', `${sessions}/:id/expire`],
    'checkout_session_write',
    z.strictObject({ expand }),
    (account, _, id) => expireSession(account, id),
  ),
  route(
    ['GET', `${sessions}/:id/line_items`],
    'checkout_session_read',
    z.strictObject(pagination),
    (account, params, id) => listLineItems(account, id, params),
  ),
];
