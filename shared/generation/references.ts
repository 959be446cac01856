/** Reference images: what a user's request names, checked before any debit and fetched after it. */

import type { GenerateRequest } from '../contract.ts';
import { Failure, type FieldViolation, invalidRequest } from '../errors.ts';
import type { Reference } from '../imagegen/gemini.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import { headerBytesMax, type ImageFacts, sniffImage } from '../images/imageFormat.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { generationPath, readGeneration } from './record.ts';

/**
 * The most that the body of `generate` can be: its references in base64, and the rest. Bytes.
 * @see referenceBytesMax
 */
export const generateBodyBytesMax = 19_500_000;

/** @throws {Failure} INVALID_REQUEST for too many, or for one that is no PNG, JPEG or WebP. */
export function checkReferences({ references }: GenerateRequest, referencesMax: number): void {
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
 * The images that a request refers to; those of the caller's gallery come from our own store.
 * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT, DATABASE_UNAVAILABLE, NOT_FOUND where one was deleted meanwhile.
 */
export async function loadReferences(
  { references }: GenerateRequest,
  uid: string,
  { database, retryCommit }: Ledger,
  images: () => Promise<ImageStore>,
  millisecondsLeft: number,
  signal: AbortSignal,
): Promise<Reference[]> {
  return Promise.all(
    references.map(async (reference) => {
      if ('data' in reference) return sniffed(reference.data);
      const path = generationPath(uid, reference.generationId);
      const { documents } = await retryCommit(undefined, () => database.read([path]));
      const image = documents[0] && readGeneration(documents[0]).image;
      if (!image) throw new Failure('NOT_FOUND', 'There is no such image to refer to.');
      const bytes = await (await images()).fetch(image.url, millisecondsLeft, signal);
      return sniffed(bytes.toString('base64'));
    }),
  );
}

/** The type is what the bytes say, whatever was declared. */
function sniffed(data: string): Reference {
  const facts = sniffBase64(data);
  if (!facts) throw new Failure('STORAGE_ERROR', 'A stored image cannot be read.');
  return { mimeType: facts.mimeType, data };
}

/** Decodes no more of an image than tells what it is. */
function sniffBase64(data: string): ImageFacts | undefined {
  return sniffImage(Buffer.from(data.slice(0, Math.ceil(headerBytesMax / 3) * 4), 'base64'));
}
