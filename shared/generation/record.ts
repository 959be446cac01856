/** A generation: its id, its document, and what the API shows of it. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { GenerateRequest } from '../contract/generate.ts';
import {
  ancestorsMax,
  type Generation,
  imageSchema,
  receiptSchema,
  statusSchema,
} from '../contract/generation.ts';
import { generationIdSchema } from '../contract/ids.ts';
import { aspectRatioSchema, orientationSchema, resolutionSchema, tierSchema } from '../contract/tiers.ts';
import { nextTurn } from '../core/turn.ts';
import {
  type Database,
  type DocumentPath,
  documentPath,
  isDocumentId,
  type StoredDocument,
  type Version,
} from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';

/** Why a generation was refunded: enough to repeat the same answer. */
export const storedFailureSchema = z.object({
  reason: z.string(),
  message: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type StoredFailure = z.infer<typeof storedFailureSchema>;

/** Part of the path of another document. */
const documentIdSchema = z.string().refine(isDocumentId);

export const generationDocumentSchema = z.object({
  status: statusSchema,
  /** The `attemptId` of the one call that may settle it. */
  owner: z.string(),
  /** By the database's clock. After it anyone may refund the generation. */
  deadline: z.date(),
  fingerprint: z.string(),
  tier: tierSchema,
  orientation: orientationSchema,
  /** Absent in a generation from before there was a choice: 1K. */
  resolution: resolutionSchema.optional(),
  /** Only if the request set one. */
  aspectRatio: aspectRatioSchema.optional(),
  credits: z.int().min(0),
  prompt: z.string().nullable(),
  enhancedPrompt: z.string().nullable(),
  /** What the user wrote before an improvement, if there is one. */
  originalPrompt: z.string().nullable().optional(),
  /** What its user marks images with that belong together. */
  group: z.string().nullable().optional(),
  /** The words by which a search finds it. Only a finished image has them. See `toWords`. */
  words: z.array(z.string()).nullable().optional(),
  /** True if its user has marked it. Only a finished image has it. */
  favourite: z.boolean().nullable().optional(),
  /** For an edit: the image that it changes, the one that that one changes, and so on, at most `ancestorsMax`. */
  ancestors: z.array(generationIdSchema).max(ancestorsMax).optional(),
  request: z.object({
    enhance: z.boolean(),
    fresh: z.boolean(),
    /** Hashes of the reference images. */
    references: z.array(z.string()),
  }),
  /** Positions of the images, the edited one first, of which the model got smaller versions. Absent if there are none. */
  reducedReferences: z.array(z.int()).optional(),
  /** What the model gave with its image, so that it remembers its work in the next turn. See `PreviousTurn`. */
  thoughtSignature: z.string().nullable().optional(),
  /** The model that was asked. */
  model: z.string().nullable(),
  /** The model that answered, if Google names another. */
  modelVersion: z.string().optional(),
  cached: z.boolean(),
  /** The generation that made its image: itself, unless the image came from the cache. */
  imageOwner: documentIdSchema.optional(),
  /** The generations that show the image that this one made. The image is deleted with the last of them. */
  sharers: z.array(z.string()).optional(),
  /** The key under which the cache may hold it. */
  cacheKey: documentIdSchema.nullable().optional(),
  /** The image's name in the store. It is known before the upload, so that a refund can delete the image. */
  publicId: z.string(),
  image: imageSchema.nullable(),
  /** The SHA-256 of the image's bytes. It stays when the image is deleted. */
  imageHash: z.string().optional(),
  /** The token of the share under which anyone can see the image. */
  shareToken: documentIdSchema.nullable().optional(),
  /** Set if the studio removed the image, with the reason that the user sees. */
  removedBy: z.literal('studio').optional(),
  removedReason: z.string().optional(),
  /** Until then a failed upload of its image may still arrive, and bring a deleted image back. Only if one failed. */
  lateUploadUntil: z.date().optional(),
  failure: storedFailureSchema.nullable(),
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: z.int().min(0),
  receipt: receiptSchema,
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
});
export type GenerationData = z.infer<typeof generationDocumentSchema>;

/** A generation as last read or written. */
export type GenerationRecord = Omit<GenerationData, 'owner'> & {
  id: string;
  uid: string;
  /** Identifies the call that holds it, so that a retry recognises its own hold. The document's `owner`. */
  attemptId: string;
  version: Version;
};

export const generationsPath = (uid: string) => `accounts/${uid}/generations`;
export const generationPath = (uid: string, id: string): DocumentPath<GenerationData> =>
  documentPath(`${generationsPath(uid)}/${id}`);

/** @throws {UnreadableDocument} */
export function parseGeneration(document: StoredDocument): GenerationRecord {
  const uid = document.path.split('/')[1] ?? '';
  const { id, version } = document;
  const data = parseDocument(generationDocumentSchema, document);
  // An admin may have edited the name of the image.
  const publicId = getMakerId({ ...data, id }) === id ? findPublicId(document) : undefined;
  return toRecord(uid, id, { ...data, publicId: publicId ?? data.publicId }, version);
}

export function toRecord(
  uid: string,
  id: string,
  { owner: attemptId, ...data }: GenerationData,
  version: Version,
): GenerationRecord {
  return { ...data, attemptId, id, uid, version };
}

/** @throws {UnreadableDocument} */
export async function findGeneration(
  database: Database,
  uid: string,
  id: string,
): Promise<GenerationRecord | undefined> {
  const [document] = (await database.read([generationPath(uid, id)])).documents;
  return document && parseGeneration(document);
}

/** The id of a user's generation under an Idempotency-Key. It never changes, and no other user can have it. */
export function hashGenerationId(uid: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, key]))
    .digest('hex')
    .slice(0, 32);
}

