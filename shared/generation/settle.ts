import type { Image } from '../contract/generation.ts';
import { serverTime, updateDocument } from '../database/database.ts';
import { Failure } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { setCacheItem } from './cache.ts';
import { getLastArrival } from './outbox.ts';
import { findGeneration, type GenerationRecord, generationPath } from './record.ts';
import { toWords } from './words.ts';

/** What a held generation becomes when its image is stored. */
export type GenerationResult = {
  model: string;
  modelVersion?: string;
  enhancedPrompt: string | null;
  /** See the record. */
  reducedReferences?: number[];
  thoughtSignature?: string;
  image: Image;
  /** The SHA-256 of the image's bytes. */
  imageHash: string;
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: number;
  /** Uploads of the image that failed before one succeeded. */
  failedUploads?: number;
  /** Until then the cache may return it again; used only if the generation has a cache key. */
  cacheUntil: Date;
};

/**
 * Makes a held generation succeed. It never touches the account: the hold's own version excludes everyone else who
 * could end this generation.
 * @param until the time of the clock's `elapsed` up to which it is tried at least: the image is finished and paid for.
 * @returns the generation as it is now: refunded or deleted if someone else ended it first.
 * @throws {Failure} DATABASE_UNAVAILABLE if the outcome is unknown; INTERNAL if an admin has deleted its document.
 */
export async function settle(
  { database, retryCommit }: Ledger,
  held: GenerationRecord,
  { cacheUntil, failedUploads = 0, ...result }: GenerationResult,
  until?: number,
): Promise<GenerationRecord> {
  const { uid, id, attemptId, cacheKey } = held;
  let isRetry = false;
  const commit = async () => {
    const record = isRetry ? await findGeneration(database, uid, id) : held;
    isRetry = true;
    if (!record) throw new Failure('INTERNAL', 'The generation is gone.');
    if (record.status !== 'pending' || record.attemptId !== attemptId) return record;
    const late = failedUploads > 0 ? { lateUploadUntil: getLastArrival(held) } : {};
    const data = { ...result, ...late, words: toWords(held), status: 'succeeded' as const };
    const version = await database.commit([
      updateDocument(generationPath(uid, id), { ...data, finishedAt: serverTime }, record.version),
      ...(cacheKey ? [setCacheItem(held, cacheKey, cacheUntil)] : []),
    ]);
    return { ...record, ...data, version };
  };
  return retryCommit<GenerationRecord>(undefined, commit, until);
}
