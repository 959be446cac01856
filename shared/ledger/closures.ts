/** The document of a closing: `closures/{uid}`. Pure. */
import * as z from 'zod';
import { type DocumentPath, documentPath, type StoredDocument } from '../database/database.ts';

/** The fields of `closures/{uid}`. It outlives a deletion of the account's document in the console. */
const closureSchema = z.object({
  /** `open`: Firebase Authentication has not known the user at least once. Nothing is closed. */
  status: z.enum(['open', 'closing', 'closed']),
  /** The user closed the account, or the user is gone. */
  cause: z.enum(['user', 'missing']),
  /** When the user was first missing. Absent if the user is back. */
  missingSince: z.date().optional(),
  /** The step of the closing that comes next. */
  step: z.string(),
  /** The last document that this step has handled; null if it has not begun. */
  after: z.string().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
});
export type ClosureData = z.infer<typeof closureSchema>;

export const closuresPath = 'closures';
export const closurePath = (uid: string): DocumentPath<ClosureData> => documentPath(`${closuresPath}/${uid}`);

/** A closure that an admin has spoilt begins again: every step may be repeated. */
const spoiltClosure = { status: 'closing', cause: 'user', step: '', after: null } as const;

export function parseClosure({ data }: StoredDocument): ClosureData {
  const { createdAt, updatedAt } = data;
  const times = { createdAt, updatedAt } as Pick<ClosureData, 'createdAt' | 'updatedAt'>;
  return closureSchema.safeParse(data).data ?? { ...spoiltClosure, ...times };
}

/** True if the account is closed, or is being closed. */
export const isClosure = (document: StoredDocument | undefined): boolean =>
  document !== undefined && parseClosure(document).status !== 'open';
