import { updateDocument } from '../database/database.ts';
import { Failure } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type GenerationRecord, generationPath } from './record.ts';
import { parseOrRefuse } from './recoverGeneration.ts';

/**
 * Marks a finished image as a favourite, or takes the mark away. May be repeated.
 * @throws {Failure} NOT_FOUND unless it is a finished image of this user; ACCOUNT_INVALID if its document is spoilt;
 * DATABASE_UNAVAILABLE.
 */
export function setFavourite(
  { database, retryCommit, log }: Ledger,
  uid: string,
  id: string,
  favourite: boolean,
): Promise<GenerationRecord> {
  return retryCommit(undefined, async () => {
    const [document] = (await database.read([generationPath(uid, id)])).documents;
    const record = document && parseOrRefuse(log, document);
    if (record?.status !== 'succeeded') throw new Failure('NOT_FOUND', 'There is no such image.');
    if ((record.favourite ?? false) === favourite) return record;
    const version = await database.commit([
      updateDocument(generationPath(uid, id), { favourite }, record.version),
    ]);
    return { ...record, favourite, version };
  });
}
