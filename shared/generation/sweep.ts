/**
 * The sweep: refunds pending generations after their deadline, and deletes the images in the outbox. Several may run at
 * once: each refund is one commit, and only one of them can make it.
 *
 * Refunds never wait long for the image store. The sweep works in rounds, first the holds and then the outbox, each for a
 * limited time, and it stops deleting when the store does not work.
 */
import type { Clock } from '../core/clock.ts';
import type { StoredDocument } from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import type { ImageStore } from '../images/cloudinary.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isShown } from './cache.ts';
import { expireOverdue } from './expireSpoilt.ts';
import { clearOutboxItem, type OutboxItem, outboxPath, parseOutboxItem } from './outbox.ts';

const pageSize = 100;
/** How long a round works on the holds, and on the outbox, milliseconds. */
const holdsMsMax = 60_000;
const outboxMsMax = 20_000;
/** Deletions that fail one after the other, after which the sweep leaves the outbox to the next call. */
const failuresMax = 8;

/** More work of a round, for at most `msMax` milliseconds. */
export type SweepPart = { msMax: number; run(mayContinue: () => boolean): Promise<void> };

/**
 * Refunds what is overdue and deletes what is due, until nothing is left or the time is over.
 * @param further what else is done in each round, after the outbox.
 * @returns how many generations were refunded, and how many images were deleted.
 */
export async function sweep(
  ledger: Ledger,
  images: () => Promise<ImageStore>,
  clock: Clock,
  mayContinue: () => boolean,
  further: readonly SweepPart[] = [],
): Promise<{ refunded: number; deletedAssets: number }> {
  let [refunded, deletedAssets] = [0, 0];
  let isCutShort = true;
  while (isCutShort && mayContinue()) {
    const holdsTurn = createTurn(clock, holdsMsMax, mayContinue);
    refunded += await sweepHolds(ledger, holdsTurn.mayContinue);
    const outboxTurn = createTurn(clock, outboxMsMax, mayContinue);
    deletedAssets += await sweepOutbox(ledger, images, outboxTurn.mayContinue);
    isCutShort = holdsTurn.isCutShort() || outboxTurn.isCutShort();
    for (const { msMax, run } of further) {
      const turn = createTurn(clock, msMax, mayContinue);
      await run(turn.mayContinue);
      isCutShort ||= turn.isCutShort();
    }
  }
  return { refunded, deletedAssets };
}

/** A part of the time. It is cut short if more work was wanted after its end. */
function createTurn(clock: Clock, milliseconds: number, isInTime: () => boolean) {
  const endsAt = clock.elapsed() + milliseconds;
  let isCutShort = false;
  return {
    mayContinue() {
      const isOver = clock.elapsed() >= endsAt || !isInTime();
      isCutShort ||= isOver;
      return !isOver;
    },
    isCutShort: () => isCutShort,
  };
}

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
    if (await expireOverdue(ledger, document)) refunded += 1;
  });
  return refunded;
}

/**
 * Deletes the images that are due, until several in a row cannot be deleted.
 * @returns how many of them were stored.
 */
export async function sweepOutbox(
  ledger: Ledger,
  images: () => Promise<ImageStore>,
  mayContinue: () => boolean,
): Promise<number> {
  const now = await readDatabaseTime(ledger);
  let deleted = 0;
  let failuresInARow = 0;
  const isStoreDown = () => failuresInARow >= failuresMax;
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
    mayContinue: () => !isStoreDown() && mayContinue(),
  };
  await forEachDocument(ledger, due, async (document) => {
    if (!due.mayContinue()) return;
    const item = parseOutboxItem(document);
    // The copy of a share has a name that only the share knows.
    if (!item.shareToken && (await isShown(ledger, item))) return removeItem(ledger, item);
    const outcome = await clearOutboxItem(ledger, images, item, now);
    failuresInARow = outcome === 'failed' ? failuresInARow + 1 : 0;
    if (outcome === 'deleted') deleted += 1;
  });
  if (isStoreDown()) {
    ledger.log.warning('The image store does not delete images: the outbox waits for the next sweep', {
      event: 'outbox_waits',
      failuresInARow,
    });
  }
  return deleted;
}

/** Logs the spoilt items of the outbox. The sweep does not find those with a `dueAt` that an admin has removed or spoilt. */
export function logSpoiltItems(ledger: Ledger, mayContinue: () => boolean): Promise<void> {
  const all = {
    query: { collection: 'outbox', orderBy: [['__name__', 'asc']] as const },
    cursor: ({ id }: StoredDocument) => [id],
    pageSize,
    mayContinue,
  };
  return forEachDocument(ledger, all, async (document) => void parseOutboxItem(document));
}

/**
 * Keeps an image that a twin shows. Its generation was settled, the reply was lost, an admin deleted the document, and so
 * the worker refunded it. The last twin takes the image with it.
 */
async function removeItem({ database, retryCommit }: Ledger, { generationId }: OutboxItem): Promise<void> {
  await retryCommit(undefined, () => database.commit([{ delete: outboxPath(generationId) }]));
}

/** Deadlines are compared with the database's clock only. */
async function readDatabaseTime({ retryCommit, database }: Ledger): Promise<Date> {
  return (await retryCommit(undefined, () => database.read(['jobs/sweepHolds']))).readTime;
}
