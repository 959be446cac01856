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
  setDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { parseReadable } from '../database/spoiltDocuments.ts';
import type { Documents } from '../ledger/changeAccount.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createOutboxItem, toOutboxItem } from './outbox.ts';
import {
  findGeneration,
  type GenerationData,
  type GenerationRecord,
  generationPath,
  generationsPath,
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
  const [source] = parseReadable(log, document ? [document] : [], parseGeneration);
  if (source?.status !== 'succeeded' || source.image === null) return undefined;
  // Only the generation that made an image keeps the list of those that show it.
  const isMaker = (source.imageOwner ?? source.id) === source.id;
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
  const { image, model, modelVersion, enhancedPrompt, publicId, id, lateUploadUntil } = source;
  return {
    image,
    model,
    ...(modelVersion && { modelVersion }),
    enhancedPrompt,
    publicId,
    imageOwner: id,
    ...(lateUploadUntil && { lateUploadUntil }),
  } satisfies Partial<GenerationData>;
}

/**
 * Plans what deleting a succeeded generation does to its image: nothing while a twin shows it, otherwise the outbox.
 * @returns `own`: fields for the generation's own update; `orphaned`: the generation whose image is to be deleted.
 */
export async function unshareImage(
  { database }: Ledger,
  record: GenerationRecord,
  now: Date,
): Promise<{
  own: Pick<Partial<GenerationData>, 'sharers'>;
  writes: Write[];
  orphaned: GenerationRecord | undefined;
}> {
  const makerId = record.imageOwner ?? record.id;
  const maker = makerId === record.id ? record : (await findGeneration(database, record.uid, makerId)).record;
  const toOutbox = (orphaned: GenerationRecord | undefined) =>
    orphaned ? [createOutboxItem(toOutboxItem(orphaned, now))] : [];
  if (!maker) {
    const orphaned = (await isShownByAnother(database, record, makerId)) ? undefined : record;
    return { own: {}, writes: toOutbox(orphaned), orphaned };
  }
  const sharers = getSharers(maker).filter((id) => id !== record.id);
  const orphaned = sharers.length === 0 ? { ...maker, status: 'deleted' as const } : undefined;
  if (maker === record) return { own: { sharers }, writes: toOutbox(orphaned), orphaned };
  const update = updateDocument(generationPath(maker.uid, maker.id), { sharers }, maker.version);
  return { own: {}, writes: [update, ...toOutbox(orphaned)], orphaned };
}

/** True if a twin shows the same image although the list is gone: an admin has deleted the document that held it. */
async function isShownByAnother(database: Database, { uid, id }: GenerationRecord, makerId: string) {
  const { documents } = await database.page({
    collection: generationsPath(uid),
    where: [
      ['imageOwner', '==', makerId],
      ['status', '==', 'succeeded'],
    ],
    orderBy: [['__name__', 'asc']],
    limit: 2,
  });
  return documents.some((twin) => twin.id !== id);
}
