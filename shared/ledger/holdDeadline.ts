/**
 * When a hold expires: until then only the call that made it may end its generation; afterwards anyone may refund it.
 * GENERATE_TIMEOUT_MS and HOLD_GRACE_MS together are its length: their defaults are in `../config/defaults.ts`.
 */

/** @param now the database's time of the hold. */
export const getHoldDeadline = (now: Date, holdMs: number) => new Date(now.getTime() + holdMs);

/** @param now the database's time. */
export const hasExpired = (deadline: Date, now: Date) => deadline.getTime() <= now.getTime();
