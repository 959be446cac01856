import { isDeepStrictEqual } from 'node:util';
import { type FieldUpdates, type StoredDocument, updateDocument, type Write } from '../database/database.ts';
import { recordErasure } from '../erasures/erasures.ts';
import { Failure } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { cachePath, unshareImage } from './cache.ts';
import { expireOverdue, isOverdue } from './expireSpoilt.ts';
import { type OutboxItem, toOutboxItem } from './outbox.ts';
import { type GenerationData, type GenerationRecord, generationPath } from './record.ts';
import { mayHoldEndlessly, parseOrRecover, spoiltGeneration } from './recoverGeneration.ts';
import { eraseFailure } from './response.ts';
import { endShares, findShares } from './shares.ts';

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
 * the outbox. The record, its entries and its key stay. A refunded generation stays refunded, and keeps its reason. A document
 * that an admin has spoilt is no obstacle. May be repeated.
 * @param isLogged false if the account is closed, and all of it is logged as one.
 * @throws {Failure} NOT_FOUND; IN_PROGRESS while it is pending; ACCOUNT_INVALID if a spoilt document leaves open whether it
 * is, or how its image is named; DATABASE_UNAVAILABLE.
 */
export async function deleteGeneration(
  ledger: Ledger,
  uid: string,
  id: string,
  isLogged = true,
): Promise<Deletion> {
  const { database, retryCommit, log } = ledger;
  return retryCommit(undefined, async () => {
    const { document, shares, now } = await readCurrent(ledger, uid, id);
    const record = parseOrRecover(log, document);
    if (!document || !record) throw new Failure('NOT_FOUND', 'There is no such generation.');
    if (mayHoldEndlessly(document)) throw spoiltGeneration(id);
    if (record.status === 'pending') {
      throw new Failure('IN_PROGRESS', 'This image is still being generated.', {
        retryAfterSeconds: 2,
        metadata: { generationId: id },
      });
    }
    const erased = eraseWords(record);
    // A record that was erased before may still have words that were kept then.
    const isErased = (Object.keys(erased) as (keyof typeof erased)[]).every((name) =>
      isDeepStrictEqual(erased[name], document.data[name] ?? null),
    );
    if (isErased && shares.length === 0) return { record, outboxItems: [] };

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
    if (orphaned?.publicId === '') throw spoiltGeneration(id);
    const ended = endShares([record], shares, now);
    const unshared = ended.writes.length > 0 && { shareToken: null };
    const deleted = await erase(
      { ...erased, ...own, ...unshared, status: 'deleted' },
      ...writes,
      ...ended.writes,
    );
    const images = orphaned ? [toOutboxItem(orphaned, now)] : [];
    return { record: deleted, outboxItems: [...images, ...ended.outboxItems] };
  });
}

/** A generation's document and shares, and the database's time. It is refunded first if its deadline has passed. */
async function readCurrent(
  ledger: Ledger,
  uid: string,
  id: string,
): Promise<{ document: StoredDocument | undefined; shares: StoredDocument[]; now: Date }> {
  const { database } = ledger;
  const read = () => database.read([generationPath(uid, id)]);
  const [found, shares] = await Promise.all([read(), findShares(database, uid, [id])]);
  const [document] = found.documents;
  if (!document || !isOverdue(document, found.readTime)) return { document, shares, now: found.readTime };
  await expireOverdue(ledger, document);
  const { documents, readTime } = await read();
  return { document: documents[0], shares, now: readTime };
}
