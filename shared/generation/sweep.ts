/**
 * The sweep: refunds what is pending past its deadline and deletes what the outbox holds. Several may
 * run at once and at any moment: each refund is one commit that only one of them can make.
 */

import { inParallel } from '../core/parallel.ts';
import type { PageRequest, StoredDocument } from '../database/database.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { clearOutboxItem, readOutboxItem } from './outbox.ts';
import { readGeneration } from './record.ts';
import { expire } from './refund.ts';

const documentsPerPage = 100;
/** Refunds, and deletions, under way at once. */
const parallelMax = 8;

/** Refunds every generation whose deadline has passed by the database's clock, oldest first, while `mayGoOn`. */
export async function sweepHolds(ledger: Ledger, mayGoOn: () => boolean): Promise<number> {
  const now = await databaseTime(ledger);
  const overdue: Omit<PageRequest, 'limit'> = {
    collection: 'generations',
    group: true,
    where: [
      ['status', '==', 'pending'],
      ['deadline', '<=', now],
    ],
    orderBy: [
      ['deadline', 'asc'],
      ['__name__', 'asc'],
    ],
  };
  const after = ({ data, path }: StoredDocument) => [data.deadline, path];
  return forEachPage(ledger, overdue, after, mayGoOn, async (document) => {
    return (await expire(ledger, readGeneration(document))).refundedNow;
  });
}

/** Deletes the images that are due, while `mayGoOn`; returns how many were there to delete. */
export async function sweepOutbox(
  ledger: Ledger,
  images: () => Promise<ImageStore>,
  mayGoOn: () => boolean,
): Promise<number> {
  const now = await databaseTime(ledger);
  const due: Omit<PageRequest, 'limit'> = {
    collection: 'outbox',
    where: [['dueAt', '<=', now]],
    orderBy: [
      ['dueAt', 'asc'],
      ['__name__', 'asc'],
    ],
  };
  const after = ({ data, id }: StoredDocument) => [data.dueAt, id];
  return forEachPage(ledger, due, after, mayGoOn, (document) =>
    clearOutboxItem(ledger, images, readOutboxItem(document), now),
  );
}

/** The database's clock: deadlines are compared with nothing else. */
async function databaseTime({ retryCommit, database }: Ledger): Promise<Date> {
  return (await retryCommit(undefined, () => database.read(['jobs/sweepHolds']))).readTime;
}

/** Handles every document of a query once, page by page; one that fails is logged and left. Counts what `handle` affirms. */
async function forEachPage(
  { database, retryCommit, log }: Ledger,
  request: Omit<PageRequest, 'limit'>,
  cursor: (document: StoredDocument) => unknown[],
  mayGoOn: () => boolean,
  handle: (document: StoredDocument) => Promise<boolean>,
): Promise<number> {
  let handled = 0;
  let after: unknown[] | undefined;
  let lastPath: string | undefined;
  while (mayGoOn()) {
    const page = { ...request, ...(after && { after }), limit: documentsPerPage };
    const { documents } = await retryCommit(undefined, () => database.page(page));
    const last = documents.at(-1);
    // An admin's time has microseconds and the cursor has not: such a document comes after itself.
    if (!last || last.path === lastPath) break;
    lastPath = last.path;
    await inParallel(documents, parallelMax, async (document) => {
      if (!mayGoOn()) return;
      try {
        if (await handle(document)) handled += 1;
      } catch (error) {
        log.error('The sweep could not handle a document', { path: document.path, error });
      }
    });
    after = cursor(last);
  }
  return handled;
}
