import { findProblem } from './account.ts';
import { changeAccount } from './changeAccount.ts';
import { commitPending } from './command.ts';
import type { Ledger } from './ledger.ts';
import { spreadSuspension } from './suspension.ts';
import { hasDecision } from './suspensionRules.ts';

/**
 * Records what an admin changed in the console, unless it is recorded already, and brings a suspension to every account
 * of the person. An invalid account is left to the admin, with a warning in the log.
 * @param editor who made the edit, if known.
 * @returns whether an entry was written, and whether anything was: an account made by hand with only `suspended` needs none.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function recordConsoleEdit(
  ledger: Ledger,
  uid: string,
  editor?: string,
): Promise<{ recorded: boolean; changed: boolean }> {
  const { wasSuspended, problem, ...outcome } = await changeAccount(ledger, uid, {
    editor,
    // An account that was deleted in the console is created again at its next use.
    missing: { answer: { recorded: false, changed: false, wasSuspended: false, problem: undefined } },
    takesInvalid: true,
    decide({ account, hasPendingChanges, pendingEntries }) {
      const problem = findProblem(account);
      // A person who was never suspended needs no further look.
      const wasSuspended = hasDecision(account);
      const recorded = pendingEntries.length > 0;
      const answer = { recorded, changed: hasPendingChanges, wasSuspended, problem };
      return commitPending({ account, hasPendingChanges }, answer);
    },
  });
  if (wasSuspended) await spreadSuspension(ledger, uid);
  if (problem) {
    const { field, text } = problem;
    ledger.log.warning(`An account is invalid: its ${text}`, { event: 'account_invalid', uid, field });
  }
  return outcome;
}
