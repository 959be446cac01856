/**
 * Stripe's API, as far as the studio uses it. The only file that loads Stripe's library, which is imported at the first
 * use of payments and by no other function.
 */
import { isUtf8 } from 'node:buffer';
import Stripe from 'stripe';
import type * as z from 'zod';
import type { Config } from '../config/config.ts';
import type { Log } from '../core/log.ts';
import { Failure, invalidRequest } from '../errors.ts';
import {
  type Dispute,
  disputeSchema,
  eventSchema,
  type Price,
  parseDispute,
  parseRefund,
  paymentIntentSchema,
  priceSchema,
  type Refund,
  refundSchema,
  type Session,
  type StripeEvent,
  sessionSchema,
} from './stripeObjects.ts';

/** Longest wait for one answer, milliseconds, and how often the library repeats a call. */
const answerMsMax = 8_000;
const retriesMax = 1;
/** How old a signature may be, seconds: Stripe's own default. */
const toleranceSeconds = 300;
/** Seconds after which a client may ask again if Stripe cannot be reached. */
const retrySeconds = 5;
const pageSize = 100;

/** What a user is asked to pay. */
export type SessionRequest = {
  priceId: string;
  currency: string;
  customer: string;
  metadata: Record<string, string>;
  /** Where Stripe sends the user afterwards. */
  successUrl: string;
  cancelUrl: string;
};

/** Objects of one list, newest first. `after` is the id of the last one of the page before. */
export type ListRequest = { createdSince: Date; after: string | undefined };
export type List<T> = { items: T[]; hasMore: boolean };

export type StripeApi = ReturnType<typeof createStripe>;

