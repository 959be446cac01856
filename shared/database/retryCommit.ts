/**
 * How every change of the ledger is made: read, decide, commit; and where the commit was rejected or its
 * outcome is not known, read again and decide again. The body knows its own earlier success when it
 * reads it, so running it once more is always safe.
 */
import { type Clock, systemClock } from '../core/clock.ts';
import { DeadlinePassed } from '../core/deadline.ts';
import { Failure } from '../errors.ts';
import { CommitRejected } from './database.ts';

/** Longest time a change is tried for, milliseconds. */
const retryMsMax = 10_000;
/** First and longest pause between tries, milliseconds; full jitter. */
const pauseMs = { first: 20, max: 500 };

// google.rpc codes that another try cannot mend: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED.
const permanentCodes = new Set([3, 7, 12, 16]);

/** Says that the body changed what it had read, and wants to read it again at once. */
export class RetryNow extends Error {
  override name = 'ReadAgain';
}

/**
 * Runs `body` until it returns, one body at a time for each `key` of this process: on one hot account,
 * waiting in line is far cheaper than rejected commits. Without a key it waits for nobody.
 * @throws {Failure} DATABASE_UNAVAILABLE when no try was certain of its outcome in time; whatever the
 * body throws that is not the database's trouble.
 */
export type RetryCommit = <T>(key: string | undefined, body: () => Promise<T>) => Promise<T>;

/** A fresh set of queues. */
export function createRetryCommit(clock: Clock = systemClock): RetryCommit {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, body) => {
    const giveUpAt = clock.elapsed() + retryMsMax;
    if (key === undefined) return untilCertain(body, giveUpAt, clock);
    const previous = tails.get(key) ?? Promise.resolve();
    const turn = previous.then(() => untilCertain(body, giveUpAt, clock));
    const tail = turn.catch(() => {});
    tails.set(key, tail);
    try {
      return await turn;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}

async function untilCertain<T>(body: () => Promise<T>, giveUpAt: number, clock: Clock): Promise<T> {
  let cause: unknown;
  for (let pause = pauseMs.first; clock.elapsed() < giveUpAt; ) {
    try {
      return await body();
    } catch (error) {
      if (error instanceof RetryNow) continue;
      if (!isDatabaseFailure(error)) throw error;
      cause = error;
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
