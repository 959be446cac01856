import type { Log } from '../core/log.ts';
import { inParallel } from '../core/parallel.ts';
import { longQueryMs, type PageRequest, type StoredDocument } from './database.ts';
import type { Reader } from './pages.ts';
import { getSpoiltFields } from './spoiltDocuments.ts';

/** Documents of one page that are handled at once. */
const parallelMax = 8;

export type Scan = {
  query: Omit<PageRequest, 'limit'>;
  /** The values of a document's `orderBy` fields, after which the next page begins. */
  cursor(document: StoredDocument): unknown[];
  pageSize: number;
  /** False when the time is over: no further page is read. */
  mayContinue(): boolean;
  /** Called after each page with its last document; with undefined after the last page. */
  onPage?(last: StoredDocument | undefined): Promise<void>;
};

/** Handles every document of a query once, page by page. A failure is logged, and the next document follows. */
export async function forEachDocument(
  { database, retryCommit, log }: Reader & { log: Log },
  { query, cursor, pageSize, mayContinue, onPage }: Scan,
  handle: (document: StoredDocument) => Promise<void>,
): Promise<void> {
  let { after } = query;
  let lastPath: string | undefined;
  while (mayContinue()) {
    const page = { ...query, ...(after && { after }), limit: pageSize, timeoutMs: longQueryMs };
    const { documents } = await retryCommit(undefined, () => database.page(page));
    const last = documents.at(-1);
    // A time that an admin typed has microseconds, which the cursor lacks: such a document follows itself.
    const isRepeated = last?.path === lastPath;
    if (!isRepeated) {
      await inParallel(documents, parallelMax, async (document) => {
        await handle(document).catch((error) => {
          const { path } = document;
          log.error('A document could not be handled', { path, ...getSpoiltFields(error), error });
        });
      });
    }
    const isLastPage = last === undefined || isRepeated || documents.length < pageSize;
    await onPage?.(isLastPage ? undefined : last);
    if (isLastPage) return;
    lastPath = last.path;
    after = cursor(last);
  }
}