/** The name of one attempt's image in the store. Another attempt can neither replace nor delete that image. */
export const toPublicId = (id: string, attemptId: string) => `${id}/${attemptId}`;

/** The name in the store of the image that a generation has made, if its document still shows it. */
export function findPublicId({ id, data: { publicId, owner } }: StoredDocument): string | undefined {
  if (typeof publicId === 'string' && publicId.startsWith(`${id}/`)) return publicId;
  return typeof owner === 'string' ? toPublicId(id, owner) : undefined;
}

/** The id of the generation that made an image. The image's name has it; `imageOwner` counts if an admin has spoilt the name. */
export function getMakerId({
  id,
  imageOwner,
  publicId,
}: Pick<GenerationRecord, 'id' | 'imageOwner' | 'publicId'>): string {
  return generationIdSchema.safeParse(publicId.split('/')[0]).data ?? imageOwner ?? id;
}

/**
 * A hash of the request. It tells a reused key from a repeated call. It leaves out `originalPrompt`, which the first call
 * has stored.
 */
export function hashFingerprint(request: GenerateRequest): string {
  const { prompt, tier, orientation, enhance, fresh, editOf, group } = request;
  return hashJson({
    prompt,
    tier,
    orientation,
    enhance,
    fresh,
    references: request.references.map(hashReference),
    // JSON leaves out what is undefined, so that the fingerprints of other requests are as they always were.
    editOf,
    ...toHashedShape(request),
    group,
  });
}

/** Nothing for a request without them, so that a key of before there was a choice still gets its answer. */
const toHashedShape = ({ resolution, aspectRatio }: GenerateRequest) => ({
  ...(resolution !== '1K' && { resolution }),
  ...(aspectRatio && { aspectRatio }),
});

/** The cache's key for one user's request to the configured model. */
export function hashCacheKey(uid: string, modelId: string, request: GenerateRequest): string {
  const { prompt, tier, orientation, enhance, editOf } = request;
  const references = request.references.map(hashReference);
  const shape = toHashedShape(request);
  return hashJson({ uid, modelId, prompt, tier, orientation, enhance, references, editOf, ...shape });
}

type Reference = GenerateRequest['references'][number];

/**
 * The hashes of images in requests: several megabytes each, and a request needs them several times. `text` is that of the
 * base64, `image` that of the bytes.
 */
const imageHashes = new WeakMap<Reference, { text: string; image: string }>();
/** Letters of base64 that are hashed in one turn. A multiple of 4, so that the image is decoded in pieces. */
const hashLetters = 4_000_000;

/** Hashes the references of a request ahead of their use, so that other requests can go on in between. */
export async function hashReferences({ references }: GenerateRequest): Promise<void> {
  for (const reference of references) {
    if (!('data' in reference)) continue;
    // The JSON of the text, in which nothing of base64 is escaped.
    const text = createHash('sha256').update('"');
    const image = createHash('sha256');
    for (let from = 0; from < reference.data.length; from += hashLetters) {
      if (from > 0) await nextTurn();
      const letters = reference.data.slice(from, from + hashLetters);
      text.update(letters, 'latin1');
      image.update(letters, 'base64');
    }
    imageHashes.set(reference, { text: text.update('"').digest('hex'), image: image.digest('hex') });
  }
}

/** Represents a reference image in documents and hashes, in place of its bytes. */
export function hashReference(reference: Reference): string {
  if ('generationId' in reference) return `generation:${reference.generationId}`;
  return imageHashes.get(reference)?.text ?? hashJson(reference.data);
}

/** The SHA-256 of an image that a request carries; undefined for one of the gallery. */
export function hashInlineImage(reference: Reference): string | undefined {
  if ('generationId' in reference) return undefined;
  return (
    imageHashes.get(reference)?.image ?? createHash('sha256').update(reference.data, 'base64').digest('hex')
  );
}

const hashJson = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** The address at which the page of a share is. */
export const toShareUrl = (publicUrl: string, token: string) => `${publicUrl}/i/${token}`;

/** A generation as the API shows it, in every function. @param publicUrl where the studio is reached. */
export function toGeneration(record: Omit<GenerationRecord, 'version'>, publicUrl: string): Generation {
  const { id, status, tier, orientation, prompt, enhancedPrompt, model, cached, createdAt, image } = record;
  const { resolution = '1K', aspectRatio, shareToken, removedBy, removedReason } = record;
  const { originalPrompt, group, ancestors, reducedReferences, receipt } = record;
  const { references } = record.request;
  const parentId = ancestors?.[0];
  return {
    id,
    status,
    tier,
    orientation,
    resolution,
    ...(aspectRatio && { aspectRatio }),
    prompt,
    enhancedPrompt,
    ...(originalPrompt && { originalPrompt }),
    ...(parentId && { parentId }),
    ...(group && { group }),
    ...(reducedReferences && { reducedReferences }),
    ...(references.length > 0 && status !== 'deleted' && { references }),
    model,
    cached,
    credits: receipt.charged - receipt.refunded,
    createdAt: createdAt.toISOString(),
    image,
    favourite: record.favourite ?? false,
    ...(record.failure && { failure: { reason: record.failure.reason, message: record.failure.message } }),
    ...(shareToken && { shareUrl: toShareUrl(publicUrl, shareToken) }),
    ...(removedBy && { removedBy, removedReason }),
  };
}
