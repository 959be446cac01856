/** The append-only record of what admins did: `adminActions/{id}`, each written in the commit of the action. */
import { createDocument, type DocumentPath, documentPath, type Write } from './database.ts';

/** `createdAt` is the database's time. */
export type AdminAction = {
  action: 'suspend' | 'restore' | 'takedown' | 'resolveReport' | 'grant';
  /** Who did it: the admin's uid, with the verified e-mail address if there is one. */
  actor: string;
  /** The user whom it concerns. */
  uid: string;
  /** The generation, if it concerns one. */
  generationId?: string;
  /** The credits of a grant. */
  amount?: number;
  reason: string;
  createdAt: Date;
};

/** @param subject what it was done to. */
export const adminActionPath = (action: AdminAction['action'], subject: string): DocumentPath<AdminAction> =>
  documentPath(`adminActions/${action}:${subject}`);

/** Records an action once. */
export const recordAdminAction = (subject: string, action: AdminAction): Write =>
  createDocument(adminActionPath(action.action, subject), action);
