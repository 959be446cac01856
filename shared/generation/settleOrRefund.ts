import type { RequestLog } from '../core/log.ts';
import { type Failure, toFailure, withGeneration } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { GenerationRecord } from './record.ts';
import { refund } from './refund.ts';
import { toStoredFailure } from './response.ts';
import { type GenerationResult, settle } from './settle.ts';

/** What the work has cost and left so far. The steps update it, so that a refund knows it whatever fails. */
export type Progress = {
  /** What the provider bills, micro-dollars. */
  providerCostMicros: number;
  /** Whether the provider bills anything for the image: improving the prompt does not count. */
  isImageBilled: boolean;
  /** Whether an upload may have begun. */
  mayBeStored: boolean;
  /** Uploads that failed, and may still arrive. */
  failedUploads: number;
};

/** A generation that has ended, and the failure that ended it, if any. */
export type EndedGeneration = { record: GenerationRecord; failure?: Failure };

/**
 * The promise of the studio: runs the work that a hold has paid for, settles the generation with its result, or
 * refunds it whatever the work or the settling throws.
 * @param endsAt when the generation should have ended, by the clock's `elapsed`. Settling is tried until then, and at least
 * for the usual time of a commit. A refund then still comes before the hold's deadline, because that is later by the grace.
 * @returns the generation as it ended. It may have succeeded despite a failure, if only the reply to its settling was
 * lost.
 * @throws {Failure} the failure itself, with `same_key`, if the refund must be left to the sweep.
 */
export async function settleOrRefund(
  ledger: Ledger,
  held: GenerationRecord,
  log: RequestLog,
  endsAt: number,
  work: (progress: Progress) => Promise<Omit<GenerationResult, 'providerCostMicros' | 'failedUploads'>>,
): Promise<EndedGeneration> {
  const progress: Progress = {
    providerCostMicros: 0,
    isImageBilled: false,
    mayBeStored: false,
    failedUploads: 0,
  };
  log.add({ creditsCharged: held.receipt.charged });
  try {
    const result = await work(progress);
    const { providerCostMicros, failedUploads } = progress;
    const settled = settle(ledger, held, { ...result, providerCostMicros, failedUploads }, endsAt);
    const record = await log.timed('settle', settled);
    log.add({ creditsRefunded: record.receipt.refunded });
    return { record };
  } catch (error) {
    const failure = toFailure(error);
    log.add({ providerCostMicros: progress.providerCostMicros });
    const record = await log.timed('refund', refundHeld(ledger, held, failure, progress));
    log.add({ creditsRefunded: record.receipt.refunded });
    return { record, failure };
  }
}

async function refundHeld(
  ledger: Ledger,
  held: GenerationRecord,
  failure: Failure,
  progress: Progress,
): Promise<GenerationRecord> {
  const { uid, id, receipt } = held;
  const refunded = await refund(ledger, {
    uid,
    id,
    held,
    failure: toStoredFailure(failure),
    ...progress,
  }).catch((error) => {
    ledger.log.error('A refund failed and is left to the sweep', { uid, generationId: id, error });
  });
  if (!refunded) throw withGeneration(failure.with({ receipt, retry: 'same_key' }), id);
  return refunded.record;
}
