import type { Write } from '../database/database.ts';
import { Failure } from '../errors.ts';
import { findGeneration, type Ledger } from '../ledger/ledger.ts';
import { cachePath, unshare } from './cache.ts';
import { type OutboxItem, orphan } from './outbox.ts';
import { type GenerationRecord, generationPath } from './record.ts';
import { expire, isExpired } from './refund.ts';

/** A removed generation, and its image where that has still to be deleted from the store. */
export type Removal = { record: GenerationRecord; outboxItem?: OutboxItem };

/**
 * Removes what a user made: image and prompt go for good, and in the same commit the image into the
 * outbox. What stays is the record that it was there, its entries and its key. May be repeated.
 * One that ended in a refund loses its prompt and stays refunded.
 * @throws {Failure} NOT_FOUND; IN_PROGRESS while it is being painted; DATABASE_UNAVAILABLE.
 */
export async function removeGeneration(ledger: Ledger, uid: string, id: string): Promise<Removal> {
  return ledger.retryCommit(undefined, async () => {
    const { record: found, readTime: now } = await findGeneration(ledger.database, uid, id);
    if (!found) throw new Failure('NOT_FOUND', 'There is no such generation.');
    const record = isExpired(found, now) ? (await expire(ledger, found)).record : found;
    if (record.status === 'pending') {
      throw new Failure('IN_PROGRESS', 'This image is still being painted.', {
        retryAfterSeconds: 2,
        metadata: { generationId: id },
      });
    }
    if (record.prompt === null) return { record };

    const erased = { prompt: null, enhancedPrompt: null, image: null };
    const erase = async (data: Partial<GenerationRecord>, ...more: Write[]) => {
      const version = await ledger.database.commit([
        { update: generationPath(uid, id), data, at: record.version },
        ...(record.cacheKey ? [{ delete: cachePath(record.cacheKey) }] : []),
        ...more,
      ]);
      return { ...record, ...data, version };
    };
    if (record.status === 'refunded') return { record: await erase(erased) };
    const { own, writes, orphaned } = await unshare(ledger, record, now);
    const removed = await erase({ ...erased, ...own, status: 'deleted' }, ...writes);
    return orphaned ? { record: removed, outboxItem: orphan(orphaned, now) } : { record: removed };
  });
}
