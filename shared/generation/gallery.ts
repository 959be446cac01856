import * as z from 'zod';
import { generationIdSchema } from '../contract/ids.ts';
import type { PageQuery } from '../contract/pages.ts';
import { parsePageToken, readPage, toNextPageToken } from '../database/pages.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { generationsPath, parseGeneration, toGeneration } from './record.ts';

// Firestore has no times before the year 1.
const timeSchema = z.iso.datetime().refine((time) => Date.parse(time) > 0);

/** One page of a user's finished images, newest first. @throws {Failure} INVALID_REQUEST for a page token of another list. */
export async function readGallery(
  ledger: Ledger,
  uid: string,
  { pageSize, pageToken }: PageQuery,
  publicUrl: string,
) {
  const token = pageToken && parsePageToken(pageToken, z.tuple([timeSchema, generationIdSchema]));
  const query = {
    collection: generationsPath(uid),
    where: [['status', '==', 'succeeded']] as const,
    orderBy: [
      ['createdAt', 'desc'],
      ['__name__', 'desc'],
    ] as const,
    ...(token && { after: [new Date(token[0]), token[1]] }),
  };
  const { items, last } = await readPage(ledger, pageSize, query, parseGeneration);
  const nextPageToken = toNextPageToken(last, ({ data, id }) => [data.createdAt, id]);
  return { generations: items.map((record) => toGeneration(record, publicUrl)), ...nextPageToken };
}
