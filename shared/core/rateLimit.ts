/**
 * How often one user may call what costs no credits, in one process: there is no shared counter to pay for,
 * so with several instances a user may have as much from each. The limit of paintings is the ledger's own
 * and holds everywhere.
 */
import { Failure } from '../errors.ts';

export type RateLimit = {
  /** What a refusal's `metadata.limit` says. */
  name: string;
  /** Most calls of one user in any 60 s. */
  callsPerMinute: number;
};

/** A text model is asked each time, and nobody pays us for it. */
export const enhanceLimit: RateLimit = { name: 'enhancePerMinute', callsPerMinute: 20 };
/** Of all reads together, and of deletes: what a page that polls needs, and what a loop gone wild does not get. */
export const readLimit: RateLimit = { name: 'readsPerMinute', callsPerMinute: 300 };

const windowMs = 60_000;
/** Most users and limits that are remembered; beyond it the one longest unseen is forgotten. 5 MB at the very most. */
const rememberedMax = 2_000;

export type RateLimiter = {
  /** Counts a call. @throws {Failure} RATE_LIMITED, which is not counted. */
  take(limit: RateLimit, uid: string): void;
};

/** @param elapsed milliseconds since some fixed moment, never running backwards. */
export function createRateLimiter(elapsed: () => number, entriesMax = rememberedMax): RateLimiter {
  /** When the calls of the last minute came, oldest first; who called last stands last. */
  const calls = new Map<string, number[]>();
  return {
    take({ name, callsPerMinute }, uid) {
      const now = elapsed();
      const key = `${name}/${uid}`;
      const recent = (calls.get(key) ?? []).filter((at) => at > now - windowMs);
      calls.delete(key);
      calls.set(key, recent);
      if (calls.size > entriesMax) calls.delete(calls.keys().next().value as string);
      const oldest = recent[recent.length - callsPerMinute];
      if (oldest === undefined) {
        recent.push(now);
        return;
      }
      throw new Failure('RATE_LIMITED', `At most ${callsPerMinute} such calls a minute.`, {
        retryAfterSeconds: Math.max(1, Math.ceil((oldest + windowMs - now) / 1000)),
        metadata: { limit: name },
      });
    },
  };
}
