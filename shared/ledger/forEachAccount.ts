import type { StoredDocument } from '../database/database.ts';
import { forEachDocument } from '../database/forEachDocument.ts';
import { readCursor, writeCursor } from '../database/jobs.ts';
import type { Ledger } from './ledger.ts';

const pageSize = 100;

/** Accounts in the order of their uids. @param after the uid after which they begin. */
export const accountsQuery = (after: string | undefined) => ({
  collection: 'accounts',
  orderBy: [['__name__', 'asc']] as const,
  ...(after !== undefined && { after: [after] }),
});

/**
 * Handles every account for a scheduled job, while time is left. The next call of the job continues where this one
 * stopped. A failure is logged, and the next account follows.
 */
export async function forEachAccount(
  ledger: Ledger,
  job: string,
  mayContinue: () => boolean,
  handle: (uid: string, document: StoredDocument) => Promise<void>,
): Promise<void> {
  const scan = {
    query: accountsQuery(await readCursor(ledger, job)),
    cursor: ({ id }: StoredDocument) => [id],
    pageSize,
    mayContinue,
    onPage: (last: StoredDocument | undefined) => writeCursor(ledger, job, last?.id),
  };
  await forEachDocument(ledger, scan, async (document) => {
    const { id: uid } = document;
    await handle(uid, document).catch((error) => {
      ledger.log.error('A job could not handle an account', { job, uid, error });
    });
  });
}
