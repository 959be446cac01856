/** A generation with a document that an edit in the console has spoilt or deleted. */
import { imageSchema, type Status, statusSchema } from '../contract/generation.ts';
import type { Log } from '../core/log.ts';
import type { StoredDocument } from '../database/database.ts';
import { parseIfReadable } from '../database/spoiltDocuments.ts';
import { Failure } from '../errors.ts';
import { getLastArrival } from './outbox.ts';
import {
  findPublicId,
  type GenerationData,
  type GenerationRecord,
  generationDocumentSchema,
  getMakerId,
  parseGeneration,
  storedFailureSchema,
  toRecord,
} from './record.ts';

/** What stands for the fields that a generation always has. Without an image it is as good as deleted. */
const harmlessData: GenerationData = {
  status: 'deleted',
  owner: '',
  deadline: new Date(0),
  fingerprint: '',
  tier: 'standard',
  orientation: 'landscape',
  credits: 0,
  prompt: null,
  enhancedPrompt: null,
  request: { enhance: false, fresh: false, references: [] },
  model: null,
  cached: false,
  publicId: '',
  image: null,
  failure: null,
  providerCostMicros: 0,
  receipt: { charged: 0, refunded: 0, balance: 0, sequence: 0 },
  createdAt: new Date(0),
  finishedAt: null,
};

/** A generation for a call that needs all of it. @throws {Failure} ACCOUNT_INVALID if its document is spoilt, which is logged. */
export function parseOrRefuse(log: Log, document: StoredDocument): GenerationRecord {
  const record = parseIfReadable(log, document, parseGeneration);
  if (!record) throw spoiltGeneration(document.id);
  return record;
}

/** A generation for a call that takes something away. A spoilt document is logged, and read as far as possible. */
export function parseOrRecover(log: Log, document: StoredDocument | undefined): GenerationRecord | undefined {
  const readable = parseIfReadable(log, document, parseGeneration);
  return readable ?? (document && recoverGeneration(document));
}

/** The refusal of a call that would have to guess what an admin has spoilt. */
export const spoiltGeneration = (generationId: string) =>
  new Failure('ACCOUNT_INVALID', 'The record of this generation must be corrected. Please contact support.', {
    metadata: { field: 'generations', generationId },
  });

/** A generation as far as its fields can be read, even if an admin has spoilt some of them. */
export function recoverGeneration(document: StoredDocument): GenerationRecord {
  const { path, id, data, version } = document;
  const { shape } = generationDocumentSchema;
  const read = (name: keyof GenerationData) => shape[name].safeParse(data[name]).data ?? harmlessData[name];
  const names = Object.keys(shape) as (keyof GenerationData)[];
  const fields = Object.fromEntries(names.map((name) => [name, read(name)])) as GenerationData;
  const { imageOwner, cached, publicId, lateUploadUntil, deadline } = fields;
  const isTwin = imageOwner === undefined ? cached : imageOwner !== id;
  const mayArriveLate = lateUploadUntil === undefined && data.lateUploadUntil !== undefined;
  return toRecord(
    path.split('/')[1] ?? '',
    id,
    {
      ...fields,
      status: findStatus(document) ?? harmlessData.status,
      publicId: isTwin ? publicId : (findPublicId(document) ?? ''),
      ...(mayArriveLate && { lateUploadUntil: getLastArrival({ deadline }) }),
    },
    version,
  );
}

/** The status, or what the other fields show if it is spoilt; undefined if they leave open whether it is still pending. */
function findStatus({ data: { status, image, failure, finishedAt } }: StoredDocument): Status | undefined {
  const readable = statusSchema.safeParse(status).data;
  if (readable) return readable;
  if (imageSchema.safeParse(image).success) return 'succeeded';
  if (storedFailureSchema.safeParse(failure).success) return 'refunded';
  return finishedAt instanceof Date ? 'deleted' : undefined;
}

/** True if a generation may hold credits, and its document does not show until when. */
export function mayHoldEndlessly(document: StoredDocument): boolean {
  const status = findStatus(document);
  return status === undefined || (status === 'pending' && !(document.data.deadline instanceof Date));
}

/** True if a generation shows the image that `makerId` made, or may show it once an admin has corrected its document. */
export function mayShow(document: StoredDocument, makerId: string): boolean {
  const status = findStatus(document) ?? 'succeeded';
  return status === 'succeeded' && getMakerId(recoverGeneration(document)) === makerId;
}

/** A generation of which only the id is left. */
export function recoverMissing(uid: string, id: string): Omit<GenerationRecord, 'version'> {
  const { owner: attemptId, ...data } = harmlessData;
  return { ...data, attemptId, uid, id };
}
