import * as z from 'zod';
import type { GalleryQuery } from '../contract/generation.ts';
import { generationIdSchema } from '../contract/ids.ts';
import type { Filter } from '../database/database.ts';
import { parsePageToken, readPage, tokenTimeSchema, toNextPageToken } from '../database/pages.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type GenerationRecord, generationsPath, parseGeneration, toGeneration } from './record.ts';
import { toQueryWords } from './words.ts';

/** One page of a user's finished images, newest first. @throws {Failure} INVALID_REQUEST for a page token of another list. */
export async function readGallery(
  ledger: Ledger,
  uid: string,
  { pageSize, pageToken, query = '', favourite }: GalleryQuery,
  publicUrl: string,
) {
  const token = pageToken && parsePageToken(pageToken, z.tuple([tokenTimeSchema, generationIdSchema]));
  const words = toQueryWords(query);
  const isFound = (record: GenerationRecord) =>
    record.status === 'succeeded' && words.every((word) => record.words?.includes(word));
  const request = {
    collection: generationsPath(uid),
    where: [chooseFilter(words, favourite === 'true')],
    orderBy: [
      ['createdAt', 'desc'],
      ['__name__', 'desc'],
    ] as const,
    ...(token && { after: [new Date(token[0]), token[1]] }),
  };
  const { items, last } = await readPage(ledger, pageSize, request, parseGeneration, isFound);
  const nextPageToken = toNextPageToken(last, ({ data, id }) => [data.createdAt, id]);
  return { generations: items.map((record) => toGeneration(record, publicUrl)), ...nextPageToken };
}

/**
 * The one filter that an index serves; what else must be true is checked of each document. Favourites are few, and a
 * long word is rarer than a short one.
 */
function chooseFilter(words: readonly string[], favourite: boolean): Filter {
  if (favourite) return ['favourite', '==', true];
  const [longest] = words.toSorted((a, b) => b.length - a.length);
  return longest === undefined ? ['status', '==', 'succeeded'] : ['words', 'array-contains', longest];
}
