/**
 * Retries of a commit: read, decide, commit. If the commit was rejected, or its outcome is unknown, the body runs
 * again. It recognises its own earlier success when it reads it, so it is safe to run again.
 */
import { type Clock, systemClock } from '../core/clock.ts';
import { DeadlinePassed } from '../core/deadline.ts';
import { Failure } from '../errors.ts';
import { CommitRejected } from './database.ts';

/** How long a commit is retried unless its caller has more time, milliseconds. */
export const retryMsMax = 10_000;
/** Tries of a body that began in time. The first may have used a connection that had died without a word. */
const triesMin = 2;
/** First and longest pause between attempts, milliseconds; full jitter. */
const pauseMs = { first: 20, max: 500 };

// google.rpc codes that no retry can fix: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED. UNAUTHENTICATED can pass: for
// hours Firestore has refused some calls of an instance and accepted others (googleapis/nodejs-firestore issue 1748).
const permanentCodes = new Set([3, 7, 12]);

/** Thrown by a body that has changed what it had read and wants to read it again at once. */
export class RetryNow extends Error {
  override name = 'RetryNow';
}

/**
 * Runs `body` until it returns. Bodies with the same `key` run one at a time in this process: on one busy account,
 * waiting in line is far cheaper than rejected commits. Without a key a body never waits.
 * @param until the time of the clock's `elapsed` up to which it is retried at least.
 * @throws {Failure} DATABASE_UNAVAILABLE if no attempt had a certain outcome in time, waiting included; anything
 * that the body throws and that is not a failure of the database.
 */
export type RetryCommit = <T>(key: string | undefined, body: () => Promise<T>, until?: number) => Promise<T>;

/** A `RetryCommit` with its own queues. @param tails the last turn in the queue of each key. */
export function createRetryCommit(
  clock: Clock = systemClock,
  tails = new Map<string, Promise<unknown>>(),
): RetryCommit {
  return async (key, body, until = 0) => {
    const giveUpAt = Math.max(clock.elapsed() + retryMsMax, until);
    if (key === undefined) return retry(body, giveUpAt, clock);
    const previous = tails.get(key) ?? Promise.resolve();
    const turn = previous.then(() => retry(body, giveUpAt, clock));
    const tail = turn.catch(() => {});
    tails.set(key, tail);
    try {
      return await turn;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}

async function retry<T>(body: () => Promise<T>, giveUpAt: number, clock: Clock): Promise<T> {
  let cause: unknown;
  let failures = 0;
  let pause = pauseMs.first;
  // A body that waited in line until its time was over never runs.
  while (clock.elapsed() < giveUpAt || (failures > 0 && failures < triesMin)) {
    try {
      return await body();
    } catch (error) {
      if (error instanceof RetryNow) continue;
      if (!isDatabaseFailure(error)) throw error;
      cause = error;
      failures += 1;
    }
    await clock.pause(clock.random() * pause);
    pause = Math.min(2 * pause, pauseMs.max);
  }
  throw new Failure('DATABASE_UNAVAILABLE', 'The database did not answer in time. Please ask again.', {
    retryAfterSeconds: 1,
    cause,
  });
}

function isDatabaseFailure(error: unknown): boolean {
  if (error instanceof CommitRejected || error instanceof DeadlinePassed) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' && !permanentCodes.has(code);
}
