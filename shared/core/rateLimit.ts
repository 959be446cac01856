/**
 * Limits how often one user calls the functions that cost no credits. Each process counts for itself, which costs
 * no database access: with several instances a user has the limit in each. The ledger limits image requests
 * across all instances.
 */
import { countOf } from '../contract/describe.ts';
import { Failure } from '../errors.ts';

export type RateLimit = {
  /** `metadata.limit` of a refusal. */
  name: string;
} & /** Most calls of one user in any 60 s, or in any 60 min. */ (
  | { callsPerMinute: number }
  | { callsPerHour: number }
);

/** Each call costs us a call to a text model and the user nothing. */
export const enhanceLimit = { name: 'enhancePerMinute', callsPerMinute: 20 } satisfies RateLimit;
/** All reads and deletes together: enough for a page that polls, too little for a runaway loop. */
export const readLimit = { name: 'readsPerMinute', callsPerMinute: 300 } satisfies RateLimit;
/** Each call costs us a call to Stripe, which limits all our calls together. */
export const paymentLimit = { name: 'paymentsPerMinute', callsPerMinute: 30 } satisfies RateLimit;
/**
 * Large calls of `generate` that are refused before their body is read. They are not holds, so they do not count for
 * MAX_PER_MINUTE_PER_USER.
 */
export const largeRefusalLimit = { name: 'largeRefusalsPerMinute', callsPerMinute: 60 } satisfies RateLimit;
/** Each call reads every document of the user. */
export const exportLimit = { name: 'exportsPerHour', callsPerHour: 10 } satisfies RateLimit;
/** Each share copies an image through the function. */
export const shareLimit = { name: 'sharesPerMinute', callsPerMinute: 20 } satisfies RateLimit;
/** Reports of one network address, and of one image. Anyone can send them. */
export const reportLimit = { name: 'reportsPerMinute', callsPerMinute: 10 } satisfies RateLimit;
export const imageReportLimit = { name: 'reportsOfImagePerMinute', callsPerMinute: 20 } satisfies RateLimit;

const minuteMs = 60_000;

const parseLimit = (limit: RateLimit) =>
  'callsPerHour' in limit
    ? { callsMax: limit.callsPerHour, windowMs: 60 * minuteMs, period: 'an hour' }
    : { callsMax: limit.callsPerMinute, windowMs: minuteMs, period: 'a minute' };

/** Most pairs of user and limit in memory, at most 5 MB. Beyond it the pair without a call for longest is dropped. */
const entriesMaxDefault = 2_000;

export type RateLimiter = {
  /** Counts a call of a user, or of what else is limited. @throws {Failure} RATE_LIMITED; a refused call does not count. */
  take(limit: RateLimit, subject: string): void;
};

/** @param elapsed milliseconds since a fixed moment; never goes back. */
export function createRateLimiter(elapsed: () => number, entriesMax = entriesMaxDefault): RateLimiter {
  /** Times of the calls of the last minute, or hour, oldest first. The keys are ordered by their latest call. */
  const calls = new Map<string, number[]>();
  return {
    take(limit, subject) {
      const { name } = limit;
      const { callsMax, windowMs, period } = parseLimit(limit);
      const now = elapsed();
      const key = `${name}/${subject}`;
      const recent = (calls.get(key) ?? []).filter((at) => at > now - windowMs);
      calls.delete(key);
      calls.set(key, recent);
      if (calls.size > entriesMax) calls.delete(calls.keys().next().value as string);
      const oldest = recent[recent.length - callsMax];
      if (oldest === undefined) {
        recent.push(now);
        return;
      }
      throw new Failure('RATE_LIMITED', `At most ${countOf(callsMax, 'such call')} ${period}.`, {
        retryAfterSeconds: Math.max(1, Math.ceil((oldest + windowMs - now) / 1000)),
        metadata: { limit: name },
      });
    },
  };
}