/** @param options override the limits of a call. */
export function createStripe(
  config: Pick<Config, 'stripe'> & { stripe: { secretKey: string } },
  log: Log,
  options: { timeoutMs?: number } = {},
) {
  const { secretKey, webhookSecrets, baseUrl, managedPayments } = config.stripe;
  const sdk = new Stripe(secretKey, {
    ...(baseUrl !== undefined && toAddress(baseUrl)),
    timeout: options.timeoutMs ?? answerMsMax,
    maxNetworkRetries: retriesMax,
    telemetry: false,
  });
  const call = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => Promise.reject(toFailure(error, log)));
  /** Undefined if Stripe has no such object. */
  const find = <T>(work: Promise<T>): Promise<T | undefined> =>
    call(work.catch((error) => (isMissing(error) ? undefined : Promise.reject(error))));

  const list =
    <T>(
      read: (params: Stripe.RefundListParams) => Promise<{ data: unknown[]; has_more: boolean }>,
      schema: z.ZodType<T>,
    ) =>
    async ({ createdSince, after }: ListRequest): Promise<List<T>> => {
      const created = { gte: Math.floor(createdSince.getTime() / 1000) };
      const page = await call(read({ created, limit: pageSize, ...(after && { starting_after: after }) }));
      return { items: page.data.map((item) => schema.parse(item)), hasMore: page.has_more };
    };

  return {
    /** Whether the key moves real money. */
    livemode: secretKey.includes('_live_'),

    /**
     * The event in the raw body of a webhook call, once its signature fits one of the secrets.
     * @throws {Failure} INVALID_REQUEST, before anything of the body is read.
     */
    verifyEvent(payload: Buffer, signature: string): StripeEvent {
      for (const secret of webhookSecrets) {
        if (isSigned(sdk, payload, signature, secret))
          return eventSchema.parse(JSON.parse(payload.toString()));
      }
      throw invalidRequest([
        { field: 'Stripe-Signature', description: 'does not fit the body, or is too old' },
      ]);
    },

    findPrice: async (id: string): Promise<Price | undefined> =>
      priceSchema.optional().parse(await find(sdk.prices.retrieve(id))),

    async createCustomer(
      { uid, project, email }: { uid: string; project: string; email: string | undefined },
      idempotencyKey: string,
    ): Promise<string> {
      const params = { metadata: { uid, project }, ...(email && { email }) };
      return (await call(sdk.customers.create(params, { idempotencyKey }))).id;
    },

    /**
     * @returns `unknownCustomer` if the customer was deleted at Stripe or belongs to the other mode; `inactivePrice` if the
     * price is not sold any more.
     * @throws {Failure} IDEMPOTENCY_KEY_REUSED, PAYMENTS_UNAVAILABLE.
     */
    async createSession(
      request: SessionRequest,
      idempotencyKey: string,
    ): Promise<{ id: string; url: string } | 'unknownCustomer' | 'inactivePrice'> {
      try {
        const params = toSessionParams(request, managedPayments);
        const { id, url } = await sdk.checkout.sessions.create(params, { idempotencyKey });
        return { id, url: url ?? '' };
      } catch (error) {
        const { param = '' } = error as { param?: string };
        if (isMissing(error) && param === 'customer') return 'unknownCustomer';
        if (error instanceof Stripe.errors.StripeInvalidRequestError && param.startsWith('line_items')) {
          return 'inactivePrice';
        }
        throw toFailure(error, log);
      }
    },

    async findSession(id: string): Promise<Session | undefined> {
      return sessionSchema.optional().parse(await find(sdk.checkout.sessions.retrieve(id)));
    },

    /**
     * True if the payment of a completed session has failed for good: its page, where the buyer could try again, is closed.
     * One that is on its way is `processing`, or `requires_action` while a voucher waits.
     * Source: docs.stripe.com/payments/paymentintents/lifecycle.
     */
    async hasFailed(paymentIntent: string): Promise<boolean> {
      const retrieval = sdk.paymentIntents.retrieve(paymentIntent);
      const intent = await call(
        retrieval.catch((error) => (isInvalid(error) ? undefined : Promise.reject(error))),
      );
      const status = intent && paymentIntentSchema.parse(intent).status;
      return status === 'requires_payment_method' || status === 'canceled';
    },

    /** The session of a payment: refunds and disputes name only the payment. */
    async findSessionOf(paymentIntent: string): Promise<Session | undefined> {
      const { data } = await call(sdk.checkout.sessions.list({ payment_intent: paymentIntent, limit: 1 }));
      return data[0] && sessionSchema.parse(data[0]);
    },

    /** All refunds and disputes of a payment, of whatever age. */
    async listReversalsOf(paymentIntent: string): Promise<{ refunds: Refund[]; disputes: Dispute[] }> {
      const params = { payment_intent: paymentIntent, limit: pageSize };
      const [refunds, disputes] = await call(
        Promise.all([sdk.refunds.list(params), sdk.disputes.list(params)]),
      );
      const isOfPayment = (object: { payment_intent?: string | null | undefined }) =>
        object.payment_intent === paymentIntent;
      return {
        refunds: refunds.data.map(parseRefund).filter(isOfPayment),
        disputes: disputes.data.map(parseDispute).filter(isOfPayment),
      };
    },

    /** Refunds all that is left of a payment. One that is refunded or disputed already stays as it is. */
    async refundPayment(paymentIntent: string): Promise<void> {
      const done = ['charge_already_refunded', 'charge_disputed'];
      const refund = sdk.refunds.create(
        { payment_intent: paymentIntent },
        { idempotencyKey: `refund:${paymentIntent}` },
      );
      await call(
        refund.catch((error) => (done.includes(String(error.code)) ? undefined : Promise.reject(error))),
      );
    },

    /**
     * The customers of a user, also those that no account knows. A customer is found a minute after it was made. None in a
     * country where Stripe has no search.
     * https://docs.stripe.com/search
     */
    async findCustomers({ uid, project }: { uid: string; project: string }): Promise<string[]> {
      const quote = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`;
      const query = `metadata['uid']:${quote(uid)} AND metadata['project']:${quote(project)}`;
      const search = sdk.customers.search({ query, limit: pageSize });
      const { data } = await call(
        search.catch((error) => (isInvalid(error) ? { data: [] } : Promise.reject(error))),
      );
      return data.map(({ id }) => id);
    },

    /** Ends the checkouts that a customer has not finished, then deletes the customer. May be repeated. */
    async deleteCustomer(customer: string): Promise<void> {
      const open = await call(sdk.checkout.sessions.list({ customer, status: 'open', limit: pageSize }));
      for (const { id } of open.data) {
        // One that was paid or has expired meanwhile stays as it is.
        await call(
          sdk.checkout.sessions
            .expire(id)
            .catch((error) => (isInvalid(error) ? undefined : Promise.reject(error))),
        );
      }
      await find(sdk.customers.del(customer));
    },

    /** The address of a customer's portal; undefined if Stripe has no such customer. */
    async createPortal(customer: string, returnUrl: string): Promise<string | undefined> {
      const portal = await find(sdk.billingPortal.sessions.create({ customer, return_url: returnUrl }));
      return portal?.url;
    },

    listSessions: list(
      (params) => sdk.checkout.sessions.list({ ...params, status: 'complete' }),
      sessionSchema,
    ),
    listRefunds: list((params) => sdk.refunds.list(params), refundSchema),
    listDisputes: list((params) => sdk.disputes.list(params), disputeSchema),
    listEvents: (types: readonly string[], request: ListRequest): Promise<List<StripeEvent>> =>
      list((params) => sdk.events.list({ ...params, types: [...types] }), eventSchema)(request),
  };
}

function toAddress(baseUrl: string) {
  const { protocol, hostname, port } = new URL(baseUrl);
  const isPlain = protocol === 'http:';
  return {
    protocol: isPlain ? 'http' : 'https',
    host: hostname,
    port: port || (isPlain ? 80 : 443),
  } as const;
}

/**
 * True if the signature fits the bytes and this secret. Any error of the library means that it does not: it has no error of
 * its own for an empty signature, or for letters outside ASCII.
 */
function isSigned(sdk: Stripe, payload: Buffer, signature: string, secret: string): boolean {
  // Given bytes, the library would drop a byte order mark, and replace bytes that are not UTF-8, before it compares.
  if (!isUtf8(payload)) return false;
  try {
    const { signature: signatures } = sdk.webhooks;
    return signatures?.verifyHeader(payload.toString(), signature, secret, toleranceSeconds) ?? false;
  } catch {
    return false;
  }
}

function toSessionParams(
  { priceId, currency, customer, metadata, successUrl, cancelUrl }: SessionRequest,
  managedPayments: boolean,
): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    line_items: [{ price: priceId, quantity: 1 }],
    // A price may have other currencies too. Without it, Checkout would choose one by the buyer's country.
    currency,
    customer,
    customer_update: { address: 'auto', name: 'auto' },
    invoice_creation: { enabled: true },
    metadata,
    payment_intent_data: { metadata },
    success_url: successUrl,
    cancel_url: cancelUrl,
    // What is paid must be what was asked: no discounts, and no other currency. Managed Payments accepts no setting of it.
    allow_promotion_codes: false,
    ...(managedPayments ? { managed_payments: { enabled: true } } : { adaptive_pricing: { enabled: false } }),
  };
}

const isInvalid = (error: unknown) => error instanceof Stripe.errors.StripeInvalidRequestError;
const isMissing = (error: unknown) => (error as { code?: unknown }).code === 'resource_missing';

/** Stripe's error as ours. One of the configuration is logged, because only an operator can fix it. */
function toFailure(error: unknown, log: Log): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const { statusCode, code, type } = error;
  if (type === 'StripeIdempotencyError' && code !== 'idempotency_key_in_use') {
    return new Failure('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another purchase.', {
      cause: error,
    });
  }
  const isMisconfigured = type === 'StripeAuthenticationError' || type === 'StripePermissionError';
  if (isMisconfigured) {
    log.error('Stripe refuses STRIPE_SECRET_KEY', { event: 'payments_misconfigured', error });
  }
  const isPassing = statusCode === undefined || statusCode === 409 || statusCode === 429 || statusCode >= 500;
  if (!isPassing && !isMisconfigured) return error;
  return new Failure('PAYMENTS_UNAVAILABLE', 'Payments are not possible at the moment.', {
    retryAfterSeconds: retrySeconds,
    // Stripe stores the answer of a call that it began under its key, even of one that failed.
    ...(statusCode !== undefined && statusCode >= 500 && { retry: 'new_key' }),
    cause: error,
  });
}
