import { changeAccount } from './changeAccount.ts';
import { commitPending } from './command.ts';
import type { Ledger } from './ledger.ts';

/**
 * Tops an account up to its allowance, once in a period, if one is due. The period is marked in the same commit, even if
 * nothing was missing. The allowance's entry also proves that it was given, because the account may have been deleted in
 * the console and created again.
 * @returns whether an allowance was given now.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export function refillAllowance(ledger: Ledger, uid: string): Promise<boolean> {
  return changeAccount<boolean>(ledger, uid, {
    givesAllowance: true,
    missing: { answer: false },
    takesInvalid: true,
    decide({ account, hasPendingChanges, pendingEntries }) {
      const isGiven = pendingEntries.some(({ type }) => type === 'allowance');
      return commitPending({ account, hasPendingChanges }, isGiven);
    },
  });
}
