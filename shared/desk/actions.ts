import * as z from 'zod';
import { type AdminActionView, adminActionSchema, deskItemsMax } from '../contract/desk.ts';
import type { StoredDocument } from '../database/database.ts';
import { readPage } from '../database/pages.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import type { Ledger } from '../ledger/ledger.ts';

const actionSchema = adminActionSchema.omit({ id: true }).extend({ createdAt: z.date() });

/** @throws {UnreadableDocument} */
function parseAction(document: StoredDocument): AdminActionView {
  const { createdAt, ...action } = parseDocument(actionSchema, document);
  return { id: document.id, ...action, createdAt: createdAt.toISOString() };
}

/** The newest things that admins did, newest first. @param uid the user whom they concern; undefined for all. */
export async function readActions(ledger: Ledger, uid?: string): Promise<AdminActionView[]> {
  const query = {
    collection: 'adminActions',
    ...(uid !== undefined && { where: [['uid', '==', uid]] as const }),
    orderBy: [['createdAt', 'desc']] as const,
  };
  return (await readPage(ledger, deskItemsMax, query, parseAction)).items;
}
