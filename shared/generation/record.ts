/** A generation: its id, its document, and how it is shown. Pure. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import {
  type GenerateRequest,
  type Generation,
  imageSchema,
  orientationSchema,
  receiptSchema,
  statusSchema,
  tierSchema,
} from '../contract.ts';
import type { StoredDocument, Version } from '../database/database.ts';

/** The failure a refunded generation ended in: enough to answer the same again. */
export const storedFailureSchema = z.object({
  reason: z.string(),
  message: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type StoredFailure = z.infer<typeof storedFailureSchema>;

const generationDocumentSchema = z.object({
  status: statusSchema,
  /** The token of the one call that may settle it. */
  owner: z.string(),
  /** Absolute, by the database's clock; past it anybody may refund. */
  deadline: z.date(),
  fingerprint: z.string(),
  tier: tierSchema,
  orientation: orientationSchema,
  credits: z.int().min(0),
  prompt: z.string().nullable(),
  enhancedPrompt: z.string().nullable(),
  request: z.object({
    enhance: z.boolean(),
    fresh: z.boolean(),
    /** Hashes of the reference images. */
    references: z.array(z.string()),
  }),
  model: z.string().nullable(),
  cached: z.boolean(),
  /** The generation that painted its image: itself, unless it came from the cache. */
  imageOwner: z.string().optional(),
  /** Who shows the image that this one painted; the last to be deleted takes it along. */
  sharers: z.array(z.string()).optional(),
  /** Where the cache may hold it. */
  cacheKey: z.string().nullable().optional(),
  /** Its name in the image store, known before the upload so that whoever refunds can delete it. */
  publicId: z.string(),
  image: imageSchema.nullable(),
  failure: storedFailureSchema.nullable(),
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: z.int().min(0),
  receipt: receiptSchema,
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
});
export type GenerationData = z.infer<typeof generationDocumentSchema>;

/** A generation as last read. */
export type GenerationRecord = GenerationData & { id: string; uid: string; version: Version };

/** Where a user's generation stands in the database. */
export const generationPath = (uid: string, id: string) => `accounts/${uid}/generations/${id}`;

/** The generation in a document. @throws {z.ZodError} where somebody edited it beyond recognition. */
export function readGeneration(document: StoredDocument): GenerationRecord {
  const uid = document.path.split('/')[1] ?? '';
  return {
    ...generationDocumentSchema.parse(document.data),
    id: document.id,
    uid,
    version: document.version,
  };
}

/** The id of a user's generation under an Idempotency-Key: the same for ever, and nobody else's. */
export function hashGenerationId(uid: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, key]))
    .digest('hex')
    .slice(0, 32);
}

/** The name of one worker's image in the store: another worker's upload can neither replace nor delete it. */
export const toPublicId = (id: string, owner: string) => `${id}/${owner}`;

/** A hash of what was asked for, by which a reused key is told from a repeated call. */
export function hashFingerprint(request: GenerateRequest): string {
  const { prompt, tier, orientation, enhance, fresh } = request;
  return hashJson({
    prompt,
    tier,
    orientation,
    enhance,
    fresh,
    references: request.references.map(referenceHash),
  });
}

/** Under which key the cache holds what a user gets for a request from the configured model. */
export function hashCacheKey(uid: string, modelId: string, request: GenerateRequest): string {
  const { prompt, tier, orientation, enhance } = request;
  const references = request.references.map(referenceHash);
  return hashJson({ uid, modelId, prompt, tier, orientation, enhance, references });
}

/** What stands for a reference image in documents and hashes; its bytes never do. */
export function referenceHash(reference: GenerateRequest['references'][number]): string {
  return 'generationId' in reference ? `generation:${reference.generationId}` : hashJson(reference.data);
}

const hashJson = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** A generation as every function shows it. */
export function showGeneration(record: GenerationRecord): Generation {
  const { id, status, tier, orientation, prompt, enhancedPrompt, model, cached, createdAt, image } = record;
  return {
    id,
    status,
    tier,
    orientation,
    prompt,
    enhancedPrompt,
    model,
    cached,
    createdAt: createdAt.toISOString(),
    image,
    ...(record.failure && { failure: { reason: record.failure.reason, message: record.failure.message } }),
  };
}
