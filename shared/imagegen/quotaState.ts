/** The document of a model's state, as the functions write it and as an operator may have typed it. */
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import { type DocumentPath, documentPath, type StoredDocument } from '../database/database.ts';
import { logMistyped } from '../database/spoiltDocuments.ts';

/** An operator may type ` Off` in the console; it means `off`. */
const toLowerCase = (state: unknown) => (typeof state === 'string' ? state.trim().toLowerCase() : state);

const fields = {
  state: z.preprocess(toLowerCase, z.enum(['ready', 'exhausted', 'off']).default('ready')),
  reason: z.string().optional(),
  retryAt: z.date().optional(),
  /** How many times in a row the model failed for billing or because it is gone. */
  attempts: z.int().min(0).default(0),
  /** Until then other models are asked first: this one does not answer, or says that it needs long. */
  slowUntil: z.date().optional(),
};
export type QuotaState = z.infer<z.ZodObject<typeof fields>>;

/** The id of the state that applies to all models. */
export const everyModel = 'all';

export const ready: QuotaState = { state: 'ready', attempts: 0 };
type QuotaData = QuotaState & { updatedAt: Date };
export const quotaPath = (id: string): DocumentPath<QuotaData> => documentPath(`quota/${id}`);

/**
 * Reads a state; a model without a document is ready. It is read in the safe way: any other value of `state`, such as `disabled` or `false`, means `off`, and any other
 * field of a wrong type counts as missing. Such fields are logged, and those that nothing reads.
 */
export function parseQuotaState(document: StoredDocument | undefined, log: Log): QuotaState {
  if (!document) return ready;
  const parsed: Record<string, unknown> = { ...ready };
  const mistyped: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const typed = document.data[name];
    const { success, data } = field.safeParse(typed === null && name !== 'state' ? undefined : typed);
    if (success && data !== undefined) parsed[name] = data;
    if (success) continue;
    mistyped.push(name);
    if (name === 'state') parsed.state = 'off';
  }
  const unknown = Object.keys(document.data).filter(
    (name) => !Object.hasOwn(fields, name) && name !== 'updatedAt',
  );
  logMistyped(log, document, [...mistyped, ...unknown]);
  return parsed as QuotaState;
}
