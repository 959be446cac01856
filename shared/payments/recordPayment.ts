import { createDocument, updateDocument, type Write } from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import { commitPending, type Documents } from '../ledger/command.ts';
import { type EntryDraft, unchanged } from '../ledger/creditChanges.ts';
import { type EntryData, entryPath } from '../ledger/entries.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  addPurchase,
  applyReversals,
  clawbackEntryId,
  computeClaim,
  type Purchase,
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

/** Refunds and disputes of a payment. `areAll` is true if Stripe was asked for all of them. */
export type KnownReversals = { reversals: readonly Reversal[]; areAll: boolean };

/**
 * Records a payment, and refunds and disputes of it, in one commit. Each moves credits once, because the ids of their
 * entries are Stripe's. A refund or dispute that comes first records the purchase before it.
 * @returns `closed` if the account was closed before the purchase, and `late` if Stripe must be asked for all refunds and
 * disputes first: nothing is recorded.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 * @throws {UnreadableDocument} if an admin has spoilt the document of the purchase.
 */
export async function recordPayment(
  ledger: Ledger,
  payment: Payment,
  { reversals, areAll }: KnownReversals,
): Promise<RecordedPayment | 'closed' | 'late'> {
  const { sessionId, openedAt, order } = payment;
  const path = purchasePath(order.uid, sessionId);
  const toPath = (id: string) => entryPath(order.uid, id);
  const purchaseEntry = toPath(purchaseEntryId(sessionId));
  const reversalEntries = reversals.flatMap(({ id }) => [clawbackEntryId(id), reinstatementEntryId(id)]);

  const hasDispute = reversals.some(({ kind }) => kind === 'dispute');
  const recorded = await changeAccount<RecordedPayment | 'closed' | 'late'>(ledger, order.uid, {
    // A dispute suspends the person, or lifts that.
    readsPerson: hasDispute,
    reads: () => [path, purchaseEntry, ...new Set(reversalEntries.map(toPath))],
    missing: 'create',
    takesInvalid: true,
    decide({ account, hasPendingChanges, documents, now }) {
      const isNew = !documents.get(path) && !documents.get(purchaseEntry);
      if (isNew && account.closedAt) return commitPending({ account, hasPendingChanges }, 'closed');
      if (isNew && !areAll && isLate(openedAt, now)) return { answer: 'late' };
      const alreadyRecorded = {
        status: 'alreadyRecorded' as const,
        balance: account.balance ?? account.ledgerBalance,
        sequence: account.sequence,
        entry: findEntry([], documents, purchaseEntry, now),
      };
      if (!isNew && reversals.length === 0) return { answer: alreadyRecorded };
      const before = isNew ? toPurchase(payment, now) : findPurchase(documents, path, payment);
      const bought = isNew ? addPurchase(account, sessionId, order.credits) : unchanged(account);
      const hasEntry = (id: string) => documents.get(toPath(id)) !== undefined;
      const { change, purchase } = applyReversals(
        { change: bought, purchase: before },
        reversals,
        hasEntry,
        now,
      );
      if (change.entries.length === 0) return { answer: alreadyRecorded };
      const entry = findEntry(change.entries, documents, purchaseEntry, now);
      const moved = { ...purchase, updatedAt: now };
      const stored = documents.get(path);
      const write: Write = stored
        ? updateDocument(path, moved, stored.version)
        : createDocument(path, { ...toPurchase(payment, now), ...moved });
      const { ledgerBalance: balance, sequence } = change.account;
      return {
        change,
        writes: [write],
        answer: () => ({ status: 'recorded', balance, sequence, entry }),
      };
    },
  });
  if (hasDispute) await spreadSuspension(ledger, order.uid);
  return recorded;
}

const isLate = (openedAt: Date | undefined, now: Date) =>
  openedAt !== undefined && now.getTime() - openedAt.getTime() > freshMs;

function toPurchase({ order, amount, tax, paymentIntent }: Payment, now: Date): PurchaseData {
  const { pack, credits, currency } = order;
  const nothing = { claim: 0, refunds: {}, disputes: {} };
  return { pack, credits, amount, tax, currency, paymentIntent, ...nothing, createdAt: now, updatedAt: now };
}

/** What Stripe knows better than the document, which an admin may have edited, is Stripe's. */
function findPurchase(documents: Documents, path: string, { order, amount }: Payment): Purchase {
  const document = documents.get(path);
  // Without it nobody knows which refunds its entries have counted.
  if (!document) throw new Error(`An admin has deleted ${path}`);
  const { refunds, disputes } = parseDocument(purchaseSchema, document);
  const purchase = { credits: order.credits, amount, refunds, disputes };
  return { ...purchase, claim: computeClaim(purchase) };
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
