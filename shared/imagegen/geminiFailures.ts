/** Maps errors of Gemini's API to our reasons. `providerFailure` says what each means for the model. */
import * as z from 'zod';
import { DeadlinePassed } from '../core/deadline.ts';
import { Failure, type ProviderFailure } from '../errors.ts';

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

const errorBodySchema = z.object({
  error: z.object({
    status: z.string().optional(),
    message: z.string().optional(),
    details: z
      .array(
        z.looseObject({
          reason: z.string().optional(),
          retryDelay: z.string().optional(),
          violations: z.array(z.looseObject({ quotaId: z.string().optional() })).optional(),
        }),
      )
      .optional(),
  }),
});
type ErrorBody = z.infer<typeof errorBodySchema>['error'];

/** Maps an error of the SDK to a reason of ours. Keeps only codes of its text, which may quote anything. */
export function toProviderFailure(error: unknown, received: Received): Failure {
  if (error instanceof DeadlinePassed) {
    const providerFailure: ProviderFailure = { kind: 'final', mayBeBilled: true };
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
      if (body?.message?.includes('Unable to process input image')) {
        // The message does not say which image it means.
        const metadata = { index: '0' };
        return new Failure('REFERENCE_UNREADABLE', 'The model cannot read a reference image.', {
          cause,
          metadata,
        });
      }
      return new Failure('PROVIDER_ERROR', 'The model refused the request.', { cause });
    case 401:
    case 403:
      return misconfiguredFailure(cause);
    case 404:
      return misconfiguredFailure(cause).with({ providerFailure: { kind: 'retired' } });
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

/** Maps a 429 to the quota that is exhausted: per minute, per day, or billing. */
function quotaFailure(
  body: ErrorBody | undefined,
  retryHint: { retryAfterMs?: number },
  cause: Error,
): Failure {
  const message = body?.message ?? '';
  const quotaIds =
    body?.details?.flatMap(({ violations = [] }) => violations.map(({ quotaId }) => quotaId)) ?? [];
  const isDepleted = (body?.details ?? []).length === 0 && /prepa(id|y)|credits|billing/i.test(message);
  if (/limit: 0\b/.test(message) || isDepleted) return exhausted({ kind: 'billing' });
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

/** When to call again: the longer of the body's RetryInfo and the Retry-After header. */
function parseRetryAfter(body: ErrorBody | undefined, { retryAfter }: Received): { retryAfterMs?: number } {
  const delay = body?.details?.find((detail) => detail.retryDelay)?.retryDelay;
  const waits = [Number.parseFloat(delay ?? ''), Number(retryAfter ?? Number.NaN)].filter((wait) => wait > 0);
  return waits.length > 0 ? { retryAfterMs: Math.ceil(Math.max(...waits) * 1000) } : {};
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    return errorBodySchema.safeParse(JSON.parse(text)).data?.error;
  } catch {
    return undefined; // Not JSON: an HTML page of a proxy, or an empty body.
  }
}
