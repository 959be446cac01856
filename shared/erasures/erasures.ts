/**
 * Erasures that are not in the erasure log yet: `erasures/{id}`. Each is written in the commit that erases, and the sweep
 * logs it. So each is logged at least once, and a log that fails never fails a call.
 */
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import {
  type DocumentPath,
  documentPath,
  type StoredDocument,
  setDocument,
  type Write,
} from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import type { Reader } from '../database/pages.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';

const pageSize = 100;
/** Erasures that fail one after the other, after which the sweep leaves the rest to the next call. */
const failuresMax = 3;

const erasureSchema = z.object({
  /** `closing`: the whole account. `deletion`: one generation, by its user. `takedown`: one generation, by the studio. */
  kind: z.enum(['closing', 'deletion', 'takedown']),
  uid: z.string(),
  generationId: z.string().optional(),
  /** The database's time. */
  at: z.date(),
});
export type Erasure = z.infer<typeof erasureSchema>;

/** The erasure log: it is outside the database, so that no backup restores over it. */
export type ErasureLog = {
  /** Adds an erasure. May be repeated. */
  add(erasure: Erasure): Promise<void>;
  /** All erasures since a time, oldest first. */
  read(since: Date): AsyncGenerator<Erasure, void, void>;
};

const toId = ({ kind, uid, generationId }: Erasure) => `${kind}:${generationId ?? uid}`;

const erasurePath = (erasure: Erasure): DocumentPath<Erasure> => documentPath(`erasures/${toId(erasure)}`);

/** Keeps an erasure for the log. It belongs into the commit that erases. */
export const recordErasure = (erasure: Erasure): Write => setDocument(erasurePath(erasure), erasure);

/**
 * Logs the erasures that wait for it, until several in a row fail.
 * @param erasureLog undefined if none is configured: the erasures are then forgotten.
 * @returns how many were logged.
 */
export async function logErasures(
  reader: Reader & { log: Log },
  erasureLog: ErasureLog | undefined,
  mayContinue: () => boolean,
): Promise<number> {
  const { database, retryCommit, log } = reader;
  let logged = 0;
  let failuresInARow = 0;
  const scan = {
    query: { collection: 'erasures', orderBy: [['__name__', 'asc']] as const },
    cursor: ({ id }: StoredDocument) => [id],
    pageSize,
    mayContinue: () => failuresInARow < failuresMax && mayContinue(),
  };
  await forEachDocument(reader, scan, async (document) => {
    if (!scan.mayContinue()) return;
    const erasure = parseDocument(erasureSchema, document);
    try {
      await erasureLog?.add(erasure);
    } catch (error) {
      failuresInARow += 1;
      const cause = error instanceof Error ? error.message : String(error);
      log.warning('An erasure could not be logged yet', {
        event: 'erasure_not_logged',
        uid: erasure.uid,
        cause,
      });
      return;
    }
    failuresInARow = 0;
    await retryCommit(undefined, () => database.commit([{ delete: document.path }]));
    if (erasureLog) logged += 1;
  });
  return logged;
}
