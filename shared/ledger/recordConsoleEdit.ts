import { changeWrites, invalidField, isOpened, recordEdit } from './credits.ts';
import { accountIn, accountPath, changeAccount, type Ledger } from './ledger.ts';

/**
 * Records what an admin changed in the console, unless somebody has already. Returns whether there was
 * something to record; an invalid balance is left to the admin.
 * @param actor who made the edit, where that is known.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function recordConsoleEdit(ledger: Ledger, uid: string, actor?: string): Promise<boolean> {
  let invalid: string | undefined;
  const recorded = await changeAccount(ledger, uid, async ({ database }) => {
    const { documents, readTime: now } = await database.read([accountPath(uid)]);
    const [document] = documents;
    if (!document) return false; // Deleted in the console: its next use brings it back.
    const account = await accountIn(ledger, document);
    invalid = invalidField(account);
    const change = recordEdit(account, actor);
    if (change.account === account && (invalid || isOpened(document))) return false;
    await database.commit(changeWrites(account, change, now));
    return change.entries.length > 0;
  });
  if (invalid) ledger.log.warning('An account holds no whole number of credits', { uid, field: invalid });
  return recorded;
}
