/** Maps errors of Gemini's API to our reasons. `providerFailure` says what each means for the model. */
import * as z from 'zod';
import { DeadlinePassed } from '../core/deadline.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import { parseDurationMs } from './duration.ts';

/**
 * A failed response. `body` is its text, which the SDK passes on as the message of an ApiError. For a 200 whose body is
 * not JSON the SDK throws a SyntaxError instead, so `status` is what `fetch` saw.
 */
export type Received = { status?: number; retryAfter?: string | null; body?: string };

export function misconfiguredFailure(cause: unknown): Failure {
  return new Failure('PROVIDER_MISCONFIGURED', 'Image generation is not set up correctly on our side.', {
    cause,
  });
}

/** Messages of a 400 about a reference image. They do not say which one. */
const unreadableMessages = /Unable to process input image|Provided image is not valid/;

type Fault = {
  /** Our code for the log. */
  code: string;
  /** How Google names it: the reason in its details, or its message if there are none. */
  reasons?: readonly string[];
  pattern: RegExp;
  /** For a 429 that only money helps against: what does not answer until somebody pays. */
  stops?: 'model' | 'project';
  /** What to do about it. */
  advice: string;
};

/**
 * Faults of our set-up at Google that the log tells apart. "Please check your plan and billing details" is not one of
 * them: Google says that of any quota. docs/deployment/operations.md lists them.
 */
export const geminiFaults: readonly Fault[] = [
  {
    code: 'no_quota',
    pattern: /\blimit: 0(?![\d.]*\d)/,
    stops: 'model',
    advice: 'ask Google for quota of this model, or link the project to a billing account',
  },
  {
    code: 'credits_used_up',
    pattern: /prepayment credits are depleted/i,
    stops: 'model',
    advice: 'buy credits in AI Studio',
  },
  {
    code: 'spending_cap',
    pattern: /exceeded its (monthly )?spending cap/i,
    stops: 'project',
    advice: 'raise the cap of the project in AI Studio',
  },
  {
    code: 'region_not_supported',
    pattern: /location is not supported/i,
    advice: "deploy in a region of Google's list, or use Vertex AI",
  },
  {
    code: 'api_key_leaked',
    pattern: /reported as leaked/i,
    advice: 'replace GEMINI_API_KEY: Google has blocked it',
  },
  {
    code: 'api_key_invalid',
    reasons: ['API_KEY_INVALID', 'API_KEY_EXPIRED'],
    pattern: /API key (not valid|expired|not found)/i,
    advice: 'check GEMINI_API_KEY',
  },
  {
    code: 'api_key_restricted',
    reasons: ['API_KEY_SERVICE_BLOCKED', 'API_KEY_IP_ADDRESS_BLOCKED', 'API_KEY_HTTP_REFERRER_BLOCKED'],
    pattern: /Requests .{0,80} are blocked|violates this restriction/i,
    advice: 'allow the Gemini API and this server in the restrictions of the key',
  },
  {
    code: 'api_disabled',
    reasons: ['SERVICE_DISABLED'],
    pattern: /has not been used in project|API .{0,40}is disabled/i,
    advice: 'enable the API in the project',
  },
  {
    code: 'billing_disabled',
    reasons: ['BILLING_DISABLED'],
    pattern: /(enable|requires?|without) billing|billing .{0,60}(disabled|enabled|required|closed)/i,
    advice: 'link the project to an open billing account',
  },
  {
    code: 'project_suspended',
    reasons: ['CONSUMER_SUSPENDED'],
    pattern: /has been suspended/i,
    advice: 'ask Google why the project is suspended',
  },
];

/** What may be logged of Google's codes and of the names of errors: nothing that could quote a request. */
const codePattern = /^([A-Z][A-Z_]{1,59}|[A-Za-z]{1,30}Error)$/;

/** Longest wait to believe, milliseconds: a day. */
const waitMsMax = 86_400_000;

const text = z.string().optional().catch(undefined);
const errorBodySchema = z.object({
  error: z.object({
    status: text,
    message: text,
    details: z
      .array(
        z.looseObject({
          reason: text,
          retryDelay: z.unknown().optional(),
          violations: z
            .array(z.looseObject({ quotaId: text }))
            .optional()
            .catch(undefined),
        }),
      )
      .optional()
      .catch(undefined),
  }),
});
type ErrorBody = z.infer<typeof errorBodySchema>['error'];

