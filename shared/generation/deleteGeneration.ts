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
import { endShare } from './shares.ts';

/** A deleted generation, and the images that have still to be deleted from the store. */
export type Deletion = { record: GenerationRecord; outboxItems: OutboxItem[] };

/** What a generation loses with its image: its user's words, and what the model said of them. */
export const eraseWords = ({ failure }: Pick<GenerationRecord, 'failure'>) =>
  ({
    prompt: null,
    enhancedPrompt: null,
    originalPrompt: null,
    group: null,
    words: null,
    favourite: null,
    thoughtSignature: null,
    image: null,
    failure: failure && eraseFailure(failure),
  }) satisfies Partial<GenerationData>;

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
    const erased = eraseWords(record);
    // A record that was erased before may still have words that were kept then.
    const isErased = (Object.keys(erased) as (keyof typeof erased)[]).every((name) =>
      isDeepStrictEqual(erased[name], record[name] ?? null),
    );
    if (isErased) return { record, outboxItems: [] };

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
    if (record.status === 'refunded') return { record: await erase(erased), outboxItems: [] };
    const { own, writes, orphaned } = await unshareImage(ledger, record, now);
    const share = endShare(record, now);
    const deleted = await erase(
      { ...erased, ...own, ...share.own, status: 'deleted' },
      ...writes,
      ...share.writes,
    );
    const images = orphaned ? [toOutboxItem(orphaned, now)] : [];
    return { record: deleted, outboxItems: [...images, ...share.outboxItems] };
  });
}
