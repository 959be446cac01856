/**
 * The rules of a suspension, pure. It belongs to a person, so every account and every identity of theirs has a copy. A copy
 * is the last decision with its time and its disputes, and the later of two copies counts: they agree in the end, in whatever
 * order they meet. A dispute adds itself to the disputes that its account and its identities know. If accounts without a
 * common identity are disputed before one decision has reached the other account, only the disputes of the later one are kept.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Account } from './account.ts';

/** The fields of a copy: `suspendedAt` while the suspension lasts, `restoredAt` once it is lifted. */
export type SuspensionCopy = {
  suspendedAt?: Date | undefined;
  restoredAt?: Date | undefined;
  suspendedFor?: string[] | undefined;
};

type SuspensionDecision = {
  suspended: boolean;
  at: Date;
  /** The disputes that suspend. None if an admin does. */
  disputes: string[];
};

/** The last decision of a copy; undefined if there never was one. */
export function getDecision(copy: SuspensionCopy): SuspensionDecision | undefined {
  const { suspendedAt, restoredAt, suspendedFor = [] } = copy;
  if (suspendedAt) return { suspended: true, at: suspendedAt, disputes: suspendedFor };
  return restoredAt && { suspended: false, at: restoredAt, disputes: [] };
}

/** True if somebody has changed `suspended` in the console, and the ledger has not recorded it. */
export const isSuspensionEdited = ({ suspended, suspendedAt }: Account) =>
  suspended !== (suspendedAt !== undefined);

/** True if the account was suspended at any time, now included. */
export const hasDecision = (account: Account) => account.suspended || getDecision(account) !== undefined;

/**
 * The account with a new decision, later than the one it has.
 * @param disputes those that suspend. None if an admin decides.
 */
export function decideSuspension(
  account: Account,
  suspended: boolean,
  now: Date,
  disputes: string[] = [],
): Account {
  const last = getDecision(account)?.at.getTime() ?? 0;
  return withDecision(account, { suspended, at: new Date(Math.max(now.getTime(), last + 1)), disputes });
}

/** The account with another copy's decision, if that is the later one. */
export function followDecision(account: Account, copy: SuspensionCopy): Account {
  const own = getDecision(account);
  const latest = getLater(own, getDecision(copy));
  // A write that changes nothing would be an event, and that another write.
  return latest && !isDeepStrictEqual(latest, own) ? withDecision(account, latest) : account;
}

/**
 * The account with what is known of its person.
 * @param known the copies of the identities that the account knew before.
 * @param met the copies of those that are new to it. A suspension on either side counts, even if the other side was restored
 * later: that was about what was known then. The disputes of all sides count, unless an admin suspended one of them.
 */
export function joinSuspensions(
  account: Account,
  { known, met }: Record<'known' | 'met', readonly SuspensionCopy[]>,
  now: Date,
): Account {
  const own = [account, ...known].map(getDecision).reduce(getLater, undefined);
  const sides = [own, ...met.map(getDecision)];
  const latest = sides.reduce(getLater, undefined);
  const joined = latest ? withDecision(account, latest) : account;
  if (isSuspensionEdited(account)) return decideSuspension(joined, account.suspended, now);
  const lists = sides.flatMap((side) => (side?.suspended ? [side.disputes] : []));
  const disputes = lists.some((list) => list.length === 0) ? [] : [...new Set(lists.flat())];
  const isKnown = lists.every((list) => new Set(list).size === disputes.length);
  const isDecided = lists.length === 0 || (joined.suspended && isKnown);
  return isDecided ? joined : decideSuspension(joined, true, now, disputes);
}

function withDecision(account: Account, { suspended, at, disputes }: SuspensionDecision): Account {
  return {
    ...account,
    suspended,
    suspendedAt: suspended ? at : undefined,
    restoredAt: suspended ? undefined : at,
    suspendedFor: disputes,
  };
}

/** The later decision; of two at the same time the suspension, else the first. */
function getLater(
  one: SuspensionDecision | undefined,
  other: SuspensionDecision | undefined,
): SuspensionDecision | undefined {
  if (!one || !other) return one ?? other;
  const difference = other.at.getTime() - one.at.getTime();
  return difference > 0 || (difference === 0 && !one.suspended) ? other : one;
}
