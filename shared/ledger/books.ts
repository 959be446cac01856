/**
 * What every change of the ledger works with. A change is one atomic commit of preconditioned writes:
 * what was read is written only if nobody wrote it since, under deterministic ids, so that it happens
 * once however often it is tried. Whoever meets an admin's edit records it in the same commit.
 */
import type { Clock } from '../clock.ts';
import type { Database, StoredDocument } from '../database.ts';
import { type GenerationRecord, generationPath, readGeneration } from '../generations.ts';
import type { Log } from '../log.ts';
import { type Converge, createConverge, ReadAgain } from './converge.ts';
import {
  type Account,
  andThen,
  type Change,
  type EntryDraft,
  isOpened,
  readAccount,
  recordEdit,
  signupGrant,
} from './credits.ts';

export type LedgerSettings = {
  signupCredits: number;
  limits: { maxInFlightPerUser: number; maxPerMinutePerUser: number };
  /** From a hold to the deadline past which anybody may refund it, milliseconds. */
  holdMs: number;
};

export type Books = { database: Database; log: Log; settings: LedgerSettings; converge: Converge };

/** Who calls, as far as the ledger cares. */
export type Holder = {
  uid: string;
  email: string | undefined;
  /** Whether this user is known to be somebody, and so gets the signup grant. */
  verified: boolean;
};

/** The books on a database. */
export function openBooks(database: Database, settings: LedgerSettings, log: Log, clock: Clock): Books {
  return { database, log, settings, converge: createConverge(clock) };
}

export const accountPath = (uid: string) => `accounts/${uid}`;

/** The newest entry of an account, by which its books can be taken up; undefined where it has none. */
export async function newestEntry(
  database: Database,
  path: string,
): Promise<{ balance: number; sequence: number } | undefined> {
  const entries = { collection: `${path}/entries`, orderBy: [['sequence', 'desc']] as const, limit: 1 };
  const { documents } = await database.page(entries);
  return documents[0]?.data as { balance: number; sequence: number } | undefined;
}

/** The account in a document; one whose books the ledger does not keep yet takes them up from its newest entry. */
export async function accountIn({ database }: Books, document: StoredDocument): Promise<Account> {
  if (isOpened(document)) return readAccount(document);
  return readAccount(document, await newestEntry(database, document.path));
}

/**
 * Makes a missing account, with nothing on it and no books: the next read takes those up from its
 * entries, so one that was deleted in the console comes back with what they say.
 * @throws {ReadAgain} always, once it is there.
 */
export async function createAccount(
  { database }: Books,
  uid: string,
  now: Date,
  email?: string,
): Promise<never> {
  // One that was there before has had its first call.
  const signupDue = (await newestEntry(database, accountPath(uid))) ? {} : { signupDue: true };
  const data = {
    balance: 0,
    ...signupDue,
    ...(email && { email }),
    createdAt: now,
    updatedAt: now,
    usedAt: now,
  };
  await database.commit([{ create: accountPath(uid), data }]);
  throw new ReadAgain();
}

/** A user's generation as it stands, and the database's time of looking. */
export async function findGeneration(
  database: Database,
  uid: string,
  id: string,
): Promise<{ record: GenerationRecord | undefined; readTime: Date }> {
  const { documents, readTime } = await database.read([generationPath(uid, id)]);
  return { record: documents[0] && readGeneration(documents[0]), readTime };
}

/** What is due on an account before anything else happens to it: edits recorded, signup credits granted. */
export async function bringUpToDate(books: Books, account: Account, holder: Holder): Promise<Change> {
  const change = recordEdit(account);
  if (!account.signupDue || !holder.verified) return change;
  const { documents } = await books.database.read([`${accountPath(account.uid)}/entries/signup`]);
  const credits = documents[0] ? 0 : books.settings.signupCredits;
  return andThen(change, (edited) => signupGrant(edited, credits));
}

/** One log line for each movement of credits: who, how much, and the balance after it. */
export function logEntries({ log }: Books, uid: string, entries: readonly EntryDraft[]): void {
  for (const { id, type, amount, balance, sequence, generationId } of entries) {
    log.info(`credits: ${type}`, { uid, entryId: id, amount, balance, sequence, generationId });
  }
}
