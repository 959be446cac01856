/** The outbox: images to delete from the store. An item is written in the same commit that orphans its image. */
import * as z from 'zod';
import {
  createDocument,
  type DocumentPath,
  documentPath,
  type StoredDocument,
  setDocument,
  type Write,
} from '../database/database.ts';
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
});
export type OutboxItem = z.infer<typeof outboxItemSchema>;

export const outboxPath = (generationId: string): DocumentPath<OutboxItem> =>
  documentPath(`outbox/${generationId}`);

export const parseOutboxItem = ({ data }: StoredDocument): OutboxItem => outboxItemSchema.parse(data);

/**
 * The item for a generation's orphaned image, due at once. A pending generation's upload may still be in progress. It
 * can arrive until its signature expires, and no worker signs an upload after its hold's deadline.
 */
export function toOutboxItem(record: GenerationRecord, now: Date): OutboxItem {
  const { id, uid, publicId, status, lateUploadUntil = now } = record;
  const until = status === 'pending' ? getLastArrival(record) : lateUploadUntil > now ? lateUploadUntil : now;
  return { generationId: id, uid, publicId, createdAt: now, dueAt: now, until };
}

/** The last time at which an upload for a generation may arrive. */
export const getLastArrival = ({ deadline }: Pick<GenerationRecord, 'deadline'>): Date =>
  new Date(deadline.getTime() + uploadSignatureMs);

export const createOutboxItem = (item: OutboxItem): Write =>
  createDocument(outboxPath(item.generationId), item);

/** What became of an item's image. */
export type Deleted = 'deleted' | 'not there' | 'failed';

/** Deletes an item's image, and the item once no late upload can arrive. A failure is logged, and the item stays. */
export async function clearOutboxItem(
  { database, log, retryCommit }: Ledger,
  images: () => Promise<ImageStore>,
  item: OutboxItem,
  now: Date,
): Promise<Deleted> {
  const path = outboxPath(item.generationId);
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
      generationId: item.generationId,
      reason,
      cause: details.cause instanceof Error ? details.cause.message : undefined,
    });
    await retryCommit(undefined, () => database.commit([postpone(retryMs)]));
    return 'failed';
  }
}