/** Maps an error of the SDK to a reason of ours. Keeps only codes of its text, which may quote anything. */
export function toProviderFailure(error: unknown, received: Received, modelId: string): Failure {
  if (error instanceof DeadlinePassed) {
    const providerFailure: ProviderFailure = { kind: 'silent', mayBeBilled: true };
    return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause: error, providerFailure });
  }
  const body = received.body === undefined ? undefined : parseErrorBody(received.body);
  const status = received.status ?? 0;
  const { name, cause: inner } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  const reason = body?.details?.find((detail) => detail.reason)?.reason;
  const fault = geminiFaults.find(
    ({ reasons, pattern }) => reasons?.includes(reason ?? '') || pattern.test(body?.message ?? ''),
  );
  const codes = [body?.status ?? name, reason ?? inner?.code].filter((code) => codePattern.test(code ?? ''));
  const facts = [status || undefined, ...codes, fault?.code].filter(Boolean);
  const cause = new Error(`Gemini answered ${facts.join(' ')}${fault ? ` (${fault.advice})` : ''}`);
  const retryHint = parseRetryAfter(body, received);
  const passing: ProviderFailure = { kind: 'passing', ...retryHint };
  switch (status) {
    case 400:
      // Without its details, such a fault looks like an invalid request.
      if ((fault && !fault.stops) || body?.status === 'FAILED_PRECONDITION')
        return misconfiguredFailure(cause);
      if (unreadableMessages.test(body?.message ?? '')) {
        const metadata = { index: '0' };
        return new Failure('REFERENCE_UNREADABLE', 'The model cannot read a reference image.', {
          cause,
          metadata,
        });
      }
      return refusedFailure(cause);
    case 401:
      return misconfiguredFailure(cause);
    case 403:
      return misconfiguredFailure(cause).with({ providerFailure: { kind: 'refused' } });
    case 404:
      // A proxy answers 404 too, in HTML or plain text. Only Google's own 404 says that the model is gone.
      if (body?.status === 'NOT_FOUND' && body.message?.includes(modelId)) {
        return misconfiguredFailure(cause).with({ providerFailure: { kind: 'retired' } });
      }
      return new Failure('PROVIDER_ERROR', 'The model failed.', { cause, providerFailure: passing });
    case 413:
      return refusedFailure(cause);
    case 429:
      return quotaFailure(body, fault?.stops, retryHint, cause);
    case 503: {
      const details = {
        cause,
        retryAfterSeconds: 5,
        providerFailure: { ...passing, kind: 'overloaded' as const },
      };
      return new Failure('PROVIDER_OVERLOADED', 'The model is overloaded.', details);
    }
    case 504:
      return new Failure('PROVIDER_TIMEOUT', 'The model took too long.', { cause, providerFailure: passing });
    default: {
      // After a 200 with an incomplete or invalid body the image exists and is billed.
      const providerFailure = { ...passing, ...(status === 200 && { mayBeBilled: true }) };
      return new Failure('PROVIDER_ERROR', 'The model failed.', { cause, providerFailure });
    }
  }
}

/** A request that the same model would refuse again. */
const refusedFailure = (cause: Error) =>
  new Failure('PROVIDER_ERROR', 'The model refused the request.', {
    cause,
    providerFailure: { kind: 'refused' },
  });

/** Maps a 429 to the quota that is exhausted: billing, per day, or else per minute. */
function quotaFailure(
  body: ErrorBody | undefined,
  stops: Fault['stops'],
  retryHint: { retryAfterMs?: number },
  cause: Error,
): Failure {
  const quotaIds =
    body?.details?.flatMap(({ violations = [] }) => violations.map(({ quotaId }) => quotaId)) ?? [];
  if (stops) return exhausted({ kind: 'billing', ...(stops === 'project' && { isWholeProject: true }) });
  // For a daily quota RetryInfo says one second, so ignore it.
  if (quotaIds.some((id) => id?.includes('PerDay'))) return exhausted({ kind: 'day' });
  const seconds = Math.max(1, Math.ceil((retryHint.retryAfterMs ?? 60_000) / 1000));
  return exhausted({ kind: 'minute', ...retryHint }).with({ retryAfterSeconds: seconds });

  function exhausted(providerFailure: ProviderFailure): Failure {
    return new Failure('PROVIDER_QUOTA', 'The quota of the model is exhausted for now.', {
      cause,
      providerFailure,
    });
  }
}

/** Whether Vertex AI refused the request because of its field `store`. */
export function refusesStore({ status, message }: { status: number; message: string }): boolean {
  const body = parseErrorBody(message);
  return status === 400 && body?.status === 'INVALID_ARGUMENT' && /\bstore\b/.test(body.message ?? '');
}

/** When to call again: the longer of the body's RetryInfo and the Retry-After header. */
function parseRetryAfter(body: ErrorBody | undefined, { retryAfter }: Received): { retryAfterMs?: number } {
  const delay = body?.details?.find((detail) => detail.retryDelay)?.retryDelay;
  const waits = [parseDurationMs(delay) ?? 0, Number(retryAfter ?? 0) * 1000].filter((wait) => wait > 0);
  return waits.length > 0 ? { retryAfterMs: Math.min(Math.ceil(Math.max(...waits)), waitMsMax) } : {};
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return errorBodySchema.safeParse(Array.isArray(json) ? json[0] : json).data?.error;
  } catch {
    return undefined; // Not JSON: an HTML page of a proxy, or an empty body.
  }
}
