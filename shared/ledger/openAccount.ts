/**
 * The opening of an account: the first commit after its document was made, by its first use or by an admin in the console.
 * What the ledger knew of it before its document was deleted in the console comes back with it.
 */
import type { Identity } from '../identity.ts';
import { type Account, accountPath } from './account.ts';
import { closurePath, isClosure } from './closures.ts';
import type { LedgerUser } from './command.ts';
import type { Ledger } from './ledger.ts';
import { claimTotals, restoreDebt } from './paymentTotals.ts';
import { identitiesOf } from './person.ts';

/** What a deletion in the console has left of an account, besides its entries: identities that list it, and its closing. */
type Remains = { identities: Identity[]; isClosed: boolean };

/** @throws {Failure} DATABASE_UNAVAILABLE. */
export async function findRemains({ database }: Ledger, uid: string): Promise<Remains> {
  const [{ documents: identities }, { documents }] = await Promise.all([
    database.page(identitiesOf(uid)),
    database.read([closurePath(uid)]),
  ]);
  return { identities: identities.map(({ id }) => [id]), isClosed: isClosure(documents[0]) };
}

/**
 * The account with its debt and its closing, and with the user's address if it is open.
 * @param user set if this is the user's own call.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function openAccount(
  ledger: Ledger,
  account: Account,
  { isClosed }: Remains,
  user: LedgerUser | undefined,
  now: Date,
): Promise<Account> {
  const debt = await findDebt(ledger, account);
  const closedAt = account.closedAt ?? (isClosed ? now : undefined);
  return { ...account, debt, closedAt, email: closedAt ? undefined : (user?.email ?? account.email) };
}

async function findDebt({ database }: Ledger, { uid, sequence, debt }: Account): Promise<number> {
  if (sequence === 0 || debt > 0) return debt;
  const { totals } = await database.totals(accountPath(uid), claimTotals(uid));
  return restoreDebt(totals);
}
