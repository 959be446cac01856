/** One account in full, as admins see it. */
import type { AdminEntry } from '../contract/admin.ts';
import { type AdminAccount, type AdminAccountAnswer, deskItemsMax } from '../contract/desk.ts';
import type { StoredDocument } from '../database/database.ts';
import { readPage } from '../database/pages.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { Failure } from '../errors.ts';
import { generationsPath, parseGeneration, toGeneration } from '../generation/record.ts';
import { accountPath, findProblem, isOpened, mayMisfit, noEntry, parseAccount } from '../ledger/account.ts';
import { entriesPath, entryDocumentSchema } from '../ledger/entries.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { findNewestEntry } from '../ledger/newestEntry.ts';
import { type PurchaseData, purchaseSchema, purchasesPath } from '../ledger/purchaseRules.ts';
import { readActions } from './actions.ts';

const toText = (time: Date | undefined) => time?.toISOString() ?? null;

/** An account as admins see it; `problem` says what an admin must correct. @throws {Failure} DATABASE_UNAVAILABLE. */
export async function showAccount(ledger: Ledger, document: StoredDocument): Promise<AdminAccount> {
  const isCertain = isOpened(document) && !mayMisfit(document);
  const newest = isCertain
    ? undefined
    : ((await ledger.retryCommit(undefined, () => findNewestEntry(ledger, document.id))) ?? noEntry);
  const account = parseAccount(document, newest);
  const { uid, email, balance, debt, sequence, suspended, note, allowance, closedAt } = account;
  const problem = findProblem(account)?.text;
  return {
    uid,
    email: email ?? null,
    balance,
    debt,
    sequence,
    suspended,
    ...(note !== undefined && { note }),
    ...(allowance !== undefined && { allowance }),
    ...(problem && { problem }),
    createdAt: toText(account.createdAt),
    usedAt: toText(account.usedAt),
    ...(closedAt && { closedAt: closedAt.toISOString() }),
  };
}

/** @throws {UnreadableDocument} */
function parseAdminEntry(document: StoredDocument): AdminEntry {
  const { createdAt, ...entry } = parseDocument(entryDocumentSchema, document);
  return { id: document.id, ...entry, createdAt: createdAt.toISOString() };
}

/** @throws {UnreadableDocument} */
function parsePurchase(document: StoredDocument) {
  const purchase: PurchaseData = parseDocument(purchaseSchema, document);
  const { pack, credits, amount, currency, claim, refunds, disputes, createdAt } = purchase;
  return {
    id: document.id,
    ...{ pack, credits, amount, currency, takenBack: claim },
    refunds: Object.keys(refunds),
    disputes: Object.keys(disputes),
    createdAt: createdAt.toISOString(),
  };
}

/** @throws {Failure} NOT_FOUND, DATABASE_UNAVAILABLE. */
export async function readAdminAccount(
  ledger: Ledger,
  publicUrl: string,
  uid: string,
): Promise<AdminAccountAnswer> {
  const { database, retryCommit } = ledger;
  const newest = (collection: string, field: string) => ({ collection, orderBy: [[field, 'desc']] as const });
  const [{ documents }, entries, generations, purchases, actions] = await Promise.all([
    retryCommit(undefined, () => database.read([accountPath(uid)])),
    readPage(ledger, deskItemsMax, newest(entriesPath(uid), 'sequence'), parseAdminEntry),
    readPage(ledger, deskItemsMax, newest(generationsPath(uid), 'createdAt'), parseGeneration),
    readPage(ledger, deskItemsMax, newest(purchasesPath(uid), 'createdAt'), parsePurchase),
    readActions(ledger, uid),
  ]);
  const [document] = documents;
  if (!document) throw new Failure('NOT_FOUND', 'There is no such account.');
  return {
    account: await showAccount(ledger, document),
    entries: entries.items,
    generations: generations.items.map((record) => toGeneration(record, publicUrl)),
    purchases: purchases.items,
    actions,
  };
}
