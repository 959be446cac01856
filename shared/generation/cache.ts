/**
 * The cache: the same request by the same user within its time is the finished image again, as a
 * generation of its own that costs nothing. Twins share one image; whoever painted it keeps their list, and
 * the last of them to be deleted takes the image along.
 */
import * as z from 'zod';
import type { Database, StoredDocument, Write } from '../database/database.ts';
import { accountPath, findGeneration, type Ledger } from '../ledger/ledger.ts';
import { orphan, outboxWrite } from './outbox.ts';
import { type GenerationRecord, generationPath } from './record.ts';

/** Most twins of one image: their list stands in one document. Then it is painted anew. */
const sharersMax = 1_000;

const itemSchema = z.object({ generationId: z.string(), expiresAt: z.date() });

export const cachePath = (key: string) => `cache/${key}`;

/** The cache item of a generation that has just been painted. */
export function cacheItem({ uid, id }: GenerationRecord, key: string, expiresAt: Date): Write {
  return { set: cachePath(key), data: { uid, generationId: id, expiresAt } };
}

/** The generation whose image a cache item still stands for; undefined where it is too old or gone. */
export async function cachedSource(
  { database }: Ledger,
  uid: string,
  document: StoredDocument | undefined,
  now: Date,
): Promise<GenerationRecord | undefined> {
  const item = document && itemSchema.safeParse(document.data).data;
  if (!item || item.expiresAt <= now) return undefined;
  const { record } = await findGeneration(database, uid, item.generationId);
  const isWhole = record?.status === 'succeeded' && record.image !== null;
  // Only who painted an image keeps the list of those that show it.
  const isOwner = (record?.imageOwner ?? record?.id) === record?.id;
  return isWhole && isOwner && getSharers(record).length < sharersMax ? record : undefined;
}

export const getSharers = ({ sharers, id }: GenerationRecord) => sharers ?? [id];

/** Adds a twin to those that show a generation's image. */
export function shareWrite(source: GenerationRecord, twin: string): Write {
  const data = { sharers: [...getSharers(source), twin] };
  return { update: generationPath(source.uid, source.id), data, at: source.version };
}

/**
 * What deleting a succeeded generation does to its image: nothing while a twin shows it, otherwise the
 * outbox. `own` are fields that the generation's own update has to carry.
 */
export async function unshare(
  { database }: Ledger,
  record: GenerationRecord,
  now: Date,
): Promise<{ own: { sharers?: string[] }; writes: Write[]; orphaned: GenerationRecord | undefined }> {
  const ownerId = record.imageOwner ?? record.id;
  const owner = ownerId === record.id ? record : (await findGeneration(database, record.uid, ownerId)).record;
  if (!owner) {
    const orphaned = (await isShownByAnother(database, record, ownerId)) ? undefined : record;
    return { own: {}, writes: orphaned ? [outboxWrite(orphan(orphaned, now))] : [], orphaned };
  }
  const sharers = getSharers(owner).filter((id) => id !== record.id);
  const orphaned = sharers.length === 0 ? { ...owner, status: 'deleted' as const } : undefined;
  const outbox = orphaned ? [outboxWrite(orphan(orphaned, now))] : [];
  if (owner === record) return { own: { sharers }, writes: outbox, orphaned };
  const update: Write = { update: generationPath(owner.uid, owner.id), data: { sharers }, at: owner.version };
  return { own: {}, writes: [update, ...outbox], orphaned };
}

/** Whether a twin shows the same image, where their list is gone: somebody has deleted its document in the console. */
async function isShownByAnother(database: Database, { uid, id }: GenerationRecord, ownerId: string) {
  const { documents } = await database.page({
    collection: `${accountPath(uid)}/generations`,
    where: [
      ['imageOwner', '==', ownerId],
      ['status', '==', 'succeeded'],
    ],
    orderBy: [['__name__', 'asc']],
    limit: 2,
  });
  return documents.some((twin) => twin.id !== id);
}

/** What a twin shows is its source's. */
export function shownBySource({ image, model, enhancedPrompt, publicId, id }: GenerationRecord) {
  return { image, model, enhancedPrompt, publicId, imageOwner: id };
}
