import * as z from 'zod';
import { type StoredDocument, updateDocument, type Write } from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import { refundCredits } from '../ledger/creditChanges.ts';
import { debitEntryId, entryPath, refundEntryId } from '../ledger/entries.ts';
import { hasExpired } from '../ledger/holdDeadline.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutboxItem, toOutboxItem } from './outbox.ts';
import { generationPath, toPublicId } from './record.ts';
import { expired } from './refund.ts';

const debitSchema = z.object({ amount: z.int().max(0) });

/**
 * Refunds a pending generation after its deadline, although an admin has spoilt its document. Only the status and the
 * deadline must be readable: the price is that of the debit's entry. The other fields stay as they are.
 * @param document as the sweep has found it.
 * @returns whether this call made the refund.
 * @throws {Error} if the debit's entry is missing or unreadable too. {Failure} DATABASE_UNAVAILABLE.
 */
export function expireSpoilt(ledger: Ledger, { path: documentPath, id }: StoredDocument): Promise<boolean> {
  const uid = documentPath.split('/')[1] ?? '';
  const path = generationPath(uid, id);
  const debitPath = entryPath(uid, debitEntryId(id));
  const refundPath = entryPath(uid, refundEntryId(id));
  return changeAccount<boolean>(ledger, uid, {
    reads: () => [path, debitPath, refundPath],
    findAnswer(documents, now) {
      const { status, deadline } = documents.get(path)?.data ?? {};
      const isDue = status === 'pending' && deadline instanceof Date && hasExpired(deadline, now);
      return isDue && !documents.get(refundPath) ? undefined : { answer: false };
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

/** The image's name in the store, if the document still shows it. */
function findPublicId({ id, data: { publicId, owner } }: StoredDocument): string | undefined {
  if (typeof publicId === 'string' && publicId.startsWith(`${id}/`)) return publicId;
  return typeof owner === 'string' ? toPublicId(id, owner) : undefined;
}
