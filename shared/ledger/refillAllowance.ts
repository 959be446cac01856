import { findInvalidField } from './account.ts';
import { isPast } from './allowancePeriod.ts';
import { changeAccount } from './changeAccount.ts';
import { refill } from './credits.ts';
import { entryPath } from './entries.ts';
import type { Ledger } from './ledger.ts';

/**
 * Tops an account up to its allowance, once in a period. The period is marked in the same commit, even if nothing was
 * missing. The allowance's entry also proves that it was given, because the account may have been deleted in the
 * console and created again. Suspended and invalid accounts, and those without an allowance, are left as they are.
 * @param credits the environment's allowance; the account's own replaces it.
 * @returns whether an allowance was given now.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export function refillAllowance(
  ledger: Ledger,
  uid: string,
  period: string,
  credits: number,
): Promise<boolean> {
  const entry = entryPath(uid, `allowance:${period}`);
  return changeAccount<boolean>(ledger, uid, {
    reads: () => [entry],
    missing: { answer: false },
    takesInvalid: true,
    decide({ account, documents }) {
      const allowance = account.allowance ?? credits;
      const isDone = isPast(period, account.allowancePeriod);
      if (account.suspended || findInvalidField(account) || isDone || allowance === 0)
        return { answer: false };
      const change = refill(account, documents.get(entry) ? 0 : allowance, period);
      return { change, answer: () => change.entries.length > 0 };
    },
  });
}
