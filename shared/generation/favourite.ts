import { updateDocument } from '../database/database.ts';
import { Failure } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { findGeneration, type GenerationRecord, generationPath } from './record.ts';

/**
 * Marks a finished image as a favourite, or takes the mark away. May be repeated.
 * @throws {Failure} NOT_FOUND unless it is a finished image of this user; DATABASE_UNAVAILABLE.
 */
export function setFavourite(
  { database, retryCommit }: Ledger,
  uid: string,
  id: string,
  favourite: boolean,
): Promise<GenerationRecord> {
  return retryCommit(undefined, async () => {
    const { record } = await findGeneration(database, uid, id);
    if (record?.status !== 'succeeded') throw new Failure('NOT_FOUND', 'There is no such image.');
    if ((record.favourite ?? false) === favourite) return record;
    const version = await database.commit([
      updateDocument(generationPath(uid, id), { favourite }, record.version),
    ]);
    return { ...record, favourite, version };
  });
}
