/**
 * The opening of an account: the first commit after its document was made, by its first use or by an admin in the console.
 * What the ledger knew of it before its document was deleted in the console comes back with it.
 */
import type { Identity } from '../identity.ts';
import { type Account, accountPath } from './account.ts';
import { closurePath, isClosure } from './closures.ts';
import type { LedgerUser } from './command.ts';
import type { Ledger } from './ledger.ts';
import { computeDebt, paymentTotals } from './paymentTotals.ts';
import { identitiesOf } from './person.ts';

/**
 * The account with its debt and its closing, and with the user's address if it is open.
 * @param user set if this is the user's own call.
 * @returns also the identities that list the account: it is to meet them.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function openAccount(
  ledger: Ledger,
  account: Account,
  user: LedgerUser | undefined,
  now: Date,
): Promise<{ account: Account; identities: Identity[] }> {
  const { database } = ledger;
  const [{ documents: identities }, { documents }, debt] = await Promise.all([
    database.page(identitiesOf(account.uid)),
    database.read([closurePath(account.uid)]),
    findDebt(ledger, account),
  ]);
  const closedAt = account.closedAt ?? (isClosure(documents[0]) ? now : undefined);
  const email = closedAt ? undefined : (user?.email ?? account.email);
  return { account: { ...account, debt, closedAt, email }, identities: identities.map(({ id }) => [id]) };
}

/** What its payments moved by the entries, less the credits that its purchases hold. */
async function findDebt({ database }: Ledger, { uid, sequence, debt }: Account): Promise<number> {
  if (sequence === 0 || debt > 0) return debt;
  const { totals } = await database.totals(accountPath(uid), paymentTotals(uid));
  return Math.max(0, computeDebt(totals));
}
