/** The append-only record of what admins did: `adminActions/{id}`, each written in the commit of the action. */
import { createDocument, type DocumentPath, documentPath, type Write } from './database.ts';

/** `createdAt` is the database's time. */
export type AdminAction = {
  action: 'suspend' | 'restore';
  /** Who did it: the admin's e-mail address or uid. */
  actor: string;
  /** The user whom it concerns. */
  uid: string;
  reason: string;
  createdAt: Date;
};

const adminActionPath = (id: string): DocumentPath<AdminAction> => documentPath(`adminActions/${id}`);

/** Records an action once. @param subject what it was done to: the id is `{action}:{subject}`. */
export const recordAdminAction = (subject: string, action: AdminAction): Write =>
  createDocument(adminActionPath(`${action.action}:${subject}`), action);
