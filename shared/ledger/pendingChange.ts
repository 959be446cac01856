/**
 * What is due on an account before a command decides: an admin's edits, a suspension of its person, and at the user's own
 * call the signup credits and the allowance.
 */
import type { Identity } from '../identity.ts';
import type { Account } from './account.ts';
import { findDueAllowance } from './allowance.ts';
import { getPeriod } from './allowancePeriod.ts';
import type { Command, Documents, LedgerUser } from './command.ts';
import {
  andThen,
  type Change,
  recordEdit,
  refill,
  setUser,
  signupGrant,
  unchanged,
} from './creditChanges.ts';
import { entryPath } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { findNewIdentities, joinPerson, listIdentityPaths, type Person, parsePerson } from './person.ts';
import { countSignupCredits } from './signupCredits.ts';
import { isSuspensionEdited } from './suspensionRules.ts';

export type PendingChange = Change & {
  /** The person behind the account, if something of theirs had to be read: their documents are written along. */
  person: Person | undefined;
};

type Due = Pick<Command<unknown>, 'editor' | 'user' | 'givesAllowance' | 'readsPerson'> & {
  /** Identities that list the account, although it does not list them. */
  identities: readonly Identity[];
};

export async function findPendingChange(
  ledger: Ledger,
  account: Account,
  due: Due,
  documents: Documents,
  now: Date,
): Promise<PendingChange> {
  const { editor, givesAllowance = due.user !== undefined } = due;
  const readsPerson = due.readsPerson || due.identities.length > 0;
  // Nothing of a user comes to a closed account any more.
  const user = account.closedAt ? undefined : due.user;
  const edited = andThen(recordEdit(account, editor), (current) =>
    user ? setUser(current, user) : unchanged(current),
  );
  const { allowance } = ledger.settings;
  const period = getPeriod(allowance.period, now).name;
  const isAllowanceDue = givesAllowance && findDueAllowance(edited.account, allowance.credits, period) > 0;
  if (!readsPerson && !isAllowanceDue && !concernsPerson(edited.account, user)) {
    return { ...edited, person: undefined };
  }

  const { person, hasSignupEntry } = await readPerson(ledger, edited.account, user, due.identities);
  const joined = andThen(edited, (current) => unchanged(joinPerson(current, person, period, now)));
  const welcomed = user?.verified
    ? await grantSignup(ledger, joined, user, person.hasHadSignup || hasSignupEntry)
    : joined;
  const given = andThen(welcomed, (current) =>
    givesAllowance ? giveAllowance(current, allowance.credits, period, documents) : unchanged(current),
  );
  return { ...given, person };
}

/** True if an admin has suspended the account or lifted that, or if the user proves an identity that is new to it. */
function concernsPerson(account: Account, user: LedgerUser | undefined): boolean {
  if (isSuspensionEdited(account)) return true;
  if (!user?.verified) return false;
  return account.signupDue || findNewIdentities(account.identities, user.identities).length > 0;
}

/** Reads the person's documents, and whether an account whose signup credits are due had them before its deletion. */
async function readPerson(
  { database }: Ledger,
  { uid, identities: hashes, signupDue }: Account,
  user: LedgerUser | undefined,
  listing: readonly Identity[],
): Promise<{ person: Person; hasSignupEntry: boolean }> {
  const identities = [...listing, ...(user?.verified ? user.identities : [])];
  const signupPath = entryPath(uid, 'signup');
  const paths = [
    ...listIdentityPaths(hashes, identities),
    ...(signupDue && user?.verified ? [signupPath] : []),
  ];
  const { documents } = paths.length > 0 ? await database.read(paths) : { documents: [] };
  const found = new Map(paths.map((path, i) => [path, documents[i]]));
  return {
    person: parsePerson(hashes, identities, found),
    hasSignupEntry: found.get(signupPath) !== undefined,
  };
}

/**
 * Gives the signup credits once: to a person, and to an account that was deleted in the console and created again. A closing
 * goes on with a wrong sequence, but nothing is given before an admin has corrected it.
 */
async function grantSignup(
  { settings }: Ledger,
  joined: Change,
  { email }: LedgerUser,
  isGiven: boolean,
): Promise<Change> {
  if (!joined.account.signupDue || !joined.account.fitsEntries) return joined;
  const credits = isGiven ? 0 : await countSignupCredits(settings, email);
  return andThen(joined, (current) => signupGrant(current, credits));
}

/**
 * Gives the allowance that is due. An account that was deleted in the console and created again may have had it: its
 * entry then rejects the commit, and the next attempt has read it.
 */
function giveAllowance(account: Account, credits: number, period: string, documents: Documents): Change {
  const allowance = findDueAllowance(account, credits, period);
  if (allowance === 0) return unchanged(account);
  return refill(
    account,
    documents.get(entryPath(account.uid, `allowance:${period}`)) ? 0 : allowance,
    period,
  );
}
