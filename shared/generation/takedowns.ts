/** Images that the studio removed. Each is known by the hash of its bytes, so that no request can use it as a reference. */
import { createHash } from 'node:crypto';
import { type DocumentPath, documentPath } from '../database/database.ts';
import { type FieldViolation, invalidRequest } from '../errors.ts';

export type TakedownData = { uid: string; generationId: string; reason: string; createdAt: Date };

export const takedownPath = (imageHash: string): DocumentPath<TakedownData> =>
  documentPath(`takedowns/${imageHash}`);

/** The SHA-256 of an image, in hexadecimal. */
export function hashImage(chunks: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** The refusal of a request with an image that was removed. @param indexes its positions among the references. */
export const removedReferences = (indexes: readonly number[]) =>
  invalidRequest(
    indexes.map(
      (i): FieldViolation => ({ field: `references.${i}.data`, description: 'was removed by the studio' }),
    ),
  );
