/** Pages of a query, by page token. */
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import { invalidRequest } from '../errors.ts';
import type { Database, PageRequest, StoredDocument } from './database.ts';
import type { RetryCommit } from './retryCommit.ts';
import { parseReadable } from './spoiltDocuments.ts';

export type Reader = { database: Database; retryCommit: RetryCommit };

/** Most queries for one page, and the documents of each after the first, if documents must be left out. */
const queriesMax = 10;
/** The same if documents are left out that the caller does not want: a page reads about 300 documents. */
const filteredQueriesMax = 4;
const furtherDocuments = 100;

/**
 * Reads one page, and one document more, which shows whether there is a next page. Unreadable documents are left out and
 * logged; others take their places, so that every page but the last is full.
 * @param parse throws UnreadableDocument.
 * @param isWanted false for items to leave out. A page may then end before it is full; the next one goes on from there.
 * @returns `last`: the document after which the next page begins, if there is a next page.
 */
export async function readPage<T>(
  { database, retryCommit, log }: Reader & { log: Log },
  pageSize: number,
  request: Omit<PageRequest, 'limit'>,
  parse: (document: StoredDocument) => T,
  isWanted?: (item: T) => boolean,
): Promise<{ items: T[]; last: StoredDocument | undefined }> {
  const found: { item: T; document: StoredDocument }[] = [];
  let { after } = request;
  let limit = pageSize + 1;
  let lastReadable: StoredDocument | undefined;
  let isEnd = false;
  for (let queries = isWanted ? filteredQueriesMax : queriesMax; queries > 0; queries -= 1) {
    const page = { ...request, ...(after && { after }), limit };
    const { documents } = await retryCommit(undefined, () => database.page(page));
    const readable = parseReadable(log, documents, (document) => ({ item: parse(document), document }));
    found.push(...readable.filter(({ item }) => isWanted?.(item) ?? true));
    // An admin may have typed anything into the others, so that they cannot be the cursor of a page token.
    lastReadable = readable.at(-1)?.document ?? lastReadable;
    const lastRead = documents.at(-1);
    isEnd = documents.length < limit;
    if (!lastRead || isEnd || found.length > pageSize) break;
    after = getCursor(request, lastRead);
    limit = furtherDocuments;
  }
  const items = found.slice(0, pageSize).map(({ item }) => item);
  if (found.length > pageSize) return { items, last: found[pageSize - 1]?.document };
  return { items, last: isEnd ? undefined : lastReadable };
}

/** The values of a document after which the next page begins. An admin may have typed anything into its fields. */
const getCursor = ({ orderBy, group }: Omit<PageRequest, 'limit'>, { path, id, data }: StoredDocument) =>
  orderBy.map(([field]) => (field === '__name__' ? (group ? path : id) : data[field]));

/** The token of the page after `last`. @param cursor the values of its `orderBy` fields. */
export const toNextPageToken = (
  last: StoredDocument | undefined,
  cursor: (last: StoredDocument) => unknown[],
): { nextPageToken?: string } =>
  last ? { nextPageToken: Buffer.from(JSON.stringify(cursor(last))).toString('base64url') } : {};

/** A time in a page token. Firestore has no times before the year 1; an admin may have typed any other. */
export const tokenTimeSchema = z.iso.datetime().refine((time) => Date.parse(time) >= firstTime);
const firstTime = Date.parse('0001-01-01T00:00:00Z');

/** @throws {Failure} INVALID_REQUEST for a token that does not fit `schema`. */
export function parsePageToken<T>(token: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw invalidRequest([{ field: 'pageToken', description: 'is not a page token of this list' }]);
  }
}
