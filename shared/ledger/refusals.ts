/** Why the ledger refuses a call, pure: the state of the account, the limits of its user, and its credits. */
import { countOf, groupDigits } from '../contract/describe.ts';
import { Failure } from '../errors.ts';
import type { Account, HoldLimits } from './account.ts';
import { hasExpired } from './holdDeadline.ts';

/** The windows of the limits per minute and per hour, milliseconds. */
export const rateWindowMs = 60_000;
export const refundWindowMs = 3_600_000;
/** Seconds after which a user with too many generations in flight may try again. */
const inFlightRetrySeconds = 2;

export type HoldParams = {
  generationId: string;
  credits: number;
  deadline: Date;
  now: Date;
  limits: HoldLimits;
};

/** Generations that may still be in flight: their deadline has not passed. */
export function inFlight(account: Account, now: Date): string[] {
  return Object.keys(account.active).filter((id) => !hasExpired(account.active[id] as Date, now));
}

/** Refuses a suspended account. */
export function refuseSuspended(account: Pick<Account, 'suspended'>): Failure | undefined {
  return account.suspended ? new Failure('ACCOUNT_SUSPENDED', 'This account is suspended.') : undefined;
}

/** Refuses an account that is closed, or is being closed. @param account undefined if there is none. */
export function refuseClosed(account: Pick<Account, 'closedAt'> | undefined): Failure | undefined {
  return account?.closedAt ? new Failure('ACCOUNT_CLOSED', 'This account is closed.') : undefined;
}

/**
 * Refuses a user who has not accepted the current terms.
 * @param account undefined if there is none. @param version undefined if there are no terms to accept.
 */
export function refuseTerms(
  account: Pick<Account, 'terms'> | undefined,
  version: string | undefined,
): Failure | undefined {
  if (version === undefined || account?.terms?.version === version) return undefined;
  return new Failure('TERMS_NOT_ACCEPTED', 'Please accept the terms first.', { metadata: { version } });
}

/**
 * Refuses a user without a verified e-mail address or a provider's sign-in, unless an admin has given the account credits.
 * @param account undefined if there is none.
 */
export function refuseUnverified(
  account: Account | undefined,
  user: { verified: boolean },
): Failure | undefined {
  const credits = (account?.balance ?? 0) + (account?.adjust ?? 0);
  if (user.verified || credits > 0) return undefined;
  return new Failure('EMAIL_NOT_VERIFIED', 'This needs a verified e-mail address.');
}

/** Refuses a hold by the account's limits, then by its credits. */
export function refuseHold(
  account: Account,
  params: Pick<HoldParams, 'credits' | 'limits' | 'now'>,
): Failure | undefined {
  const { now, limits, credits } = params;
  if (inFlight(account, now).length >= limits.maxInFlightPerUser) {
    return new Failure(
      'RATE_LIMITED',
      `At most ${countOf(limits.maxInFlightPerUser, 'image')} can be generated at once.`,
      {
        retryAfterSeconds: inFlightRetrySeconds,
        metadata: { limit: 'maxInFlightPerUser' },
      },
    );
  }
  const holdWait = findWaitSeconds(account.rate, limits.maxPerMinutePerUser, rateWindowMs, now);
  if (holdWait) {
    return new Failure('RATE_LIMITED', `At most ${countOf(limits.maxPerMinutePerUser, 'image')} a minute.`, {
      retryAfterSeconds: holdWait,
      metadata: { limit: 'maxPerMinutePerUser' },
    });
  }
  const max = limits.maxRefundsPerHourPerUser;
  const refundWait = findWaitSeconds(account.billedRefunds, max, refundWindowMs, now);
  if (refundWait) {
    return new Failure('RATE_LIMITED', 'Too many images have failed. Please try again later.', {
      retryAfterSeconds: refundWait,
      metadata: { limit: 'maxRefundsPerHourPerUser' },
    });
  }
  const balance = account.balance ?? 0;
  return balance < credits ? insufficientCredits(credits, balance) : undefined;
}

/** The refusal of anything that would bring an account below zero. */
export function insufficientCredits(required: number, balance: number): Failure {
  return new Failure(
    'INSUFFICIENT_CREDITS',
    `This takes ${countOf(required, 'credit')}; the account has ${groupDigits(balance)}.`,
    {
      metadata: { required: String(required), balance: String(balance) },
    },
  );
}

/** Later times than `now` can only come from the console. */
export function findRecent(times: readonly Date[], windowMs: number, now: Date): Date[] {
  return times.filter((time) => time <= now && time.getTime() > now.getTime() - windowMs);
}

/** Whole seconds until fewer than `max` of the times are within the window; undefined if that is so now. */
function findWaitSeconds(times: readonly Date[], max: number, windowMs: number, now: Date) {
  const recent = findRecent(times, windowMs, now);
  const oldest = recent[recent.length - max];
  return oldest && Math.max(1, Math.ceil((oldest.getTime() + windowMs - now.getTime()) / 1000));
}
