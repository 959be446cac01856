/**
 * The cache: the same request by the same user returns the finished image again, as a new generation that costs
 * nothing. Generations with the same image are called twins. The generation that made the image lists them, and the
 * image is deleted with the last of them.
 */
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import {
  type Database,
  type DocumentPath,
  documentPath,
  isDocumentId,
  type PageRequest,
  type StoredDocument,
  setDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { parseIfReadable } from '../database/spoiltDocuments.ts';
import type { Documents } from '../ledger/command.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutboxItem, toOutboxItem } from './outbox.ts';
import {
  type GenerationData,
  type GenerationRecord,
  generationPath,
  generationsPath,
  getMakerId,
  parseGeneration,
} from './record.ts';
import { mayShow, parseOrRecover } from './recoverGeneration.ts';

/** Most twins of one image, because one document lists them. After that the image is made again. */
const sharersMax = 1_000;

const cacheItemSchema = z.object({ uid: z.string(), generationId: z.string(), expiresAt: z.date() });
type CacheItem = z.infer<typeof cacheItemSchema>;

export const cachePath = (key: string): DocumentPath<CacheItem> => documentPath(`cache/${key}`);

/** Puts a generation that has just succeeded into the cache. */
export function setCacheItem({ uid, id }: GenerationRecord, key: string, expiresAt: Date): Write {
  return setDocument(cachePath(key), { uid, generationId: id, expiresAt });
}

/**
 * The generation whose image the cache holds under a key.
 * @returns undefined if the item is missing, expired or its image gone or unreadable; `read` if the generation has not been read yet.
 */
export function findCachedSource(
  log: Log,
  uid: string,
  documents: Documents,
  key: string,
  now: Date,
): { source: GenerationRecord } | { read: string[] } | undefined {
  const item = cacheItemSchema.safeParse(documents.get(cachePath(key))?.data).data;
  if (!item || item.expiresAt <= now) return undefined;
  const path = generationPath(uid, item.generationId);
  if (!documents.has(path)) return { read: [path] };
  const document = documents.get(path);
  const source = parseIfReadable(log, document, parseGeneration);
  if (source?.status !== 'succeeded' || source.image === null) return undefined;
  // Only the generation that made an image keeps the list of those that show it.
  const isMaker = getMakerId(source) === source.id;
  return isMaker && (source.sharers ?? []).length < sharersMax ? { source } : undefined;
}

/**
 * Adds a twin to those that show a generation's image. A list that was missing lacks the generation itself, and is not
 * believed.
 */
export function shareImage(source: GenerationRecord, twinId: string): Write {
  const sharers = [...(source.sharers ?? []), twinId];
  return updateDocument(generationPath(source.uid, source.id), { sharers }, source.version);
}

/** What a twin takes from the generation that made its image. */
export function toSharedFields(source: GenerationRecord) {
  const { image, imageHash, model, modelVersion, enhancedPrompt, publicId, id, lateUploadUntil } = source;
  const { reducedReferences, thoughtSignature } = source;
  return {
    image,
    ...(imageHash && { imageHash }),
    model,
    ...(modelVersion && { modelVersion }),
    enhancedPrompt,
    ...(reducedReferences && { reducedReferences }),
    ...(thoughtSignature && { thoughtSignature }),
    publicId,
    imageOwner: id,
    ...(lateUploadUntil && { lateUploadUntil }),
  } satisfies Partial<GenerationData>;
}

/** What deleting a succeeded generation does to its image. */
export type Unsharing = {
  /** Fields for the generation's own update. */
  own: Pick<Partial<GenerationData>, 'sharers'>;
  writes: Write[];
  /** The generation whose image is to be deleted. */
  orphaned: GenerationRecord | undefined;
};

/**
 * Plans what deleting a succeeded generation does to its image: nothing while a twin shows it, otherwise the outbox. The
 * writes hold only while that twin is as it was read: of two twins that are deleted at once, each of which takes the other
 * for the last one, one commit is rejected and decides again.
 */
export async function unshareImage(ledger: Ledger, record: GenerationRecord, now: Date): Promise<Unsharing> {
  const { database, log } = ledger;
  const { uid, id } = record;
  const makerId = getMakerId(record);
  const isMaker = makerId === id;
  const other = isMaker ? undefined : await readGeneration(database, uid, makerId);
  const maker = isMaker ? record : parseOrRecover(log, other);
  const sharers = maker?.sharers?.filter((one) => one !== id);
  // An admin may have removed or spoilt the list. It is believed only if it names its own generation, and no other.
  const isAlone = isMaker && sharers?.length === 0 && record.sharers?.includes(id);
  const twin = isAlone ? undefined : await findOtherTwin(database, record, other, makerId, sharers ?? []);

  const orphaned = twin ? undefined : { ...(maker ?? record), status: 'deleted' as const };
  const writes = orphaned ? [createOutboxItem(toOutboxItem(orphaned, now))] : [];
  const fencesMaker = !isMaker && maker && sharers;
  if (fencesMaker) writes.push(updateDocument(generationPath(uid, makerId), { sharers }, maker.version));
  if (twin && !(fencesMaker && twin.id === makerId)) writes.push(expectTwin(uid, twin, makerId));
  return { own: isMaker ? { sharers: sharers ?? [] } : {}, writes, orphaned };
}

const readGeneration = async (database: Database, uid: string, id: string) =>
  (await database.read([generationPath(uid, id)])).documents[0];

/** A document that may hold anything else. */
type Twin = Pick<StoredDocument, 'id' | 'version'>;

/** Changes nothing but an `imageOwner` that an admin has spoilt, and fails if the twin has changed. */
const expectTwin = (uid: string, { id, version }: Twin, imageOwner: string): Write =>
  updateDocument(generationPath(uid, id), { imageOwner }, version);

/**
 * Another generation that shows the same image. The list of the maker is not enough: an admin may have deleted documents,
 * the maker's too. Nor is the query: an admin may have spoilt the fields that it needs.
 * @param sharers the others that the list names.
 */
async function findOtherTwin(
  database: Database,
  { uid, id }: GenerationRecord,
  maker: StoredDocument | undefined,
  makerId: string,
  sharers: readonly string[],
): Promise<Twin | undefined> {
  if (maker && mayShow(maker, makerId)) return maker;
  const { documents } = await database.page(shownImages(uid, makerId, 2));
  const twin = documents.find((document) => document.id !== id);
  return twin ?? (await findListed(database, uid, makerId, sharers))[0];
}

/** Those of a list of sharers that show the image, or may show it once an admin has corrected their documents. */
async function findListed(
  database: Database,
  uid: string,
  makerId: string,
  sharers: readonly string[],
): Promise<StoredDocument[]> {
  const paths = [...new Set(sharers)].filter(isDocumentId).map((id) => generationPath(uid, id));
  if (paths.length === 0) return [];
  const { documents } = await database.read(paths);
  return documents.filter((document) => document !== undefined).filter((one) => mayShow(one, makerId));
}

/** True if any generation shows the image that this one made. */
export async function isShown(
  { database, retryCommit }: Ledger,
  { uid, generationId }: { uid: string; generationId: string },
): Promise<boolean> {
  const { documents } = await retryCommit(undefined, () => database.page(shownImages(uid, generationId, 1)));
  return documents.length > 0;
}

/** What removing an image needs of a generation that shows it. */
export type ShownImage = Pick<
  GenerationRecord,
  | 'uid'
  | 'id'
  | 'version'
  | 'status'
  | 'failure'
  | 'shareToken'
  | 'cacheKey'
  | 'publicId'
  | 'lateUploadUntil'
  | 'imageHash'
>;

const shownImageSchema = z.object({
  shareToken: z.string().optional().catch(undefined),
  cacheKey: z.string().optional().catch(undefined),
  publicId: z.string().catch(''),
  lateUploadUntil: z.date().optional().catch(undefined),
  imageHash: z.string().optional().catch(undefined),
});

/**
 * The generation that made an image, if its document is still there, and all others that show the image: also those with
 * documents that an admin's edit has spoilt.
 */
export async function findTwins(
  ledger: Ledger,
  uid: string,
  makerId: string,
): Promise<{ maker: GenerationRecord | undefined; twins: ShownImage[] }> {
  const { database, log } = ledger;
  const maker = parseOrRecover(log, await readGeneration(database, uid, makerId));
  const { documents } = await database.page(shownImages(uid, makerId, sharersMax + 1));
  const found = new Set([makerId, ...documents.map(({ id }) => id)]);
  const listed = (maker?.sharers ?? []).filter((id) => !found.has(id));
  const twins = [...documents, ...(await findListed(database, uid, makerId, listed))].map(
    ({ id, version, data }): ShownImage => ({
      ...shownImageSchema.parse(data),
      uid,
      id,
      version,
      status: 'succeeded',
      failure: null,
    }),
  );
  return { maker, twins };
}

const shownImages = (uid: string, makerId: string, limit: number): PageRequest => ({
  collection: generationsPath(uid),
  where: [
    ['imageOwner', '==', makerId],
    ['status', '==', 'succeeded'],
  ],
  orderBy: [['__name__', 'asc']],
  limit,
});
