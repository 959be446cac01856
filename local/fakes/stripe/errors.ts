import type { Reply } from '../server.ts';

export type StripeError = {
  type?: 'invalid_request_error' | 'idempotency_error' | 'card_error' | 'api_error';
  code?: string;
  message: string;
  param?: string | undefined;
  decline_code?: string;
};

/** Stripe's error body. */
export function stripeError(
  status: number,
  { type = 'invalid_request_error', code, message, param, ...more }: StripeError,
  headers: Record<string, string> = {},
): Reply {
  const docUrl = code === undefined ? {} : { doc_url: `https://stripe.com/docs/error-codes/${code}` };
  return {
    status,
    headers,
    body: {
      error: {
        ...(code === undefined ? {} : { code, ...docUrl }),
        message,
        ...(param === undefined ? {} : { param }),
        ...more,
        type,
      },
    },
  };
}

/** Thrown where a refusal is known; the server answers with its reply. */
export class StripeRefusal extends Error {
  readonly reply: Reply;
  constructor(reply: Reply, message: string) {
    super(message);
    this.reply = reply;
  }
}

export const refusal = (status: number, error: StripeError) =>
  new StripeRefusal(stripeError(status, error), error.message);

/** 404 for an id in the path, 400 for an id in a parameter. Stripe also says if the other mode has the object. */
export function missingResource(name: string, id: string, param: string, status: 400 | 404, otherMode = '') {
  // Stripe quotes the ids of most objects, but not those of sessions.
  const quoted = name === 'checkout.session' ? id : `'${id}'`;
  return refusal(status, {
    code: 'resource_missing',
    message: `No such ${name}: ${quoted}${otherMode}`,
    param,
  });
}
