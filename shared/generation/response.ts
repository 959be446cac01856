/** The answer of `generate` for a generation, by its status. */
import type { GenerateAnswer } from '../contract/generate.ts';
import { getReasonRow } from '../errorReasons.ts';
import { Failure, isReason, restoreFailure, withGeneration } from '../errors.ts';
import { type GenerationRecord, type StoredFailure, toGeneration } from './record.ts';

/** Seconds after which a client may ask again for a pending generation. */
const inProgressRetrySeconds = 2;

const erasedMessage = 'The image was not generated. Its prompt and all details were deleted.';

type Answer = { body: GenerateAnswer; headers?: Record<string, string> };

/**
 * The answer for a generation that succeeded.
 * @param publicUrl where the studio is reached.
 * @param own the failure with which this call ended it: it has the cause, and when to ask again.
 * @throws {Failure} with the receipt: its stored failure if it was refunded, DELETED, IN_PROGRESS.
 */
export function toGenerateAnswer(record: GenerationRecord, publicUrl: string, own?: Failure): Answer {
  const { id, receipt, removedBy } = record;
  switch (record.status) {
    case 'succeeded':
      return { body: { generation: toGeneration(record, publicUrl), receipt } };
    case 'refunded': {
      const isOwn = own !== undefined && own.reason === record.failure?.reason;
      const failure = isOwn ? own : restoreFailure(record.failure);
      const answer = withGeneration(failure.with({ receipt, retry: 'new_key' }), id);
      const { isLasting, retry } = getReasonRow(failure.reason);
      throw isLasting ? answer.with({ retry }) : answer;
    }
    case 'deleted':
      throw new Failure(
        'DELETED',
        removedBy ? 'This image was removed by the studio.' : 'This image was deleted.',
        { receipt, metadata: { generationId: id } },
      );
    case 'pending':
      throw new Failure('IN_PROGRESS', 'This image is still being generated.', {
        receipt,
        metadata: { generationId: id },
        retryAfterSeconds: inProgressRetrySeconds,
      });
  }
}

/**
 * The answer of an earlier call with this key, repeated.
 * @throws {Failure} IDEMPOTENCY_KEY_REUSED if that call had another request; otherwise as `toGenerateAnswer`.
 */
export function toReplay(record: GenerationRecord, fingerprint: string, publicUrl: string): Answer {
  if (record.fingerprint !== fingerprint) {
    throw new Failure('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request.', {
      metadata: { generationId: record.id },
    });
  }
  const headers = { 'Idempotent-Replayed': 'true' };
  try {
    return { ...toGenerateAnswer(record, publicUrl), headers };
  } catch (error) {
    throw error instanceof Failure && record.status !== 'pending' ? error.with({ headers }) : error;
  }
}

/** A failure as it is stored with its generation. */
export function toStoredFailure({ reason, message, details }: Failure): StoredFailure {
  return { reason, message, ...(details.metadata && { metadata: details.metadata }) };
}

/**
 * A stored failure without anything that the model said of the prompt. The reason stays, and the metadata that it always
 * has: codes and positions, no sentences.
 */
export function eraseFailure({ reason, metadata = {} }: StoredFailure): StoredFailure {
  const row = isReason(reason) ? getReasonRow(reason) : undefined;
  const required = Object.keys(row?.metadata ?? {});
  const kept = required.flatMap((name) => (name in metadata ? [[name, metadata[name]]] : []));
  return {
    reason,
    message: row?.message ?? erasedMessage,
    ...(kept.length > 0 && { metadata: Object.fromEntries(kept) }),
  };
}
