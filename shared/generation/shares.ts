/**
 * Shares: a finished image may have an address under which anyone can see it. The page there shows a copy, stored under
 * the share's token, so that the image's own address stays private, and nothing is left when the share ends.
 */
import * as z from 'zod';
import { imageSchema } from '../contract/generation.ts';
import {
  type Database,
  type DocumentPath,
  documentPath,
  type StoredDocument,
  type Version,
  type Write,
} from '../database/database.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { createOutboxItem, type OutboxItem, toCopyItem } from './outbox.ts';
import type { GenerationData, GenerationRecord } from './record.ts';

const shareDocumentSchema = z.object({
  uid: z.string(),
  generationId: z.string(),
  /** The copy. Null until it is stored: nobody sees the share before. */
  image: imageSchema.nullable(),
  createdAt: z.date(),
});
type ShareData = z.infer<typeof shareDocumentSchema>;
export type ShareRecord = ShareData & { token: string; version: Version };

export const sharePath = (token: string): DocumentPath<ShareData> => documentPath(`shares/${token}`);

/** @throws {UnreadableDocument} */
export const parseShare = (document: StoredDocument): ShareRecord => ({
  ...parseDocument(shareDocumentSchema, document),
  token: document.id,
  version: document.version,
});

/**
 * Plans the end of a generation's share, if it has one.
 * @returns `own`: fields for the generation's own update, which must be in the same commit; `outboxItem`: the copy.
 */
export function endShare(
  { uid, id, shareToken }: Pick<GenerationRecord, 'uid' | 'id' | 'shareToken'>,
  now: Date,
): { own: Pick<Partial<GenerationData>, 'shareToken'>; writes: Write[]; outboxItems: OutboxItem[] } {
  if (!shareToken) return { own: {}, writes: [], outboxItems: [] };
  const item = toCopyItem({ uid, generationId: id, shareToken }, now);
  return {
    own: { shareToken: null },
    writes: [{ delete: sharePath(shareToken) }, createOutboxItem(item)],
    outboxItems: [item],
  };
}

/**
 * Plans the end of the shares of generations, and of further ones, which may be among those that the generations name.
 */
export function endShares(
  generations: readonly Pick<GenerationRecord, 'uid' | 'id' | 'shareToken'>[],
  further: readonly StoredDocument[],
  now: Date,
): { writes: Write[]; outboxItems: OutboxItem[] } {
  const unnamed = further.filter(({ id }) => !generations.some(({ shareToken }) => shareToken === id));
  const ends = [
    ...generations.map((one) => endShare(one, now)),
    ...unnamed.map((share) => endFoundShare(share, now)),
  ];
  return {
    writes: ends.flatMap(({ writes }) => writes),
    outboxItems: ends.flatMap(({ outboxItems }) => outboxItems),
  };
}

/** The public shares of some generations by themselves: the generations' documents may be deleted or spoilt. */
export async function findShares(
  database: Database,
  uid: string,
  generationIds: readonly string[],
): Promise<StoredDocument[]> {
  const shares: StoredDocument[] = [];
  for (let from = 0; from < generationIds.length; from += valuesMax) {
    const { documents } = await database.page({
      collection: 'shares',
      where: [['generationId', 'in', generationIds.slice(from, from + valuesMax)]],
      orderBy: [['__name__', 'asc']],
      limit: sharesMax,
    });
    shares.push(...documents.filter(({ data }) => data.uid === uid && isPublic(data)));
  }
  return shares;
}

/** Values that Firestore compares a field with in one query. */
const valuesMax = 30;
/** Most shares of so many generations: each has one. */
const sharesMax = 100;

/** A share without its copy is not public yet. Its outbox item ends it. */
const isPublic = ({ image }: StoredDocument['data']) => image !== null && image !== undefined;

/** Plans the end of a share as its own document names it. */
export function endFoundShare({ id, data }: StoredDocument, now: Date): ReturnType<typeof endShare> {
  if (!isPublic(data)) return { own: {}, writes: [], outboxItems: [] };
  return endShare({ uid: String(data.uid), id: String(data.generationId), shareToken: id }, now);
}
