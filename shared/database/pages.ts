/** Pages of a query, by page token. */
import type * as z from 'zod';
import { invalidRequest } from '../errors.ts';
import type { Database, PageRequest, StoredDocument } from './database.ts';
import type { RetryCommit } from './retryCommit.ts';

export type Reader = { database: Database; retryCommit: RetryCommit };

/**
 * Reads one page, and one document more, which shows whether there is a next page.
 * @returns `last`: the page's last document, if there is a next page.
 */
export async function readPage(
  { database, retryCommit }: Reader,
  pageSize: number,
  request: Omit<PageRequest, 'limit'>,
): Promise<{ documents: StoredDocument[]; last: StoredDocument | undefined }> {
  const { documents } = await retryCommit(undefined, () =>
    database.page({ ...request, limit: pageSize + 1 }),
  );
  const page = documents.slice(0, pageSize);
  return { documents: page, last: documents.length > pageSize ? page.at(-1) : undefined };
}

/** The token of the page after `last`. @param cursor the values of its `orderBy` fields. */
export const toNextPageToken = (
  last: StoredDocument | undefined,
  cursor: (last: StoredDocument) => unknown[],
): { nextPageToken?: string } =>
  last ? { nextPageToken: Buffer.from(JSON.stringify(cursor(last))).toString('base64url') } : {};

/** @throws {Failure} INVALID_REQUEST for a token that does not fit `schema`. */
export function parsePageToken<T>(token: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw invalidRequest([{ field: 'pageToken', description: 'is not a page token of this list' }]);
  }
}
