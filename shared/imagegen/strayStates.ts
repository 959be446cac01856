import type { Log } from '../core/log.ts';
import type { Reader } from '../database/pages.ts';
import { parseQuotaState } from './quotaState.ts';

/** Most states to look through: one for each model that was ever configured. */
const statesMax = 100;

/**
 * Warnings about states that switch nothing off: somebody has misspelt the id in the console, or the model is not
 * configured any more. Logs the fields of every state that have a wrong type or name.
 * @param known the ids that have a state.
 */
export async function strayStateWarnings(
  { database, retryCommit, log }: Reader & { log: Log },
  known: readonly string[],
): Promise<string[]> {
  const query = { collection: 'quota', orderBy: [['__name__', 'asc']] as const, limit: statesMax };
  const { documents } = await retryCommit(undefined, () => database.page(query));
  return documents
    .map((document) => ({ id: document.id, ...parseQuotaState(document, log) }))
    .filter(({ id, state }) => state === 'off' && !known.includes(id))
    .map(({ id }) => `quota/${id} is off, but no model of this studio has that id: it switches nothing off`);
}
