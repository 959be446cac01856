/** Reference images: checked before the debit, loaded after it. */

import { countOf } from '../contract/describe.ts';
import type { GenerateRequest } from '../contract/generate.ts';
import { describeOtherFormat } from '../contract/references.ts';
import { nextTurn } from '../core/turn.ts';
import { Failure, type FieldViolation, invalidRequest, toFailure } from '../errors.ts';
import type { ImageModel } from '../imagegen/models.ts';
import type { PreviousTurn, Reference } from '../imagegen/previousTurn.ts';
import { headerBytesMax, type ImageFacts, sniffImage, sniffOtherFormat } from '../images/imageFormat.ts';
import { isWholeImage } from '../images/imageStructure.ts';
import { findGeneration } from './record.ts';
import {
  getSentBytesMax,
  type LoadedReferences,
  listImages,
  missingSource,
  planSizes,
  type Source,
  type Sources,
} from './sources.ts';
import type { Step } from './steps.ts';

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

/** The images that a model gets with a request: the edited one counts as a reference. */
export const countImages = ({ editOf, references }: GenerateRequest) =>
  references.length + (editOf === undefined ? 0 : 1);

/**
 * Refuses more references than any configured model takes. If the first model is closed, `account` offers what the next
 * one can do. Another configuration may allow more, so a replay comes first.
 */
export function refuseTooManyReferences(
  request: GenerateRequest,
  models: readonly ImageModel[],
): Failure | undefined {
  const referencesMax = Math.max(0, ...models.map((model) => model.referenceImagesMax));
  if (countImages(request) <= referencesMax) return undefined;
  const most = `must have at most ${countOf(referencesMax, 'image')} with this model`;
  const description = request.editOf === undefined ? most : `${most}, and the edited image is one of them`;
  return invalidRequest([{ field: 'references', description }]);
}

/** Refuses an image in the request itself that is larger than the model's API takes one. */
export function refuseLargeReferences(
  { references }: GenerateRequest,
  config: Parameters<typeof getSentBytesMax>[0],
): Failure | undefined {
  const bytesMax = getSentBytesMax(config);
  const violations = references.flatMap((reference, i): FieldViolation[] =>
    'data' in reference && Buffer.byteLength(reference.data, 'base64') > bytesMax
      ? [{ field: `references.${i}.data`, description: `must have at most ${countOf(bytesMax, 'byte')}` }]
      : [],
  );
  return violations.length > 0 ? invalidRequest(violations) : undefined;
}

/**
 * Loads the images of a request in their order, the edited one first. Those of the caller's gallery come from our own
 * store, and those that are too large for one request of the model as smaller versions.
 * @param sources the images of the gallery, as the hold has read them.
 * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT, DATABASE_UNAVAILABLE; NOT_FOUND if one was deleted since the hold.
 */
export async function loadReferences(step: Step, sources: Sources): Promise<LoadedReferences> {
  const { request, log, services } = step;
  const millisecondsLeft = step.timeLeft();
  const sentImages = listImages(request);
  const sentBytesMax = getSentBytesMax(services.config);
  const { smaller, smallerBytesMax } = planSizes(sentImages, sources, sentBytesMax);
  const references = await Promise.all(
    sentImages.map((image, position) => {
      if ('data' in image) return toReference(image.data);
      const source = sources.get(image.generationId);
      if (!source) throw missingSource();
      return loadSource(step, source, millisecondsLeft, smaller.has(position) ? smallerBytesMax : undefined);
    }),
  );
  const reducedReferences = [...smaller].sort((a, b) => a - b);
  if (reducedReferences.length > 0) log.add({ reducedReferences: reducedReferences.length });
  const parent = smaller.has(0) ? undefined : sources.get(request.editOf ?? '');
  const previousTurn = parent && toPreviousTurn(parent);
  return { references, reducedReferences, ...(previousTurn && { previousTurn }) };
}

/**
 * The turn in which a model made an image, if it can be sent back whole: an image that was made from others lacks those.
 * docs/completed/0019-thought-signatures.md says why.
 */
function toPreviousTurn(parent: Source): PreviousTurn | undefined {
  const { prompt, enhancedPrompt, model, thoughtSignature, ancestors, request } = parent;
  const sentPrompt = enhancedPrompt ?? prompt;
  if (!thoughtSignature || !model || sentPrompt === null) return undefined;
  if (ancestors !== undefined || request.references.length > 0) return undefined;
  return { modelId: model, prompt: sentPrompt, thoughtSignature };
}

/** @param bytesMax if it must be a smaller version: its most bytes. */
async function loadSource(
  { services, uid }: Step,
  { id, image }: Source,
  millisecondsLeft: number,
  bytesMax: number | undefined,
): Promise<Reference> {
  const { imageStore, shutdown } = services;
  try {
    const images = await imageStore();
    const bytes =
      bytesMax === undefined
        ? await images.fetch(image.url, millisecondsLeft, shutdown)
        : await images.fetchSmaller(image.url, bytesMax, millisecondsLeft, shutdown);
    return toReference(bytes.toString('base64'));
  } catch (error) {
    if (toFailure(error).reason !== 'STORAGE_ERROR') throw error;
    const { database, retryCommit } = await services.ledger();
    const record = await retryCommit(undefined, () => findGeneration(database, uid, id));
    throw record?.image ? error : missingSource();
  }
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
