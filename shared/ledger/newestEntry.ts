import * as z from 'zod';
import { parseDocument, parseReadable } from '../database/spoiltDocuments.ts';
import type { NewestEntry } from './account.ts';
import { entriesPath } from './entries.ts';
import type { Ledger } from './ledger.ts';

const newestEntrySchema = z.object({ sequence: z.int().min(1), balance: z.int() });
/** Entries to look through if the newest one is unreadable. */
const furtherEntries = 20;

/** The newest readable entry of an account. */
export async function findNewestEntry(
  { database, log }: Ledger,
  uid: string,
): Promise<NewestEntry | undefined> {
  const query = { collection: entriesPath(uid), orderBy: [['sequence', 'desc']] as const };
  for (const limit of [1, furtherEntries]) {
    const { documents } = await database.page({ ...query, limit });
    const [newest] = parseReadable(log, documents, (document) => parseDocument(newestEntrySchema, document));
    if (newest || documents.length < limit) return newest;
  }
  return undefined;
}
