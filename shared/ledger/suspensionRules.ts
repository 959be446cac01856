/**
 * The rules of a suspension, pure. It belongs to a person, so every account and every identity of theirs has a copy. A copy
 * is the last decision and its time, and the later of two copies counts: they agree in the end, in whatever order they meet.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Account } from './account.ts';

/** The fields of a copy: `suspendedAt` while the suspension lasts, `restoredAt` once it is lifted. */
export type SuspensionTimes = { suspendedAt?: Date | undefined; restoredAt?: Date | undefined };

type SuspensionDecision = { suspended: boolean; at: Date };

/** The last decision of a copy; undefined if there never was one. */
export function getDecision({ suspendedAt, restoredAt }: SuspensionTimes): SuspensionDecision | undefined {
  if (suspendedAt) return { suspended: true, at: suspendedAt };
  return restoredAt && { suspended: false, at: restoredAt };
}

/** True if somebody has changed `suspended` in the console, and the ledger has not recorded it. */
export const isSuspensionEdited = ({ suspended, suspendedAt }: Account) =>
  suspended !== (suspendedAt !== undefined);

/** True if the account was suspended at any time, now included. */
export const hasDecision = (account: Account) => account.suspended || getDecision(account) !== undefined;

/** The account with a new decision, later than the one it has. It is an admin's, unless a dispute is named after it. */
export function decideSuspension(account: Account, suspended: boolean, now: Date): Account {
  const last = getDecision(account)?.at.getTime() ?? 0;
  const decided = withDecision(account, { suspended, at: new Date(Math.max(now.getTime(), last + 1)) });
  return { ...decided, suspendedFor: [] };
}

/** The account with another copy's decision, if that is the later one. */
export function followDecision(account: Account, times: SuspensionTimes): Account {
  const own = getDecision(account);
  const latest = getLater(own, getDecision(times));
  // A write that changes nothing would be an event, and that another write.
  return latest && !isDeepStrictEqual(latest, own) ? withDecision(account, latest) : account;
}

/**
 * The account with what is known of its person.
 * @param known the copies of the identities that the account knew before.
 * @param met the copies of those that are new to it. A suspension on either side counts, even if the other side was restored
 * later: that was about what was known then.
 */
export function joinSuspensions(
  account: Account,
  { known, met }: Record<'known' | 'met', readonly SuspensionTimes[]>,
  now: Date,
): Account {
  const own = [account, ...known].map(getDecision).reduce(getLater, undefined);
  const sides = [own, ...met.map(getDecision)];
  const latest = sides.reduce(getLater, undefined);
  const joined = latest ? withDecision(account, latest) : account;
  if (isSuspensionEdited(account)) return decideSuspension(joined, account.suspended, now);
  const isSuspended = sides.some((decision) => decision?.suspended);
  return isSuspended && !joined.suspended ? decideSuspension(joined, true, now) : joined;
}

function withDecision(account: Account, { suspended, at }: SuspensionDecision): Account {
  return {
    ...account,
    suspended,
    suspendedAt: suspended ? at : undefined,
    restoredAt: suspended ? undefined : at,
    ...(!suspended && { suspendedFor: [] }),
  };
}

/** The later decision; of two at the same time the suspension. */
function getLater(
  one: SuspensionDecision | undefined,
  other: SuspensionDecision | undefined,
): SuspensionDecision | undefined {
  if (!one || !other) return one ?? other;
  const difference = other.at.getTime() - one.at.getTime();
  return difference > 0 || (difference === 0 && other.suspended) ? other : one;
}
