/** Pages of a user's own entries and images, newest first, by cursor. */
import * as z from 'zod';
import {
  type Entry,
  entryTypeSchema,
  type Generation,
  generationIdSchema,
  type PageQuery,
} from '../contract.ts';
import type { PageRequest, StoredDocument } from '../database/database.ts';
import { invalidRequest } from '../errors.ts';
import { readGeneration, showGeneration } from '../generation/record.ts';
import { accountPath, type Ledger } from './ledger.ts';

const entryDocumentSchema = z.object({
  sequence: z.int(),
  type: entryTypeSchema,
  amount: z.int(),
  balance: z.int(),
  generationId: z.string().optional(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  createdAt: z.date(),
});

/** @throws {Failure} INVALID_REQUEST for a page token that is not ours. */
export async function entryPage(ledger: Ledger, uid: string, { pageSize, pageToken }: PageQuery) {
  const after = pageToken && readToken(pageToken, z.tuple([z.int()]));
  const { items, nextPageToken } = await readPage(
    ledger,
    pageSize,
    {
      collection: `${accountPath(uid)}/entries`,
      orderBy: [['sequence', 'desc']],
      ...(after && { after }),
    },
    showEntry,
    (document) => [document.data.sequence],
  );
  return { entries: items, ...nextPageToken };
}

// Firestore has no times before the year 1.
const timeSchema = z.iso.datetime().refine((time) => Date.parse(time) > 0);

/** @throws {Failure} INVALID_REQUEST for a page token that is not ours. */
export async function galleryPage(ledger: Ledger, uid: string, { pageSize, pageToken }: PageQuery) {
  const token = pageToken && readToken(pageToken, z.tuple([timeSchema, generationIdSchema]));
  const { items, nextPageToken } = await readPage(
    ledger,
    pageSize,
    {
      collection: `${accountPath(uid)}/generations`,
      where: [['status', '==', 'succeeded']],
      orderBy: [
        ['createdAt', 'desc'],
        ['__name__', 'desc'],
      ],
      ...(token && { after: [new Date(token[0]), token[1]] }),
    },
    (document): Generation => showGeneration(readGeneration(document)),
    ({ data, id }) => [data.createdAt, id],
  );
  return { generations: items, ...nextPageToken };
}

/** One page, and the token of the next where there is one: one document more than asked for tells. */
async function readPage<T>(
  { database, retryCommit }: Ledger,
  pageSize: number,
  request: Omit<PageRequest, 'limit'>,
  show: (document: StoredDocument) => T,
  cursor: (document: StoredDocument) => unknown[],
) {
  const { documents } = await retryCommit(undefined, () =>
    database.page({ ...request, limit: pageSize + 1 }),
  );
  const last = documents.length > pageSize ? documents[pageSize - 1] : undefined;
  const nextPageToken = last && Buffer.from(JSON.stringify(cursor(last))).toString('base64url');
  return {
    items: documents.slice(0, pageSize).map(show),
    nextPageToken: nextPageToken ? { nextPageToken } : {},
  };
}

function readToken<T>(token: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw invalidRequest([{ field: 'pageToken', description: 'is not a page token of this list' }]);
  }
}

function showEntry({ id, data }: StoredDocument): Entry {
  const { createdAt, ...entry } = entryDocumentSchema.parse(data);
  return { id, ...entry, createdAt: createdAt.toISOString() } as Entry;
}
