import type { Image } from '../contract.ts';
import { Failure } from '../errors.ts';
import { findGeneration, type Ledger } from '../ledger/ledger.ts';
import { cacheItem } from './cache.ts';
import { type GenerationRecord, generationPath } from './record.ts';

/** What a settled generation has to show for its price. */
export type Painted = {
  model: string;
  enhancedPrompt: string | null;
  image: Image;
  /** What the provider bills for it, micro-dollars. */
  providerCostMicros: number;
  /** Until when the cache may give it again; undefined: never. */
  cacheUntil?: Date;
};

/**
 * Makes a held generation the succeeded one that its price has paid for. It never touches the account:
 * the hold's own version fences it from everybody else who could end this generation.
 * Returns the generation as it then stands: refunded or deleted where somebody else was there first.
 * @throws {Failure} DATABASE_UNAVAILABLE when it is not known how it stands; INTERNAL where somebody has
 * deleted its document in the console.
 */
export async function settle(
  { database, retryCommit }: Ledger,
  held: GenerationRecord,
  { cacheUntil, ...painted }: Painted,
) {
  let known: GenerationRecord | undefined = held;
  return retryCommit<GenerationRecord>(undefined, async () => {
    const record = known ?? (await findGeneration(database, held.uid, held.id)).record;
    if (!record) throw new Failure('INTERNAL', 'The generation is gone.');
    if (record.status !== 'pending' || record.owner !== held.owner) return record;
    known = undefined;
    const data = { ...painted, status: 'succeeded' as const, finishedAt: new Date() };
    const version = await database.commit([
      { update: generationPath(held.uid, held.id), data, at: record.version },
      ...(held.cacheKey && cacheUntil ? [cacheItem(held, held.cacheKey, cacheUntil)] : []),
    ]);
    return { ...record, ...data, version };
  });
}
