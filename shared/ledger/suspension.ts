/** A suspension of a person: it reaches the identities, and through them every account. */
import type { SuspendRequest } from '../contract/admin.ts';
import { recordAdminAction } from '../database/adminActions.ts';
import { Failure } from '../errors.ts';
import type { Account } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import { commitPending, type LedgerUser } from './command.ts';
import { unchanged } from './creditChanges.ts';
import type { Ledger } from './ledger.ts';
import { findNewIdentities, isSuspendedIdentity, listIdentityPaths, uidsMax } from './person.ts';
import { refuseSuspended } from './refusals.ts';
import { decideSuspension, followDecision, type SuspensionCopy } from './suspensionRules.ts';

/**
 * Suspends or restores the person behind an account: first the account and its identities, then every other account. May be
 * repeated, and then finishes what an earlier call left undone. Each change is recorded once, with its reason.
 * @throws {Failure} NOT_FOUND for a uid without an account, DATABASE_UNAVAILABLE.
 */
export async function suspendPerson(
  ledger: Ledger,
  { uid, suspended, reason }: SuspendRequest,
  actor: string,
): Promise<Account> {
  const { account, uids } = await changeAccount<{ account: Account; uids: readonly string[] }>(ledger, uid, {
    readsPerson: true,
    missing: { refusal: new Failure('NOT_FOUND', 'There is no such account.') },
    takesInvalid: true,
    decide({ account, hasPendingChanges, person, now }) {
      const uids = person?.uids ?? [];
      // An admin's suspension outlasts the disputes that have suspended the account before.
      if (account.suspended === suspended && account.suspendedFor.length === 0) {
        return commitPending({ account, hasPendingChanges }, { account, uids });
      }
      const decided = decideSuspension(account, suspended, now);
      const action = suspended ? 'suspend' : 'restore';
      const decidedAt = decided.suspendedAt ?? decided.restoredAt;
      const record = { action, actor, uid, reason, createdAt: now } as const;
      return {
        change: unchanged(decided),
        writes: [recordAdminAction(`${uid}:${decidedAt?.getTime()}`, record)],
        answer: () => ({ account: decided, uids }),
      };
    },
  });
  await spreadSuspension(ledger, uid, uids);
  return account;
}

/**
 * Brings the last decision about a person to every account that shares an identity with this one, directly or through
 * others. May be repeated; it writes only where something differs.
 * @param known accounts of the person that are known already: an admin may delete the account meanwhile.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function spreadSuspension(
  ledger: Ledger,
  uid: string,
  known: readonly string[] = [],
): Promise<void> {
  const uids = new Set([uid, ...known]);
  let last: SuspensionCopy = {};
  // The loop reaches the uids that it adds.
  for (const next of uids) {
    const followed = await followPerson(ledger, next, last);
    if (!followed) continue;
    last = followed.last;
    for (const other of followed.uids) {
      if (uids.size < uidsMax) uids.add(other);
    }
  }
}

/**
 * Brings one account up to date with its person.
 * @param last the last decision about the accounts before it: identities that it does not share with them may not know it.
 * @returns the last decision of all, and the person's accounts; undefined if there is no account.
 */
function followPerson(ledger: Ledger, uid: string, last: SuspensionCopy) {
  return changeAccount<{ last: SuspensionCopy; uids: readonly string[] } | undefined>(ledger, uid, {
    readsPerson: true,
    missing: { answer: undefined },
    takesInvalid: true,
    decide({ account, hasPendingChanges, person }) {
      const followed = followDecision(account, last);
      const answer = { last: followed, uids: person?.uids ?? [] };
      if (!hasPendingChanges && followed === account) return { answer };
      return { change: unchanged(followed), answer: () => answer };
    },
  });
}

/**
 * Refuses a suspended account, and a suspended person under a uid that has no account yet or does not know all of the
 * person's identities. Reads nothing if it does, and writes nothing.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function refuseSuspendedPerson(
  { database, retryCommit }: Ledger,
  account: Account | undefined,
  { identities }: LedgerUser,
): Promise<Failure | undefined> {
  if (account?.suspended) return refuseSuspended(account);
  const paths = listIdentityPaths([], findNewIdentities(account?.identities ?? [], identities));
  if (paths.length === 0) return undefined;
  const { documents } = await retryCommit(undefined, () => database.read(paths));
  return documents.some((document) => document && isSuspendedIdentity(document))
    ? refuseSuspended({ suspended: true })
    : undefined;
}
