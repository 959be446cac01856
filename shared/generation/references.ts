/** Reference images: checked before the debit, loaded after it. */

import { countOf } from '../contract/describe.ts';
import type { GenerateRequest } from '../contract/generate.ts';
import { describeOtherFormat } from '../contract/references.ts';
import { nextTurn } from '../core/turn.ts';
import { Failure, type FieldViolation, invalidRequest } from '../errors.ts';
import type { Reference } from '../imagegen/gemini.ts';
import type { ImageModel } from '../imagegen/models.ts';
import { headerBytesMax, type ImageFacts, sniffImage, sniffOtherFormat } from '../images/imageFormat.ts';
import { isWholeImage } from '../images/imageStructure.ts';
import { findGeneration } from './record.ts';
import type { Step } from './steps.ts';

/** Longest body of `generate`, bytes: the references in base64 (see `referenceBytesMax`), and the rest. */
export const generateBodyBytesMax = 19_500_000;

/**
 * Checks what no configuration can change, so that it may come before the look-up of an earlier call with this key.
 * @throws {Failure} INVALID_REQUEST for a reference that is not a PNG, JPEG or WebP.
 */
export function checkFormats({ references }: GenerateRequest): void {
  const violations = references.flatMap((reference, i): FieldViolation[] => {
    if (!('data' in reference) || sniffBase64(reference.data)) return [];
    return [{ field: `references.${i}.data`, description: describeUnknown(reference.data) }];
  });
  if (violations.length > 0) throw invalidRequest(violations);
}

/** Refuses a reference that is cut off or broken. What counts as broken may change, so a replay comes first. */
export async function refuseBrokenReferences({ references }: GenerateRequest): Promise<Failure | undefined> {
  for (const [index, reference] of references.entries()) {
    if (!('data' in reference) || (await isWhole(reference.data))) continue;
    const message = `Reference image ${index + 1} cannot be read: the file is cut off or broken.`;
    return new Failure('REFERENCE_UNREADABLE', message, { metadata: { index: String(index) } });
  }
  return undefined;
}

async function isWhole(data: string): Promise<boolean> {
  if (data.length > headerLetters) await nextTurn();
  const facts = sniffBase64(data);
  return facts !== undefined && isWholeImage(facts.mimeType, decodeBase64(data));
}

function describeUnknown(data: string): string {
  const format = sniffOtherFormat(Buffer.from(data.slice(0, 16), 'base64'));
  return format ? describeOtherFormat(format) : 'is not a PNG, JPEG or WebP image';
}

/**
 * Refuses more references than any configured model takes. If the first model is closed, `account` offers what the next
 * one can do. Another configuration may allow more, so a replay comes first.
 */
export function refuseTooManyReferences(
  { references }: GenerateRequest,
  models: readonly ImageModel[],
): Failure | undefined {
  const referencesMax = Math.max(0, ...models.map((model) => model.referenceImagesMax));
  if (references.length <= referencesMax) return undefined;
  const description = `must have at most ${countOf(referencesMax, 'image')} with this model`;
  return invalidRequest([{ field: 'references', description }]);
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

const headerLetters = Math.ceil(headerBytesMax / 3) * 4;

/** Decodes only as much of an image as shows its type. */
function sniffBase64(data: string): ImageFacts | undefined {
  return sniffImage(Buffer.from(data.slice(0, headerLetters), 'base64'));
}

/** Decodes an image in chunks, so that only one is in memory at a time. */
export function* decodeBase64(data: string): Generator<Uint8Array> {
  for (let from = 0; from < data.length; from += headerLetters) {
    yield Buffer.from(data.slice(from, from + headerLetters), 'base64');
  }
}
