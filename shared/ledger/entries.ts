/** The entries of an account: the document, and pages of them, newest first. */
import * as z from 'zod';
import { type Entry, entryTypeSchema } from '../contract/ledger.ts';
import type { PageQuery } from '../contract/pages.ts';
import { type DocumentPath, documentPath, type StoredDocument } from '../database/database.ts';
import { parsePageToken, readPage, toNextPageToken } from '../database/pages.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import type { Ledger } from './ledger.ts';

/** The fields of `accounts/{uid}/entries/{entryId}`: one movement of credits. */
export const entryDocumentSchema = z.object({
  sequence: z.int(),
  type: entryTypeSchema,
  amount: z.int(),
  /** The account's balance after it. */
  balance: z.int(),
  generationId: z.string().optional(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  createdAt: z.date(),
});
export type EntryData = z.infer<typeof entryDocumentSchema>;

export const entriesPath = (uid: string) => `accounts/${uid}/entries`;
export const entryPath = (uid: string, id: string): DocumentPath<EntryData> =>
  documentPath(`${entriesPath(uid)}/${id}`);

/** The ids of the debit of a generation, and of its refund. */
export const debitEntryId = (generationId: string) => `${generationId}:debit`;
export const refundEntryId = (generationId: string) => `${generationId}:refund`;

/** The id of the entry of the signup credits. */
const signupEntryId = 'signup';

/** The entries as their user sees them. @throws {Failure} INVALID_REQUEST for a page token of another list. */
export async function readEntries(ledger: Ledger, uid: string, { pageSize, pageToken }: PageQuery) {
  const after = pageToken && parsePageToken(pageToken, z.tuple([z.int()]));
  const query = {
    collection: entriesPath(uid),
    orderBy: [['sequence', 'desc']] as const,
    ...(after && { after }),
  };
  const { items: entries, last } = await readPage(ledger, pageSize, query, parseEntry);
  const nextPageToken = toNextPageToken(last, ({ data }) => [data.sequence]);
  return { entries, ...nextPageToken };
}

/** @throws {UnreadableDocument} */
export const parseEntry = (document: StoredDocument): Entry =>
  toEntry({ id: document.id, ...parseDocument(entryDocumentSchema, document) });

/**
 * An entry as its user sees it. Who moved the credits is for admins only, and so is the reason of their grants. A note is
 * meant for the user.
 */
export function toEntry({ id, createdAt, actor: _, reason, ...entry }: EntryData & { id: string }): Entry {
  const isForUser = entry.type === 'refund' || entry.type === 'adjustment' || id === signupEntryId;
  return {
    id,
    ...entry,
    ...(reason !== undefined && isForUser && { reason }),
    createdAt: createdAt.toISOString(),
  } as Entry;
}
