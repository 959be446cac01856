import { andThen, changeWrites, refund as giveBack, recordEdit } from '../ledger/credits.ts';
import {
  accountIn,
  accountPath,
  changeAccount,
  createAccount,
  findGeneration,
  type Ledger,
} from '../ledger/ledger.ts';
import { orphan, outboxWrite } from './outbox.ts';
import { type GenerationRecord, generationPath, readGeneration, type StoredFailure } from './record.ts';

export type RefundTerms = {
  uid: string;
  id: string;
  /**
   * The generation as the call knows it that holds it: that may refund it before its deadline, and even
   * where somebody has deleted its document in the console.
   */
  held?: GenerationRecord;
  failure: StoredFailure;
  /** What the provider bills for it all the same, micro-dollars; unknown where its worker died. */
  providerCostMicros?: number;
  /** Whether an upload may have begun, so that an image may be there or still arrive. */
  mayBeStored: boolean;
};

/** A generation as it stands after a refund was asked for, and whether it was this call that gave it. */
export type RefundOutcome = { record: GenerationRecord; refundedNow: boolean };

/**
 * Gives the credits of a pending generation back. Does nothing to one that is no longer pending.
 * Returns undefined where there is none.
 * @throws {Failure} DATABASE_UNAVAILABLE when it is not known how it stands; the sweep will see to it.
 */
export async function refund(ledger: Ledger, terms: RefundTerms): Promise<RefundOutcome | undefined> {
  const { uid, id, held, failure, providerCostMicros = 0, mayBeStored } = terms;
  return changeAccount(ledger, uid, async ({ database }) => {
    const { documents, readTime: now } = await database.read([accountPath(uid), generationPath(uid, id)]);
    const [accountDocument, generationDocument] = documents;
    const record = generationDocument ? readGeneration(generationDocument) : held;
    if (!record) return undefined;
    const mayRefund = record.status === 'pending' && (held?.owner === record.owner || isExpired(record, now));
    if (!mayRefund) return { record, refundedNow: false };
    if (!accountDocument) return createAccount(ledger, uid, now);

    const account = await accountIn(ledger, accountDocument);
    const change = andThen(recordEdit(account), (edited) =>
      giveBack(edited, id, record.credits, failure.reason),
    );
    const { balance, settled, sequence } = change.account;
    const data = {
      status: 'refunded' as const,
      failure,
      receipt: { charged: record.credits, refunded: record.credits, balance: balance ?? settled, sequence },
      providerCostMicros,
      finishedAt: now,
    };
    const version = await database.commit([
      ...changeWrites(account, change, now),
      ...(generationDocument ? [{ update: generationPath(uid, id), data, at: record.version }] : []),
      ...(mayBeStored ? [outboxWrite(orphan(record, now))] : []),
    ]);
    return { record: { ...record, ...data, version }, refundedNow: true };
  });
}

/** Whether a generation is pending past its deadline, by the database's clock. */
export function isExpired(record: GenerationRecord, now: Date): boolean {
  return record.status === 'pending' && record.deadline.getTime() <= now.getTime();
}

const expired: StoredFailure = {
  reason: 'EXPIRED',
  message: 'The image was not finished in time.',
};

/** Refunds a generation whose deadline has passed, whoever meets it. */
export async function expire(
  ledger: Ledger,
  { uid, id }: { uid: string; id: string },
): Promise<RefundOutcome> {
  const outcome = await refund(ledger, { uid, id, failure: expired, mayBeStored: true });
  if (!outcome) throw new Error('A generation that was pending is gone');
  return outcome;
}

/** A user's generation as it stands, refunded first where its deadline has passed. */
export async function currentGeneration(
  ledger: Ledger,
  uid: string,
  id: string,
): Promise<GenerationRecord | undefined> {
  const { record, readTime } = await ledger.retryCommit(undefined, () =>
    findGeneration(ledger.database, uid, id),
  );
  return record && isExpired(record, readTime) ? (await expire(ledger, record)).record : record;
}
