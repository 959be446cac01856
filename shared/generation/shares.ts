/**
 * Shares: a finished image may have an address under which anyone can see it. The page there shows a copy, stored under
 * the share's token, so that the image's own address stays private, and nothing is left when the share ends.
 */
import * as z from 'zod';
import { imageSchema } from '../contract/generation.ts';
import {
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
