import { type StoredDocument, updateDocument, type Write } from '../database/database.ts';
import { parseDocument, parseIfReadable } from '../database/spoiltDocuments.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import { refundCredits } from '../ledger/creditChanges.ts';
import { debitEntryId, entryPath, refundEntryId } from '../ledger/entries.ts';
import { hasExpired } from '../ledger/holdDeadline.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutboxItem, toOutboxItem } from './outbox.ts';
import { findPublicId, generationPath, parseGeneration } from './record.ts';
import { debitSchema, expire, expired } from './refund.ts';

/** True if a generation is pending after its deadline, by the database's clock, even if its other fields are spoilt. */
export const isOverdue = ({ data: { status, deadline } }: StoredDocument, now: Date) =>
  status === 'pending' && deadline instanceof Date && hasExpired(deadline, now);

/** Refunds an overdue generation. A spoilt document is logged. @returns whether this call made the refund. */
export async function expireOverdue(ledger: Ledger, document: StoredDocument): Promise<boolean> {
  const record = parseIfReadable(ledger.log, document, parseGeneration);
  return record ? (await expire(ledger, record)).refundedNow : expireSpoilt(ledger, document);
}

/**
 * Refunds a pending generation after its deadline, although an admin has spoilt its document. Only the status and the
 * deadline must be readable: the price is that of the debit's entry. The other fields stay as they are.
 * @param document as it was found.
 * @returns whether this call made the refund.
 * @throws {Error} if the debit's entry is missing or unreadable too. {Failure} DATABASE_UNAVAILABLE.
 */
function expireSpoilt(ledger: Ledger, { path: documentPath, id }: StoredDocument): Promise<boolean> {
  const uid = documentPath.split('/')[1] ?? '';
  const path = generationPath(uid, id);
  const debitPath = entryPath(uid, debitEntryId(id));
  const refundPath = entryPath(uid, refundEntryId(id));
  return changeAccount<boolean>(ledger, uid, {
    reads: () => [path, debitPath, refundPath],
    findAnswer(documents, now) {
      const document = documents.get(path);
      const isDue = document && isOverdue(document, now) && !documents.get(refundPath);
      return isDue ? undefined : { answer: false };
    },
    missing: 'create',
    takesInvalid: true,
    decide({ account, documents, now }) {
      const document = documents.get(path) as StoredDocument;
      const debit = documents.get(debitPath);
      if (!debit) throw new Error('A pending generation that cannot be read has no debit');
      const credits = -parseDocument(debitSchema, debit).amount;
      const { reason } = expired;
      const change = refundCredits(account, { generationId: id, credits, reason, billed: true, now });
      const { ledgerBalance: balance, sequence } = change.account;
      const receipt = { charged: credits, refunded: credits, balance, sequence };
      const data = { status: 'refunded' as const, credits, failure: expired, receipt, finishedAt: now };
      const publicId = findPublicId(document);
      const deadline = document.data.deadline as Date;
      const image = publicId && toOutboxItem({ id, uid, publicId, status: 'pending', deadline }, now);
      const writes: Write[] = [
        updateDocument(path, data, document.version),
        ...(image ? [createOutboxItem(image)] : []),
      ];
      return { change, writes, answer: () => true };
    },
  });
}
