import type { Account } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import { commitPending, type Documents, type LedgerUser } from './command.ts';
import { unchanged } from './creditChanges.ts';
import type { Ledger } from './ledger.ts';

/** How old `usedAt` may be, milliseconds: a look at an account is not worth a write each time. */
const usedAtMs = 86_400_000;

/** Other documents to read in the account's round trip. */
type ReadAlong = { paths(): readonly string[]; learn(documents: Documents): void };

/**
 * The caller's account: created at its first use, with edits recorded and signup credits granted. A closed
 * account is shown as it is.
 * @throws {Failure} ACCOUNT_INVALID, DATABASE_UNAVAILABLE.
 */
export function getOrCreateAccount(
  ledger: Ledger,
  user: LedgerUser,
  readAlong?: ReadAlong,
): Promise<Account> {
  return changeAccount<Account>(ledger, user.uid, {
    user,
    missing: 'create',
    reads: () => readAlong?.paths() ?? [],
    findAnswer(documents) {
      readAlong?.learn(documents);
      return undefined;
    },
    decide({ account, hasPendingChanges, now }) {
      if (account.closedAt) return commitPending({ account, hasPendingChanges }, account);
      const isUsedAgain = now.getTime() - (account.usedAt?.getTime() ?? 0) > usedAtMs;
      if (!hasPendingChanges && !isUsedAgain) return { answer: account };
      const updated = { ...account, ...(isUsedAgain && { usedAt: now }) };
      return {
        change: unchanged(updated),
        answer: () => ({ ...updated, createdAt: account.createdAt ?? now }),
      };
    },
  });
}
