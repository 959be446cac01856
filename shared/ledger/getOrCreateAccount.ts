import { type Account, accountInvalid, changeWrites, invalidField, isOpened } from './credits.ts';
import {
  accountIn,
  accountPath,
  bringUpToDate,
  changeAccount,
  createAccount,
  type Holder,
  type Ledger,
} from './ledger.ts';

/** How far behind `usedAt` may be, milliseconds: looking at an account is no reason to write it each time. */
const usedAtMs = 86_400_000;

/**
 * The caller's account: created at first sight, with edits recorded and signup credits granted.
 * @throws {Failure} ACCOUNT_INVALID, DATABASE_UNAVAILABLE.
 */
export async function getOrCreateAccount(ledger: Ledger, holder: Holder): Promise<Account> {
  return changeAccount(ledger, holder.uid, async ({ database }) => {
    const { documents, readTime: now } = await database.read([accountPath(holder.uid)]);
    const [document] = documents;
    if (!document) return createAccount(ledger, holder.uid, now, holder.email);

    const account = await accountIn(ledger, document);
    const invalid = invalidField(account);
    if (invalid) throw accountInvalid(invalid);
    const change = await bringUpToDate(ledger, account, holder);
    if (holder.email !== undefined && holder.email !== account.email) {
      change.account = { ...change.account, email: holder.email };
    }
    if (now.getTime() - (account.usedAt?.getTime() ?? 0) > usedAtMs) {
      change.account = { ...change.account, usedAt: now };
    }
    if (change.account === account && isOpened(document)) return account;
    await database.commit(changeWrites(account, change, now));
    return { ...change.account, createdAt: account.createdAt ?? now };
  });
}
