/** Reference images: checked before the debit, loaded after it. */

import type { GenerateRequest } from '../contract.ts';
import { Failure, type FieldViolation, invalidRequest } from '../errors.ts';
import type { Reference } from '../imagegen/gemini.ts';
import type { ImageModel } from '../imagegen/models.ts';
import { headerBytesMax, type ImageFacts, sniffImage } from '../images/imageFormat.ts';
import { findGeneration } from './record.ts';
import type { Step } from './steps.ts';

/** Longest body of `generate`, bytes: the references in base64 (see `referenceBytesMax`), and the rest. */
export const generateBodyBytesMax = 19_500_000;

/** @throws {Failure} INVALID_REQUEST for too many references, or for one that is not a PNG, JPEG or WebP. */
export function checkReferences({ references }: GenerateRequest, models: readonly ImageModel[]): void {
  // Not of the first model alone: if it is closed, `account` offers what the next one can do.
  const referencesMax = Math.max(0, ...models.map((model) => model.referenceImagesMax));
  if (references.length > referencesMax) {
    const description = `must have at most ${referencesMax} images with this model`;
    throw invalidRequest([{ field: 'references', description }]);
  }
  const violations = references.flatMap((reference, i): FieldViolation[] => {
    const isImage = 'generationId' in reference || sniffBase64(reference.data) !== undefined;
    return isImage ? [] : [{ field: `references.${i}.data`, description: 'is no PNG, JPEG or WebP' }];
  });
  if (violations.length > 0) throw invalidRequest(violations);
}

/**
 * Loads the images that a request refers to. Those of the caller's gallery come from our own store.
 * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT, DATABASE_UNAVAILABLE; NOT_FOUND if one was deleted since the hold.
 */
export async function loadReferences({ services, uid, request, timeLeft }: Step): Promise<Reference[]> {
  const { database, retryCommit } = await services.ledger();
  const millisecondsLeft = timeLeft();
  return Promise.all(
    request.references.map(async (reference) => {
      if ('data' in reference) return toReference(reference.data);
      const { record } = await retryCommit(undefined, () =>
        findGeneration(database, uid, reference.generationId),
      );
      if (!record?.image) throw new Failure('NOT_FOUND', 'There is no such image to refer to.');
      const images = await services.imageStore();
      const bytes = await images.fetch(record.image.url, millisecondsLeft, services.shutdown);
      return toReference(bytes.toString('base64'));
    }),
  );
}

/** The image type comes from the bytes, not from what was declared. */
function toReference(data: string): Reference {
  const facts = sniffBase64(data);
  if (!facts) throw new Failure('STORAGE_ERROR', 'A stored image cannot be read.');
  return { mimeType: facts.mimeType, data };
}

/** Decodes only as much of an image as shows its type. */
function sniffBase64(data: string): ImageFacts | undefined {
  return sniffImage(Buffer.from(data.slice(0, Math.ceil(headerBytesMax / 3) * 4), 'base64'));
}
