import { findInvalidField } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import { unchanged } from './credits.ts';
import type { Ledger } from './ledger.ts';

/**
 * Records what an admin changed in the console, unless it is recorded already. An invalid balance is left to the
 * admin, with a warning in the log.
 * @param editor who made the edit, if known.
 * @returns whether an entry was written.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function recordConsoleEdit(ledger: Ledger, uid: string, editor?: string): Promise<boolean> {
  const { recorded, invalid } = await changeAccount(ledger, uid, {
    editor,
    // An account that was deleted in the console is created again at its next use.
    missing: { answer: { recorded: false, invalid: undefined } },
    takesInvalid: true,
    decide({ account, hasPendingChanges, pendingEntries }) {
      const invalid = findInvalidField(account);
      if (!hasPendingChanges) return { answer: { recorded: false, invalid } };
      const recorded = pendingEntries.length > 0;
      return { change: unchanged({ ...account }), answer: () => ({ recorded, invalid }) };
    },
  });
  if (invalid)
    ledger.log.warning('The balance of an account is invalid', {
      event: 'account_invalid',
      uid,
      field: invalid,
    });
  return recorded;
}
