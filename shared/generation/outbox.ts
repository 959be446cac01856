/** The outbox: images to delete from the store. An item is written in the same commit that orphans its image. */
import * as z from 'zod';
import {
  createDocument,
  type Database,
  type DocumentPath,
  documentPath,
  removed,
  type StoredDocument,
  setDocument,
  updateDocument,
  type Write,
} from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { toFailure } from '../errors.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { GenerationRecord } from './record.ts';

/** How long after it was signed an upload may still arrive: Cloudinary's signatures are valid for an hour. Milliseconds. */
const uploadSignatureMs = 3_600_000;
/** Longest wait for one deletion, milliseconds. */
const destroyMsMax = 3_000;
/** Pause between deletions of an image that may still arrive, and before a retry of a failed one. Milliseconds. */
const repeatMs = 600_000;
const retryMs = 60_000;

const outboxItemSchema = z.object({
  uid: z.string(),
  generationId: z.string(),
  publicId: z.string(),
  createdAt: z.date(),
  /** The time of the next deletion. */
  dueAt: z.date(),
  /** Until then a late upload could bring the image back. */
  until: z.date(),
  /** Set if the image is the copy that this share shows. */
  shareToken: z.string().optional(),
  /** True while the share's copy is being stored: the item is due when that can no longer finish. */
  isUnfinished: z.boolean().optional(),
});
export type OutboxItem = z.infer<typeof outboxItemSchema>;

/** @param id of the generation that made the image, or the token of the share that shows it. */
export const outboxPath = (id: string): DocumentPath<OutboxItem> => documentPath(`outbox/${id}`);

const getItemPath = ({ shareToken, generationId }: OutboxItem) => outboxPath(shareToken ?? generationId);

/** @throws {UnreadableDocument} */
export const parseOutboxItem = (document: StoredDocument): OutboxItem =>
  parseDocument(outboxItemSchema, document);

type ImageRecord = Pick<
  GenerationRecord,
  'id' | 'uid' | 'publicId' | 'status' | 'deadline' | 'lateUploadUntil'
>;

/**
 * The item for a generation's orphaned image, due at once. A pending generation's upload may still be in progress. It
 * can arrive until its signature expires, and no worker signs an upload after its hold's deadline.
 */
export function toOutboxItem(record: ImageRecord, now: Date): OutboxItem {
  const { id, uid, publicId, status, lateUploadUntil = now } = record;
  const until = status === 'pending' ? getLastArrival(record) : lateUploadUntil > now ? lateUploadUntil : now;
  return { generationId: id, uid, publicId, createdAt: now, dueAt: now, until };
}

/** The name of a share's copy in the store. */
export const toCopyId = (shareToken: string) => `shares/${shareToken}`;

type Copy = { uid: string; generationId: string; shareToken: string };

/** The item for the copy of a share that has ended. Its only upload has succeeded, so that none can arrive late. */
export const toCopyItem = (copy: Copy, now: Date): OutboxItem => ({
  ...copy,
  publicId: toCopyId(copy.shareToken),
  createdAt: now,
  dueAt: now,
  until: now,
});

/** The item for a copy that is about to be stored. @param deadline after it no worker signs the upload. */
export const toUnfinishedCopyItem = (copy: Copy, now: Date, deadline: Date): OutboxItem => ({
  ...toCopyItem(copy, now),
  dueAt: deadline,
  until: new Date(deadline.getTime() + uploadSignatureMs),
  isUnfinished: true,
});

/** The last time at which an upload for a generation may arrive. */
export const getLastArrival = ({ deadline }: Pick<GenerationRecord, 'deadline'>): Date =>
  new Date(deadline.getTime() + uploadSignatureMs);

export const createOutboxItem = (item: OutboxItem): Write => createDocument(getItemPath(item), item);

/**
 * Ends a share whose copy is not finished. Then it cannot finish any more: its last commit needs the share's document. May
 * be repeated.
 * @returns the item of the copy, or undefined if the share has finished.
 */
export function endUnfinishedShare(
  { database, retryCommit }: { database: Database; retryCommit: Ledger['retryCommit'] },
  shareToken: string,
): Promise<OutboxItem | undefined> {
  const path = outboxPath(shareToken);
  return retryCommit(undefined, async () => {
    const { documents, readTime: dueAt } = await database.read([path]);
    const [document] = documents;
    if (!document) return undefined;
    const item = parseOutboxItem(document);
    if (!item.isUnfinished) return item;
    await database.commit([
      updateDocument(path, { isUnfinished: removed, dueAt }, document.version),
      // The commit that finishes the share needs this document.
      { delete: `shares/${shareToken}` },
    ]);
    const { isUnfinished: _, ...ended } = item;
    return { ...ended, dueAt };
  });
}

/** What became of an item's image. */
export type Deleted = 'deleted' | 'not there' | 'failed';

/** Deletes an item's image, and the item once no late upload can arrive. A failure is logged, and the item stays. */
export async function clearOutboxItem(
  ledger: Ledger,
  images: () => Promise<ImageStore>,
  found: OutboxItem,
  now: Date,
): Promise<Deleted> {
  const { database, log, retryCommit } = ledger;
  const { isUnfinished, shareToken } = found;
  const item = isUnfinished && shareToken ? await endUnfinishedShare(ledger, shareToken) : found;
  if (!item) return 'not there';
  const path = getItemPath(item);
  const postpone = (milliseconds: number): Write =>
    setDocument(path, { ...item, dueAt: new Date(now.getTime() + milliseconds) });
  try {
    const wasThere = await (await images()).destroy(item.publicId, destroyMsMax);
    const remainingMs = item.until.getTime() - now.getTime();
    const next: Write = remainingMs > 0 ? postpone(Math.min(repeatMs, remainingMs)) : { delete: path };
    await retryCommit(undefined, () => database.commit([next]));
    return wasThere ? 'deleted' : 'not there';
  } catch (error) {
    const { reason, details } = toFailure(error);
    log.warning('An image could not be deleted yet', {
      event: 'image_not_deleted',
      uid: item.uid,
      generationId: item.generationId,
      reason,
      cause: details.cause instanceof Error ? details.cause.message : undefined,
    });
    await retryCommit(undefined, () => database.commit([postpone(retryMs)]));
    return 'failed';
  }
}
