/**
 * The sweep: refunds pending generations after their deadline, and deletes the images in the outbox. Several may run at
 * once: each refund is one commit, and only one of them can make it.
 */
import type { StoredDocument } from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { clearOutboxItem, parseOutboxItem } from './outbox.ts';
import { parseGeneration } from './record.ts';
import { expire } from './refund.ts';

const pageSize = 100;

/** Refunds every generation whose deadline has passed by the database's clock, oldest first. @returns how many. */
export async function sweepHolds(ledger: Ledger, mayContinue: () => boolean): Promise<number> {
  const now = await readDatabaseTime(ledger);
  let refunded = 0;
  const overdue = {
    query: {
      collection: 'generations',
      group: true,
      where: [
        ['status', '==', 'pending'],
        ['deadline', '<=', now],
      ] as const,
      orderBy: [
        ['deadline', 'asc'],
        ['__name__', 'asc'],
      ] as const,
    },
    cursor: ({ data, path }: StoredDocument) => [data.deadline, path],
    pageSize,
    mayContinue,
  };
  await forEachDocument(ledger, overdue, async (document) => {
    if (!mayContinue()) return;
    const { refundedNow } = await expire(ledger, parseGeneration(document));
    if (refundedNow) refunded += 1;
  });
  return refunded;
}

/** Deletes the images that are due. @returns how many of them were stored. */
export async function sweepOutbox(
  ledger: Ledger,
  images: () => Promise<ImageStore>,
  mayContinue: () => boolean,
): Promise<number> {
  const now = await readDatabaseTime(ledger);
  let deleted = 0;
  const due = {
    query: {
      collection: 'outbox',
      where: [['dueAt', '<=', now]] as const,
      orderBy: [
        ['dueAt', 'asc'],
        ['__name__', 'asc'],
      ] as const,
    },
    cursor: ({ data, id }: StoredDocument) => [data.dueAt, id],
    pageSize,
    mayContinue,
  };
  await forEachDocument(ledger, due, async (document) => {
    if (!mayContinue()) return;
    if (await clearOutboxItem(ledger, images, parseOutboxItem(document), now)) deleted += 1;
  });
  return deleted;
}

/** Deadlines are compared with the database's clock only. */
async function readDatabaseTime({ retryCommit, database }: Ledger): Promise<Date> {
  return (await retryCommit(undefined, () => database.read(['jobs/sweepHolds']))).readTime;
}
