import type { StoredDocument } from '../database/database.ts';
import type { Books } from './ledger.ts';

/** One page of accounts in the order of their uids, from after `after` on. */
export async function accountPage(
  { database, converge }: Books,
  after: string | undefined,
  limit: number,
): Promise<StoredDocument[]> {
  const page = {
    collection: 'accounts',
    orderBy: [['__name__', 'asc']] as const,
    ...(after && { after: [after] }),
    limit,
  };
  return (await converge(undefined, () => database.page(page))).documents;
}
