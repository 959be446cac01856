/**
 * The runner of the ledger's commands. A command names the documents that it needs and decides, as a pure function of
 * them, what happens to one account. Everything else is the same for all commands and is here: reading, creating
 * the account, recording an admin's edits, signup credits, the atomic commit under preconditions, retries, and one
 * log line for each entry that was committed.
 */
import { createDocument, type StoredDocument, type Version, type Write } from '../database/database.ts';
import { RetryNow } from '../database/retryCommit.ts';
import { logMistyped } from '../database/spoiltDocuments.ts';
import type { Failure } from '../errors.ts';
import {
  type Account,
  accountPath,
  isOpened,
  mayMisfit,
  noEntry,
  parseAccount,
  refuseInvalid,
} from './account.ts';
import type { AccountState, Command, Documents } from './command.ts';
import { andThen, type Change, type EntryDraft, toWrites } from './creditChanges.ts';
import { type EntryData, entryPath } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { findNewestEntry } from './newestEntry.ts';
import { findRemains, openAccount } from './openAccount.ts';
import { findPendingChange } from './pendingChange.ts';
import { toIdentityWrites } from './person.ts';

/** Entries of commits that may have succeeded although their reply was lost, by path; one for each attempt. */
type UncertainEntries = Map<string, EntryData[]>;

/**
 * Runs a command on one account, one at a time in this process.
 * @throws {Failure} the command's refusal; ACCOUNT_INVALID; DATABASE_UNAVAILABLE if the outcome is unknown.
 */
export function changeAccount<T>(ledger: Ledger, uid: string, command: Command<T>): Promise<T> {
  const uncertain: UncertainEntries = new Map();
  let isRetry = false;
  /** False until a job or a refund has something to write: before, a wrong sequence does not matter to it. */
  let mustFit = !command.takesInvalid;
  return ledger.retryCommit(uid, async () => {
    const paths = [accountPath(uid), ...(command.reads?.(isRetry) ?? []), ...uncertain.keys()];
    isRetry = true;
    const { documents, now } = await readDocuments(ledger, paths);
    logLanded(ledger, uid, documents, uncertain);

    const early = command.findAnswer?.(documents, now);
    if (early) return unwrap(early);
    const document = documents.get(accountPath(uid));
    if (!document) return createMissing(ledger, uid, command, now);
    const isSuspect = mayMisfit(document) || hasLaterEntry(document, documents, uncertain);
    const [account, remains] = await Promise.all([
      readAccount(ledger, document, isSuspect && mustFit),
      isOpened(document) ? undefined : findRemains(ledger, uid),
    ]);
    const invalid = refuseInvalid(account);
    if (invalid && !command.takesInvalid) throw invalid;

    const opened = remains ? await openAccount(ledger, account, remains, command.user, now) : account;
    const due = { ...command, identities: remains?.identities ?? [] };
    const pending = await findPendingChange(ledger, opened, due, documents, now);
    const state = {
      account: pending.account,
      hasPendingChanges: pending.account !== account,
      pendingEntries: pending.entries,
      person: pending.person,
      documents,
      now,
    };
    const commit = (change: Change, writes: readonly Write[] = []) => {
      const all = [
        ...(change.account === account ? [] : toWrites(account, change, now)),
        ...(pending.person ? toIdentityWrites(change.account, pending.person, now) : []),
        ...writes,
      ];
      return commitAndLog(ledger, uid, change.entries, now, all, uncertain);
    };
    const decision = await decide(ledger, command, state);
    if ('change' in decision) {
      if (isSuspect && !mustFit) {
        mustFit = true;
        throw new RetryNow();
      }
      return decision.answer(
        await commit(
          andThen(pending, () => decision.change),
          decision.writes,
        ),
      );
    }
    if ('refusal' in decision && pending.account !== account) await commit(pending);
    return unwrap(decision);
  });
}

function unwrap<T>(decision: { answer: T } | { refusal: Failure }): T {
  if ('refusal' in decision) throw decision.refusal;
  return decision.answer;
}

async function readDocuments({ database }: Ledger, paths: readonly string[]) {
  const { documents, readTime: now } = await database.read(paths);
  return { documents: new Map(paths.map((path, i) => [path, documents[i]])), now };
}

