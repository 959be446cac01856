import { isDeepStrictEqual } from 'node:util';
import { type FieldUpdates, updateDocument, type Write } from '../database/database.ts';
import { recordErasure } from '../erasures/erasures.ts';
import { Failure } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { cachePath, unshareImage } from './cache.ts';
import { type OutboxItem, toOutboxItem } from './outbox.ts';
import { findGeneration, type GenerationData, type GenerationRecord, generationPath } from './record.ts';
import { expire, isExpired } from './refund.ts';
import { eraseFailure } from './response.ts';

/** A deleted generation, and its image if that has still to be deleted from the store. */
export type Deletion = { record: GenerationRecord; outboxItem?: OutboxItem };

/**
 * Deletes a generation's image and prompt for good, and what the model said of them. The same commit puts the image into
 * the outbox. The record, its entries and its key stay. A refunded generation stays refunded, and keeps its reason. May be
 * repeated.
 * @param isLogged false if the account is closed, and all of it is logged as one.
 * @throws {Failure} NOT_FOUND; IN_PROGRESS while it is pending; DATABASE_UNAVAILABLE.
 */
export async function deleteGeneration(
  ledger: Ledger,
  uid: string,
  id: string,
  isLogged = true,
): Promise<Deletion> {
  const { database, retryCommit } = ledger;
  return retryCommit(undefined, async () => {
    const { record: found, readTime: now } = await findGeneration(database, uid, id);
    if (!found) throw new Failure('NOT_FOUND', 'There is no such generation.');
    const record = isExpired(found, now) ? (await expire(ledger, found)).record : found;
    if (record.status === 'pending') {
      throw new Failure('IN_PROGRESS', 'This image is still being generated.', {
        retryAfterSeconds: 2,
        metadata: { generationId: id },
      });
    }
    const failure = record.failure && eraseFailure(record.failure);
    // A record that was erased before may still have the model's words.
    if (record.prompt === null && isDeepStrictEqual(failure, record.failure)) return { record };

    const erased = { prompt: null, enhancedPrompt: null, image: null, failure };
    const erase = async (data: Partial<GenerationData>, ...more: Write[]): Promise<GenerationRecord> => {
      const fields: FieldUpdates<GenerationData> = data;
      const version = await database.commit([
        updateDocument(generationPath(uid, id), fields, record.version),
        ...(record.cacheKey ? [{ delete: cachePath(record.cacheKey) }] : []),
        ...(isLogged ? [recordErasure({ kind: 'deletion', uid, generationId: id, at: now })] : []),
        ...more,
      ]);
      return { ...record, ...data, version };
    };
    if (record.status === 'refunded') return { record: await erase(erased) };
    const { own, writes, orphaned } = await unshareImage(ledger, record, now);
    const deleted = await erase({ ...erased, ...own, status: 'deleted' }, ...writes);
    return orphaned ? { record: deleted, outboxItem: toOutboxItem(orphaned, now) } : { record: deleted };
  });
}
