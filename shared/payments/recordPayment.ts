import { createDocument, updateDocument, type Write } from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { Documents } from '../ledger/command.ts';
import { andThen, type EntryDraft, unchanged } from '../ledger/creditChanges.ts';
import { type EntryData, entryPath } from '../ledger/entries.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  addPurchase,
  applyReversal,
  clawbackEntryId,
  type PurchaseData,
  purchaseEntryId,
  purchasePath,
  purchaseSchema,
  type Reversal,
  reinstatementEntryId,
} from '../ledger/purchaseRules.ts';
import { spreadSuspension } from '../ledger/suspension.ts';
import type { Payment } from './order.ts';

type PurchaseEntry = EntryDraft & { createdAt: Date };

/** The account after a payment was recorded. */
export type RecordedPayment = {
  status: 'recorded' | 'alreadyRecorded';
  balance: number;
  sequence: number;
  /** The entry of the purchase. Undefined if an admin has deleted it. */
  entry: PurchaseEntry | undefined;
};

/** After this time since the checkout began a payment may have been refunded or disputed already, milliseconds. */
const freshMs = 3_600_000;

/**
 * Records a payment, and a refund or dispute of it, in one commit. Each moves credits once, because the ids of their
 * entries are Stripe's. A refund or dispute that comes first records the purchase before it.
 * @param known a refund or dispute; `none` if Stripe has said that there is none; undefined if it was not asked.
 * @returns `closed` if the account was closed before the purchase, and `late` if Stripe must be asked for refunds and disputes
 * first: nothing is recorded.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 * @throws {UnreadableDocument} if an admin has spoilt the document of the purchase.
 */
export async function recordPayment(
  ledger: Ledger,
  payment: Payment,
  known?: Reversal | 'none',
): Promise<RecordedPayment | 'closed' | 'late'> {
  const { sessionId, openedAt, order } = payment;
  const reversal = known === 'none' ? undefined : known;
  const path = purchasePath(order.uid, sessionId);
  const toPath = (id: string) => entryPath(order.uid, id);
  const purchaseEntry = toPath(purchaseEntryId(sessionId));
  const clawback = reversal && toPath(clawbackEntryId(reversal.id));
  const reinstatement = reversal && toPath(reinstatementEntryId(reversal.id));
  const reversalEntries = clawback && reinstatement ? [clawback, reinstatement] : [];
  const has = (documents: Documents, entry: string | undefined) =>
    entry !== undefined && documents.get(entry) !== undefined;

  const isDispute = reversal?.kind === 'dispute';
  const recorded = await changeAccount<RecordedPayment | 'closed' | 'late'>(ledger, order.uid, {
    // A dispute suspends the person, or lifts that.
    readsPerson: isDispute,
    reads: () => [path, purchaseEntry, ...reversalEntries],
    missing: 'create',
    takesInvalid: true,
    decide({ account, hasPendingChanges, documents, now }) {
      const isNew = !documents.get(path) && !documents.get(purchaseEntry);
      if (isNew && account.closedAt) {
        return hasPendingChanges
          ? { change: unchanged({ ...account }), answer: () => 'closed' }
          : { answer: 'closed' };
      }
      if (isNew && !known && isLate(openedAt, now)) return { answer: 'late' };
      const alreadyRecorded = {
        status: 'alreadyRecorded' as const,
        balance: account.balance ?? account.ledgerBalance,
        sequence: account.sequence,
        entry: findEntry([], documents, purchaseEntry, now),
      };
      if (!isNew && !reversal) return { answer: alreadyRecorded };
      const before = isNew ? toPurchase(payment, now) : findPurchase(documents, path);
      const bought = isNew ? addPurchase(account, sessionId, order.credits) : unchanged(account);
      const reversed = reversal
        ? applyReversal(
            bought.account,
            before,
            reversal,
            {
              clawback: has(documents, clawback),
              reinstatement: has(documents, reinstatement),
            },
            now,
          )
        : { change: unchanged(bought.account), purchase: before };
      const change = andThen(bought, () => reversed.change);
      if (change.entries.length === 0) return { answer: alreadyRecorded };
      const entry = findEntry(change.entries, documents, purchaseEntry, now);
      const { claim, refunds, disputes } = reversed.purchase;
      const moved = { claim, refunds, disputes, updatedAt: now };
      const stored = documents.get(path);
      const write: Write = stored
        ? updateDocument(path, moved, stored.version)
        : createDocument(path, { ...before, ...moved });
      const { ledgerBalance: balance, sequence } = change.account;
      return {
        change,
        writes: [write],
        answer: () => ({ status: 'recorded', balance, sequence, entry }),
      };
    },
  });
  if (isDispute) await spreadSuspension(ledger, order.uid);
  return recorded;
}

const isLate = (openedAt: Date | undefined, now: Date) =>
  openedAt !== undefined && now.getTime() - openedAt.getTime() > freshMs;

function toPurchase({ order, amount, tax, paymentIntent }: Payment, now: Date): PurchaseData {
  const { pack, credits, currency } = order;
  const nothing = { claim: 0, refunds: {}, disputes: {} };
  return { pack, credits, amount, tax, currency, paymentIntent, ...nothing, createdAt: now, updatedAt: now };
}

function findPurchase(documents: Documents, path: string): PurchaseData {
  const document = documents.get(path);
  // Without it nobody knows which refunds its entries have counted.
  if (!document) throw new Error(`An admin has deleted ${path}`);
  return parseDocument(purchaseSchema, document);
}

/** The entry of the purchase: a new one, or the stored one. */
function findEntry(
  drafts: readonly EntryDraft[],
  documents: Documents,
  path: string,
  now: Date,
): PurchaseEntry | undefined {
  const id = path.slice(path.lastIndexOf('/') + 1);
  const draft = drafts.find((one) => one.id === id);
  if (draft) return { ...draft, createdAt: now };
  const document = documents.get(path);
  return document && { id, ...(document.data as EntryData) };
}
