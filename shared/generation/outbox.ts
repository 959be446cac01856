/** The outbox: images to delete from the store, written in the very commit that orphans them. */
import * as z from 'zod';
import type { StoredDocument, Write } from '../database/database.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { GenerationRecord } from './record.ts';

/** How long after its signing an upload is still accepted: Cloudinary's signatures live an hour. Milliseconds. */
const uploadSignatureMs = 3_600_000;
/** Longest wait for one deletion, milliseconds. */
const destroyMsMax = 5_000;
/** Between two deletions of an image that may still arrive, and before another try of one that failed. Milliseconds. */
const repeatMs = 600_000;
const retryMs = 60_000;

const itemSchema = z.object({
  uid: z.string(),
  generationId: z.string(),
  publicId: z.string(),
  createdAt: z.date(),
  /** When it is to be deleted next. */
  dueAt: z.date(),
  /** Until when an upload could still bring it back. */
  until: z.date(),
});
export type OutboxItem = z.infer<typeof itemSchema>;

export const outboxPath = (generationId: string) => `outbox/${generationId}`;

/** The item in an outbox document. */
export const readOutboxItem = ({ data }: StoredDocument): OutboxItem => itemSchema.parse(data);

/**
 * The item of a generation whose image nobody owns any more; due at once. Where its upload may still be
 * under way, one could arrive until its signature ends: no worker signs past its hold's deadline.
 */
export function orphan(record: GenerationRecord, now: Date): OutboxItem {
  const { id, uid, publicId, status, deadline } = record;
  const until = status === 'pending' ? new Date(deadline.getTime() + uploadSignatureMs) : now;
  return { generationId: id, uid, publicId, createdAt: now, dueAt: now, until };
}

export const outboxWrite = (item: OutboxItem): Write => ({
  create: outboxPath(item.generationId),
  data: item,
});

/**
 * Deletes an item's image, and the item too once no late upload can land any more.
 * A failure is logged and leaves the item for later. Returns whether there was an image to delete.
 */
export async function clearOutboxItem(
  { database, log, retryCommit }: Ledger,
  images: () => Promise<ImageStore>,
  item: OutboxItem,
  now: Date,
): Promise<boolean> {
  const path = outboxPath(item.generationId);
  const postpone = (milliseconds: number): Write => {
    const dueAt = new Date(now.getTime() + milliseconds);
    return { set: path, data: { ...item, dueAt } };
  };
  try {
    const wasThere = await (await images()).destroy(item.publicId, destroyMsMax);
    const remainingMs = item.until.getTime() - now.getTime();
    const next: Write = remainingMs > 0 ? postpone(Math.min(repeatMs, remainingMs)) : { delete: path };
    await retryCommit(undefined, () => database.commit([next]));
    return wasThere;
  } catch (error) {
    log.warning('An image could not be deleted yet', {
      generationId: item.generationId,
      error: String(error),
    });
    await retryCommit(undefined, () => database.commit([postpone(retryMs)]));
    return false;
  }
}
