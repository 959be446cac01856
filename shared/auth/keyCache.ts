/**
 * Keeps the public keys that Google publishes. They are fetched again when their `max-age` is over. If that fails, the
 * old ones stay in use for a day: Google announces a key long before it signs with it.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { logUnavailable, signInsUnavailable } from './unavailable.ts';

/** Longest wait for the keys, milliseconds. */
const fetchMsMax = 3_000;
/** How long keys are fresh if the reply does not say, milliseconds. */
const freshMsDefault = 600_000;
/** How long after their fetch keys are used if no newer ones can be fetched, milliseconds. */
const usableMs = 86_400_000;
/** Least time between two fetches while there are usable keys, milliseconds. */
const cooldownMs = 30_000;

/** All times are those of `clock.elapsed`. */
type FetchedKeys<Keys> = { keys: Keys; freshUntil: number; usableUntil: number };

type KeyCache<Keys> = {
  /**
   * The keys, at once if they are known. Those that are not fresh are fetched again meanwhile.
   * @throws {Failure} AUTH_UNAVAILABLE if there are no usable ones.
   */
  get(): Promise<Keys>;
  /**
   * Newer keys than the known ones, for a token whose key is not among these. They are fetched at most every 30 s.
   * @throws {Failure} AUTH_UNAVAILABLE if the newest fetch failed: nobody knows whether there is such a key.
   */
  getNewer(): Promise<Keys>;
};

/** @param parse turns the JSON of a reply into keys; throws if it is not a set of keys. */
export function createKeyCache<Keys>(
  url: string,
  parse: (json: unknown) => Keys,
  { clock, log }: { clock: Pick<Clock, 'elapsed'>; log: Log },
): KeyCache<Keys> {
  let fetched: FetchedKeys<Keys> | undefined;
  let pending: Promise<FetchedKeys<Keys>> | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;

  /** Fetches the keys. Callers at the same time share one fetch. */
  function refresh(): Promise<FetchedKeys<Keys>> {
    pending ??= fetchOnce().finally(() => {
      pending = undefined;
    });
    return pending;
  }

  async function fetchOnce(): Promise<FetchedKeys<Keys>> {
    startedAt = clock.elapsed();
    try {
      const { json, freshMs } = await fetchKeys(url);
      const now = clock.elapsed();
      fetched = {
        keys: parse(json),
        freshUntil: now + freshMs,
        usableUntil: now + Math.max(freshMs, usableMs),
      };
      failure = undefined;
      return fetched;
    } catch (error) {
      failure = error;
      logUnavailable(log, "Google's keys cannot be fetched", error);
      throw signInsUnavailable(error);
    }
  }

  const isCoolingDown = () => clock.elapsed() < startedAt + cooldownMs;

  return {
    async get() {
      const now = clock.elapsed();
      if (!fetched || now >= fetched.usableUntil) return (await refresh()).keys;
      // A failure is logged. The next caller after the cooldown tries again.
      if (now >= fetched.freshUntil && !isCoolingDown()) refresh().catch(() => {});
      return fetched.keys;
    },

    async getNewer() {
      if (pending || !fetched || !isCoolingDown()) return (await refresh()).keys;
      if (failure !== undefined) throw signInsUnavailable(failure);
      return fetched.keys;
    },
  };
}

async function fetchKeys(url: string): Promise<{ json: unknown; freshMs: number }> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(fetchMsMax) });
  if (response.status !== 200) throw new Error(`Google's keys answered ${response.status}`);
  return { json: await response.json(), freshMs: parseFreshMs(response.headers) };
}

/** How long a reply is fresh: `max-age` less the time that it has spent in caches (RFC 9111), milliseconds. */
function parseFreshMs(headers: Headers): number {
  const maxAge = /(?:^|[\s,])max-age="?(\d+)/i.exec(headers.get('cache-control') ?? '')?.[1];
  if (maxAge === undefined) return freshMsDefault;
  const age = /^\d+$/.exec(headers.get('age') ?? '')?.[0] ?? 0;
  return Math.max(0, Number(maxAge) - Number(age)) * 1000;
}
