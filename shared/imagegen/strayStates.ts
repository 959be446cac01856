import type { Log } from '../core/log.ts';
import type { Reader } from '../database/pages.ts';
import { everyModel, parseQuotaState } from './quotaState.ts';

/** Most states to look through: one for each model that was ever configured. */
const statesMax = 100;

/**
 * Warnings about states that switch nothing off: somebody has misspelt the id in the console, or the model is not
 * configured any more. Logs the fields of every state that have a wrong type or name.
 */
export async function strayStateWarnings(
  { database, retryCommit, log }: Reader & { log: Log },
  { modelIds, prompt }: { modelIds: readonly string[]; prompt: { modelId: string } },
): Promise<string[]> {
  const known = [everyModel, ...modelIds, prompt.modelId];
  const query = { collection: 'quota', orderBy: [['__name__', 'asc']] as const, limit: statesMax };
  const { documents } = await retryCommit(undefined, () => database.page(query));
  return documents
    .map((document) => ({ id: document.id, ...parseQuotaState(document, log) }))
    .filter(({ id, state }) => state === 'off' && !known.includes(id))
    .map(({ id }) => `quota/${id} is off, but no model of this studio has that id: it switches nothing off`);
}
