import { parseReadable } from '../database/spoiltDocuments.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type GenerationRecord, generationPath, parseGeneration } from './record.ts';

/**
 * The images that an edit was made from, newest first, in one read. A deleted one is there without its words and image. One
 * that an admin has deleted or spoilt in the console is left out.
 * @returns undefined if the generation is no edit.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function readAncestors(
  { database, retryCommit, log }: Ledger,
  { uid, ancestors }: GenerationRecord,
): Promise<GenerationRecord[] | undefined> {
  if (ancestors === undefined) return undefined;
  const paths = ancestors.map((id) => generationPath(uid, id));
  const { documents } = await retryCommit(undefined, () => database.read(paths));
  return documents.flatMap((document) => parseReadable(log, document ? [document] : [], parseGeneration));
}
