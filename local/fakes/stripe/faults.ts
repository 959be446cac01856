import { type Reply, type WireFault, wireFault } from '../server.ts';
import { stripeError } from './errors.ts';

/**
 * A fault for the next API call, or for the next one of this method and path. In `path`, `:id` stands for an id:
 * `{method: 'POST', path: '/v1/checkout/sessions'}`.
 */
export type StripeStep = { method?: 'GET' | 'POST' | 'DELETE'; path?: string } & WireFault;

const toReplyStep = (reply: Reply) => ({ kind: 'reply', ...reply }) as const;

/** Steps for `script` and `always`. `{...step, afterWork: true}` does the work and loses only the answer. */
export const stripeFault = {
  ...wireFault,
  /** 429: more than 100 calls a second in live mode, 25 in test mode. */
  rateLimited: () =>
    toReplyStep(
      stripeError(
        429,
        {
          code: 'rate_limit',
          message:
            'Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.',
        },
        { 'stripe-rate-limited-reason': 'global-rate', 'stripe-should-retry': 'true' },
      ),
    ),
  /** 429: another request holds the object. */
  lockTimeout: () =>
    toReplyStep(
      stripeError(
        429,
        {
          code: 'lock_timeout',
          message:
            'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
        },
        { 'stripe-should-retry': 'true' },
      ),
    ),
  /** 409: a request with the same Idempotency-Key is still running. */
  keyInUse: (key = 'key') =>
    toReplyStep(
      stripeError(409, {
        type: 'idempotency_error',
        code: 'idempotency_key_in_use',
        message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
      }),
    ),
  /** 500 and 503: something went wrong on Stripe's side. */
  apiError: (status: 500 | 502 | 503 | 504 = 500) =>
    toReplyStep(
      stripeError(status, {
        type: 'api_error',
        message: 'An unknown error occurred. If the problem persists, please contact support.',
      }),
    ),
  /** 401: the key was replaced. */
  keyExpired: () =>
    toReplyStep(
      stripeError(401, { code: 'api_key_expired', message: 'Expired API Key provided: sk_test_****' }),
    ),
  /** Does the work, then breaks the connection. */
  doneThenReset: (when: 'before-headers' | 'after-headers' = 'before-headers') =>
    ({ ...wireFault.reset(when), afterWork: true }) as const,
};

/**
 * A fault for the next delivery of an event, or for the next one of this type, or to this endpoint (its id or URL). It
 * changes one attempt; the retries of a refused attempt are whole again.
 */
export type DeliveryStep = { type?: string | undefined; endpoint?: string | undefined } & (
  | { kind: 'duplicate'; times?: number | undefined }
  | { kind: 'drop' }
  | { kind: 'hold' }
  | { kind: 'delay'; ms: number }
  | { kind: 'reorder' }
  | { kind: 'cut'; when: 'before-answer' | 'after-answer' }
  | { kind: 'alteredBody'; from?: string | undefined; to?: string | undefined }
  | { kind: 'wrongSignature' }
  | { kind: 'missingSignature' }
  | { kind: 'staleSignature'; seconds?: number | undefined }
  | { kind: 'wrongMode' }
);

/** Steps for `webhooks.script` and `webhooks.always`. Add `type` or `endpoint` to choose the delivery. */
export const deliveryFault = {
  /** Sends the event several times at once. */
  duplicate: (times = 2) => ({ kind: 'duplicate', times }) as const,
  /** Never sends it. The API still lists the event. */
  drop: () => ({ kind: 'drop' }) as const,
  /** Sends it only at `webhooks.release()`. */
  hold: () => ({ kind: 'hold' }) as const,
  /** Sends it when the fake's clock has moved so far. */
  delay: (ms: number) => ({ kind: 'delay', ms }) as const,
  /** Sends it after the answer to the next delivery. */
  reorder: () => ({ kind: 'reorder' }) as const,
  /** The answer never arrives, whatever the handler has done by then. Stripe tries again. */
  cut: (when: 'before-answer' | 'after-answer' = 'after-answer') => ({ kind: 'cut', when }) as const,
  /** Changes the body after it was signed: `from` to `to`, or a space at its end. */
  alteredBody: (from?: string, to?: string) => ({ kind: 'alteredBody', from, to }) as const,
  wrongSignature: () => ({ kind: 'wrongSignature' }) as const,
  missingSignature: () => ({ kind: 'missingSignature' }) as const,
  /** Signed long ago: what a stolen request looks like. */
  staleSignature: (seconds = 301) => ({ kind: 'staleSignature', seconds }) as const,
  /** A rightly signed event of the other mode. */
  wrongMode: () => ({ kind: 'wrongMode' }) as const,
};