/** Lets the command decide, and reads what it asks for until it has. */
async function decide<T>(ledger: Ledger, { decide }: Command<T>, state: AccountState) {
  const documents = new Map(state.documents);
  for (;;) {
    const decision = decide({ ...state, documents });
    if (!('read' in decision)) return decision;
    const more = await readDocuments(ledger, decision.read);
    for (const [path, document] of more.documents) documents.set(path, document);
  }
}

/**
 * The account of a document. If its sequence may be wrong, or the ledger has not opened it, the newest entry decides.
 * @param isSuspect whether its sequence may be wrong.
 * @throws {RetryNow} if the document has changed meanwhile, so that the entry may be newer.
 */
async function readAccount(ledger: Ledger, document: StoredDocument, isSuspect: boolean): Promise<Account> {
  const parsed = parseAccount(document);
  logMistyped(ledger.log, document, parsed.strayFields);
  if (isOpened(document) && !isSuspect) return parsed;
  const account = parseAccount(document, (await findNewestEntry(ledger, document.id)) ?? noEntry);
  if (account.fitsEntries) return account;
  const [current] = (await ledger.database.read([document.path])).documents;
  if (!current?.version.isEqual(document.version as never)) throw new RetryNow();
  return account;
}

/** True if an entry with a later sequence than the account's has made an earlier attempt fail. */
function hasLaterEntry({ data }: StoredDocument, documents: Documents, uncertain: UncertainEntries): boolean {
  const isLater = (path: string) => Number(documents.get(path)?.data.sequence) > Number(data.sequence);
  return [...uncertain.keys()].some(isLater);
}

/**
 * Creates a missing account, empty and not opened: the next read continues from its entries, so that one that was
 * deleted in the console comes back with its old balance as an edit. It holds nothing of the person, as the commit may take
 * effect after a closing.
 * @throws {RetryNow} once it exists.
 */
async function createMissing<T>(ledger: Ledger, uid: string, command: Command<T>, now: Date): Promise<T> {
  const { missing } = command;
  if (missing !== 'create' && 'answer' in missing) return missing.answer;
  const isKnown = (await findNewestEntry(ledger, uid)) !== undefined;
  if (missing !== 'create' && !isKnown) throw missing.refusal;
  await ledger.database.commit([
    createDocument(accountPath(uid), {
      balance: 0,
      // A known account has had its signup credits. It gets no allowance before its user's own call.
      ...(isKnown ? { verified: false } : { signupDue: true }),
      createdAt: now,
      updatedAt: now,
      usedAt: now,
    }),
  ]);
  throw new RetryNow();
}

async function commitAndLog(
  ledger: Ledger,
  uid: string,
  entries: readonly EntryDraft[],
  createdAt: Date,
  writes: readonly Write[],
  uncertain: UncertainEntries,
): Promise<Version> {
  for (const { id, ...entry } of entries) {
    const path = entryPath(uid, id);
    uncertain.set(path, [...(uncertain.get(path) ?? []), { ...entry, createdAt }]);
  }
  const version = await ledger.database.commit(writes);
  for (const { id, ...entry } of entries) {
    uncertain.delete(entryPath(uid, id));
    logEntry(ledger, uid, id, entry);
  }
  return version;
}

/** Logs the entries of commits that succeeded although their reply was lost. */
function logLanded(ledger: Ledger, uid: string, documents: Documents, uncertain: UncertainEntries): void {
  for (const [path, attempts] of uncertain) {
    const stored = documents.get(path);
    const landed = attempts.find((attempt) => stored && isSameEntry(attempt, stored.data as EntryData));
    if (!stored || !landed) continue;
    uncertain.delete(path);
    logEntry(ledger, uid, stored.id, landed);
  }
}

const isSameEntry = (a: EntryData, b: EntryData) =>
  a.sequence === b.sequence && a.amount === b.amount && Number(a.createdAt) === Number(b.createdAt);

/** One line for each movement of credits. */
function logEntry({ log }: Ledger, uid: string, entryId: string, entry: Omit<EntryData, 'createdAt'>): void {
  const { type, amount, balance, sequence, generationId, reason } = entry;
  log.info(`credits: ${type}`, {
    event: 'entry_committed',
    uid,
    type,
    amount,
    balance,
    sequence,
    entryId,
    generationId,
    // The reason of a refund is one of the API's; any other is an admin's own words, which are not logged.
    ...(type === 'refund' && { reason }),
  });
}
