import { findDueAllowance } from './allowance.ts';
import { changeAccount } from './changeAccount.ts';
import { refill } from './credits.ts';
import { entryPath } from './entries.ts';
import type { Ledger } from './ledger.ts';

/**
 * Tops an account up to its allowance, once in a period, if one is due. The period is marked in the same commit, even if
 * nothing was missing. The allowance's entry also proves that it was given, because the account may have been deleted in
 * the console and created again.
 * @param period its name.
 * @returns whether an allowance was given now.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export function refillAllowance(ledger: Ledger, uid: string, period: string): Promise<boolean> {
  const entry = entryPath(uid, `allowance:${period}`);
  return changeAccount<boolean>(ledger, uid, {
    reads: () => [entry],
    missing: { answer: false },
    takesInvalid: true,
    decide({ account, documents }) {
      const allowance = findDueAllowance(account, ledger.settings.allowance.credits, period);
      if (allowance === 0) return { answer: false };
      const change = refill(account, documents.get(entry) ? 0 : allowance, period);
      return { change, answer: () => change.entries.length > 0 };
    },
  });
}
