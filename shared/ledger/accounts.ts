import type { StoredDocument } from '../database/database.ts';
import type { Ledger } from './ledger.ts';

/** One page of accounts in the order of their uids, from after `after` on. */
export async function accountPage(
  { database, retryCommit }: Ledger,
  after: string | undefined,
  limit: number,
): Promise<StoredDocument[]> {
  const page = {
    collection: 'accounts',
    orderBy: [['__name__', 'asc']] as const,
    ...(after && { after: [after] }),
    limit,
  };
  return (await retryCommit(undefined, () => database.page(page))).documents;
}
