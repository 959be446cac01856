/**
 * What every change of the ledger works with. A change is one atomic commit of preconditioned writes:
 * what was read is written only if nobody wrote it since, under deterministic ids, so that it happens
 * once however often it is tried. Whoever meets an admin's edit records it in the same commit.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Data, Database, StoredDocument } from '../database/database.ts';
import { createRetryCommit, type RetryCommit, RetryNow } from '../database/retryCommit.ts';
import { Failure } from '../errors.ts';
import { type GenerationRecord, generationPath, readGeneration } from '../generation/record.ts';
import {
  type Account,
  andThen,
  type Change,
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

export type Ledger = { database: Database; log: Log; settings: LedgerSettings; retryCommit: RetryCommit };

/** Who calls, as far as the ledger cares. */
export type Holder = {
  uid: string;
  email: string | undefined;
  /** Whether this user is known to be somebody, and so gets the signup grant. */
  verified: boolean;
};

/** The books on a database. */
export function createLedger(database: Database, settings: LedgerSettings, log: Log, clock: Clock): Ledger {
  return { database, log, settings, retryCommit: createRetryCommit(clock) };
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
export async function accountIn({ database }: Ledger, document: StoredDocument): Promise<Account> {
  if (isOpened(document)) return readAccount(document);
  return readAccount(document, await newestEntry(database, document.path));
}

/**
 * Makes a missing account, with nothing on it and no books: the next read takes those up from its
 * entries, so one that was deleted in the console comes back with what they say.
 * @throws {ReadAgain} always, once it is there.
 */
export async function createAccount(
  { database }: Ledger,
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
  throw new RetryNow();
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
export async function bringUpToDate(ledger: Ledger, account: Account, holder: Holder): Promise<Change> {
  const change = recordEdit(account);
  if (!account.signupDue || !holder.verified) return change;
  const { documents } = await ledger.database.read([`${accountPath(account.uid)}/entries/signup`]);
  const credits = documents[0] ? 0 : ledger.settings.signupCredits;
  return andThen(change, (edited) => signupGrant(edited, credits));
}

/**
 * Makes a change of one account: `body` is run as `converge` runs it, with books whose commits are noted. The
 * entries that they have brought into the ledger are logged afterwards, once each, whatever the body ends in.
 */
export async function changeAccount<T>(
  ledger: Ledger,
  uid: string,
  body: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const tried = new Map<string, Data>();
  const standing = new Set<string>();
  const commit: Database['commit'] = async (writes) => {
    const entries = writes.filter((write) => 'create' in write && isEntry(write.create));
    for (const entry of entries as { create: string; data: Data }[]) tried.set(entry.create, entry.data);
    const version = await ledger.database.commit(writes);
    for (const entry of entries as { create: string }[]) standing.add(entry.create);
    return version;
  };
  const noted = { ...ledger, database: { ...ledger.database, commit } };
  let isAnswering = true;
  try {
    return await ledger.retryCommit(uid, () => body(noted));
  } catch (error) {
    isAnswering = !(error instanceof Failure && error.reason === 'DATABASE_UNAVAILABLE');
    throw error;
  } finally {
    if (isAnswering) await findStanding(ledger, tried, standing);
    for (const path of standing) logEntry(ledger, uid, path, tried.get(path) ?? {});
  }
}

const isEntry = (path: string) => path.includes('/entries/');

/**
 * Where only the answer to a commit was lost, its entry is there as it was written, to the millisecond. Of what
 * the database does not tell even now there is no line; the ledger itself has it.
 */
async function findStanding(
  { database }: Ledger,
  tried: Map<string, Data>,
  standing: Set<string>,
): Promise<void> {
  const paths = [...tried.keys()].filter((path) => !standing.has(path));
  if (paths.length === 0) return;
  const { documents } = await database.read(paths).catch(() => ({ documents: [] }));
  paths.forEach((path, i) => {
    const [wanted, found] = [tried.get(path), documents[i]?.data];
    const isSame = found?.sequence === wanted?.sequence && found?.amount === wanted?.amount;
    if (isSame && Number(found?.createdAt) === Number(wanted?.createdAt)) standing.add(path);
  });
}

/** One line for each movement of credits: who, how much, and the balance after it. */
function logEntry({ log }: Ledger, uid: string, path: string, data: Data): void {
  const { type, amount, balance, sequence, generationId } = data;
  const entryId = path.slice(path.lastIndexOf('/') + 1);
  // A refund's is a reason of ours; any other is an admin's own words.
  const reason = type === 'refund' ? { reason: data.reason } : {};
  log.info(`credits: ${type}`, { uid, type, amount, balance, sequence, entryId, generationId, ...reason });
}
