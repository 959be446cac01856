import { accountIn, accountPath, type Books, logEntries } from './books.ts';
import { changeWrites, invalidField, isOpened, recordEdit } from './credits.ts';

/**
 * Records what an admin changed in the console, unless somebody has already. Returns whether there was
 * something to record; an invalid balance is left to the admin.
 * @param actor who made the edit, where that is known.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function recordConsoleEdit(books: Books, uid: string, actor?: string): Promise<boolean> {
  const { database, converge, log } = books;
  return converge(uid, async () => {
    const { documents, readTime: now } = await database.read([accountPath(uid)]);
    const [document] = documents;
    if (!document) return false; // Deleted in the console: its next use brings it back.
    const account = await accountIn(books, document);
    const invalid = invalidField(account);
    if (invalid) log.warning('An account holds no whole number of credits', { uid, field: invalid });
    const change = recordEdit(account, actor);
    if (change.account === account && (invalid || isOpened(document))) return false;
    await database.commit(changeWrites(account, change, now));
    logEntries(books, uid, change.entries);
    return change.entries.length > 0;
  });
}
