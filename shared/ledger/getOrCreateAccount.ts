import type { Account } from './account.ts';
import { changeAccount, type LedgerUser } from './changeAccount.ts';
import { unchanged } from './credits.ts';
import type { Ledger } from './ledger.ts';

/** How old `usedAt` may be, milliseconds: a look at an account is not worth a write each time. */
const usedAtMs = 86_400_000;

/**
 * The caller's account: created at its first use, with edits recorded and signup credits granted.
 * @throws {Failure} ACCOUNT_INVALID, DATABASE_UNAVAILABLE.
 */
export function getOrCreateAccount(ledger: Ledger, user: LedgerUser): Promise<Account> {
  return changeAccount<Account>(ledger, user.uid, {
    user,
    missing: 'create',
    decide({ account, hasPendingChanges, now }) {
      const hasNewEmail = user.email !== undefined && user.email !== account.email;
      const isUsedAgain = now.getTime() - (account.usedAt?.getTime() ?? 0) > usedAtMs;
      if (!hasPendingChanges && !hasNewEmail && !isUsedAgain) return { answer: account };
      const updated = {
        ...account,
        ...(hasNewEmail && { email: user.email as string }),
        ...(isUsedAgain && { usedAt: now }),
      };
      return {
        change: unchanged(updated),
        answer: () => ({ ...updated, createdAt: account.createdAt ?? now }),
      };
    },
  });
}
