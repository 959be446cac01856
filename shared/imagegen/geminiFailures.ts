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
  const facts = [status || undefined, body?.status ?? name, reason ?? inner?.code].filter(Boolean);
  const cause = new Error(`Gemini answered ${facts.join(' ')}`);
  const retryHint = parseRetryAfter(body, received);
  const passing: ProviderFailure = { kind: 'passing', ...retryHint };
  switch (status) {
    case 400:
      if (reason === 'API_KEY_INVALID' || body?.status === 'FAILED_PRECONDITION') {
        return misconfiguredFailure(cause);
      }
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
      return quotaFailure(body, retryHint, cause);
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

/**
 * Messages of a 429 that only money helps against, with or without details. "Please check your plan and billing
 * details" is not one of them: Google says that of any quota. A spending cap applies to the whole project.
 */
const billingMessages: readonly { pattern: RegExp; isWholeProject?: true }[] = [
  { pattern: /\blimit: 0(?![\d.]*\d)/ },
  { pattern: /prepayment credits are depleted/i },
  { pattern: /exceeded its (monthly )?spending cap/i, isWholeProject: true },
];

/** Maps a 429 to the quota that is exhausted: billing, per day, or else per minute. */
function quotaFailure(
  body: ErrorBody | undefined,
  retryHint: { retryAfterMs?: number },
  cause: Error,
): Failure {
  const message = body?.message ?? '';
  const quotaIds =
    body?.details?.flatMap(({ violations = [] }) => violations.map(({ quotaId }) => quotaId)) ?? [];
  const billing = billingMessages.find(({ pattern }) => pattern.test(message));
  if (billing) {
    const { isWholeProject } = billing;
    return exhausted({ kind: 'billing', ...(isWholeProject && { isWholeProject }) });
  }
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
