import { accountIn, accountPath, type Books, logEntries } from './books.ts';
import { andThen, changeWrites, invalidField, recordEdit, refillTo } from './credits.ts';

/**
 * Tops an account up to its allowance, once in a period: the period is marked in the same commit, even
 * where nothing was missing. Returns whether it was done now; suspended and invalid accounts are left.
 * @param credits the environment's allowance; the account's own goes over it.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function refillAllowance(
  books: Books,
  uid: string,
  period: string,
  credits: number,
): Promise<boolean> {
  const { database, converge } = books;
  return converge(uid, async () => {
    const { documents, readTime: now } = await database.read([accountPath(uid)]);
    const account = documents[0] && (await accountIn(books, documents[0]));
    if (!account || account.suspended || invalidField(account) || account.allowancePeriod === period)
      return false;
    const change = andThen(recordEdit(account), (edited) =>
      refillTo(edited, account.allowance ?? credits, period),
    );
    await database.commit(changeWrites(account, change, now));
    logEntries(books, uid, change.entries);
    return change.entries.some(({ type }) => type === 'allowance');
  });
}
