import * as z from 'zod';
import { updateDocument, type Write } from '../database/database.ts';
import { parseReadable } from '../database/spoiltDocuments.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { Documents } from '../ledger/command.ts';
import { refundCredits } from '../ledger/creditChanges.ts';
import { debitEntryId, type EntryData, entryPath, refundEntryId } from '../ledger/entries.ts';
import { hasExpired } from '../ledger/holdDeadline.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutboxItem, toOutboxItem } from './outbox.ts';
import {
  type GenerationData,
  type GenerationRecord,
  generationPath,
  parseGeneration,
  type StoredFailure,
} from './record.ts';
import { parseOrRefuse } from './recoverGeneration.ts';

export type RefundRequest = {
  uid: string;
  id: string;
  /**
   * The generation as the call that holds it knows it. That call may refund it before its deadline, and even if an
   * admin has deleted its document.
   */
  held?: GenerationRecord;
  failure: StoredFailure;
  /** What the provider bills although the generation failed, micro-dollars; unknown if its worker died. */
  providerCostMicros?: number;
  /** Whether a part of that is for the image; unless it is known, true if the cost is not 0. */
  isImageBilled?: boolean;
  /** Whether an upload may have begun, so that an image may be stored or still arrive. */
  mayBeStored: boolean;
};

export const debitSchema = z.object({ amount: z.int().max(0) });

/** A generation after a refund was requested, and whether this call made the refund. */
export type RefundOutcome = { record: GenerationRecord; refundedNow: boolean };

/**
 * Refunds a pending generation. A generation that is no longer pending stays as it is.
 * @returns undefined if there is no such generation.
 * @throws {Failure} DATABASE_UNAVAILABLE if the outcome is unknown; the sweep refunds it later.
 */
export function refund(ledger: Ledger, request: RefundRequest): Promise<RefundOutcome | undefined> {
  const { uid, id, held, failure, providerCostMicros = 0, mayBeStored } = request;
  const { isImageBilled = request.providerCostMicros !== 0 } = request;
  const path = generationPath(uid, id);
  const entry = entryPath(uid, refundEntryId(id));
  const debit = entryPath(uid, debitEntryId(id));
  /** What was paid. An admin may have edited the price in the document of the generation. */
  const findCredits = (documents: Documents, record: GenerationRecord) => {
    if (held) return held.credits;
    const paid = debitSchema.safeParse(documents.get(debit)?.data).data;
    return paid ? -paid.amount : record.credits;
  };
  const findRecord = (documents: Documents) => {
    const document = documents.get(path);
    if (!document) return held;
    const { status, owner } = document.data;
    if (!held || status !== 'pending' || owner !== held.attemptId) return parseGeneration(document);
    // If an admin has spoilt the document, the call that holds the generation still knows everything.
    const [record] = parseReadable(ledger.log, [document], parseGeneration);
    return record ?? { ...held, version: document.version };
  };
  return changeAccount<RefundOutcome | undefined>(ledger, uid, {
    // If an admin deleted the document, only the entry shows that an earlier attempt succeeded.
    reads: (isRetry) => [path, ...(isRetry && held ? [entry] : []), ...(held ? [] : [debit])],
    findAnswer(documents, now) {
      const record = findRecord(documents);
      if (!record) return { answer: undefined };
      const refunded = documents.get(path) ? undefined : documents.get(entry)?.data;
      if (refunded) {
        const { balance, sequence } = refunded as EntryData;
        const receipt = { charged: record.credits, refunded: record.credits, balance, sequence };
        return {
          answer: { record: { ...record, status: 'refunded', failure, receipt }, refundedNow: false },
        };
      }
      const isOwn = held?.attemptId === record.attemptId;
      const mayRefund = record.status === 'pending' && (isOwn || isExpired(record, now));
      return mayRefund ? undefined : { answer: { record, refundedNow: false } };
    },
    missing: 'create',
    takesInvalid: true,
    decide({ account, documents, now }) {
      const record = findRecord(documents) as GenerationRecord;
      const credits = findCredits(documents, record);
      const change = refundCredits(account, {
        generationId: id,
        credits,
        reason: failure.reason,
        billed: isImageBilled,
        now,
      });
      const { ledgerBalance, sequence } = change.account;
      const data = {
        status: 'refunded',
        credits,
        failure,
        receipt: { charged: credits, refunded: credits, balance: ledgerBalance, sequence },
        providerCostMicros,
        finishedAt: now,
      } satisfies Partial<GenerationData>;
      const writes: Write[] = [
        ...(documents.get(path) ? [updateDocument(path, data, record.version)] : []),
        ...(mayBeStored ? [createOutboxItem(toOutboxItem(record, now))] : []),
      ];
      return {
        change,
        writes,
        answer: (version) => ({ record: { ...record, ...data, version }, refundedNow: true }),
      };
    },
  });
}

/** True if a generation is pending after its deadline, by the database's clock. */
export function isExpired(record: GenerationRecord, now: Date): boolean {
  return record.status === 'pending' && hasExpired(record.deadline, now);
}

export const expired: StoredFailure = {
  reason: 'EXPIRED',
  message: 'The image was not finished in time.',
};

/** Refunds a generation whose deadline has passed. */
export async function expire(
  ledger: Ledger,
  { uid, id }: { uid: string; id: string },
): Promise<RefundOutcome> {
  const outcome = await refund(ledger, { uid, id, failure: expired, mayBeStored: true });
  if (!outcome) throw new Error('The document of a pending generation is gone');
  return outcome;
}

/**
 * A user's generation, refunded first if its deadline has passed.
 * @throws {Failure} ACCOUNT_INVALID if its document is spoilt; DATABASE_UNAVAILABLE.
 */
export async function findCurrentGeneration(
  ledger: Ledger,
  uid: string,
  id: string,
): Promise<GenerationRecord | undefined> {
  const { documents, readTime } = await ledger.retryCommit(undefined, () =>
    ledger.database.read([generationPath(uid, id)]),
  );
  const record = documents[0] && parseOrRefuse(ledger.log, documents[0]);
  return record && isExpired(record, readTime) ? (await expire(ledger, record)).record : record;
}
