import { isPast } from './allowancePeriod.ts';
import { andThen, changeWrites, invalidField, recordEdit, refillTo } from './credits.ts';
import { accountIn, accountPath, changeAccount, type Ledger } from './ledger.ts';

/**
 * Tops an account up to its allowance, once in a period: the period is marked in the same commit, even
 * where nothing was missing. Returns whether it was done now; suspended and invalid accounts are left, and
 * those without an allowance. The entry itself says that it was given, whatever became of the mark: the
 * account may have been deleted in the console and come back.
 * @param credits the environment's allowance; the account's own goes over it.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function refillAllowance(
  ledger: Ledger,
  uid: string,
  period: string,
  credits: number,
): Promise<boolean> {
  return changeAccount(ledger, uid, async ({ database }) => {
    const entry = `${accountPath(uid)}/entries/allowance:${period}`;
    const { documents, readTime: now } = await database.read([accountPath(uid), entry]);
    const [document, given] = documents;
    const account = document && (await accountIn(ledger, document));
    if (!account || account.suspended || invalidField(account) || isPast(period, account.allowancePeriod))
      return false;
    const allowance = account.allowance ?? credits;
    if (allowance === 0) return false;
    const change = andThen(recordEdit(account), (edited) => refillTo(edited, given ? 0 : allowance, period));
    await database.commit(changeWrites(account, change, now));
    return change.entries.some(({ type }) => type === 'allowance');
  });
}
