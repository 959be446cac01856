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
  return isMaker && getSharers(source).length < sharersMax ? { source } : undefined;
}

const getSharers = ({ sharers, id }: GenerationRecord) => sharers ?? [id];

/** Adds a twin to those that show a generation's image. */
export function shareImage(source: GenerationRecord, twinId: string): Write {
  const sharers = [...getSharers(source), twinId];
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
  const makerId = getMakerId(record);
  const maker = makerId === record.id ? record : await findMaker(ledger, record.uid, makerId);
  const sharers = maker && getSharers(maker).filter((id) => id !== record.id);
  // An admin may have removed or spoilt the list. It is believed only if it names this generation, and no other.
  const isAlone = sharers?.length === 0 && maker?.sharers?.includes(record.id);
  const twin = !isAlone ? await findOtherTwin(ledger.database, record, maker, makerId) : undefined;

  const orphaned = twin ? undefined : { ...(maker ?? record), status: 'deleted' as const };
  const writes = orphaned ? [createOutboxItem(toOutboxItem(orphaned, now))] : [];
  const isOwnList = maker === record;
  if (sharers && !isOwnList) writes.push(updateMaker(maker, sharers));
  // The maker's update is fenced already.
  if (twin && twin !== maker) writes.push(expectTwin(record.uid, twin, makerId));
  return { own: sharers && isOwnList ? { sharers } : {}, writes, orphaned };
}

/** Undefined as well if an admin has spoilt the document, which may show the image all the same: see `findOtherTwin`. */
async function findMaker({ database, log }: Ledger, uid: string, makerId: string) {
  const [document] = (await database.read([generationPath(uid, makerId)])).documents;
  return parseIfReadable(log, document, parseGeneration);
}

const updateMaker = ({ uid, id, version }: GenerationRecord, sharers: string[]): Write =>
  updateDocument(generationPath(uid, id), { sharers }, version);

/** A document that may hold anything else. */
type Twin = Pick<StoredDocument, 'id' | 'version'>;

/** Changes nothing, and fails if the twin has changed. */
const expectTwin = (uid: string, { id, version }: Twin, imageOwner: string): Write =>
  updateDocument(generationPath(uid, id), { imageOwner }, version);

/**
 * Another generation that shows the same image. The list of the maker is not enough: an admin may have deleted documents,
 * the maker's too.
 */
async function findOtherTwin(
  database: Database,
  { uid, id }: GenerationRecord,
  maker: GenerationRecord | undefined,
  makerId: string,
): Promise<Twin | undefined> {
  if (maker && maker.id !== id && maker.status === 'succeeded') return maker;
  const { documents } = await database.page(shownImages(uid, makerId, 2));
  return documents.find((document) => document.id !== id);
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
  const maker = await findMaker(ledger, uid, makerId);
  const { documents } = await ledger.database.page(shownImages(uid, makerId, sharersMax + 1));
  const twins = documents.map(
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
