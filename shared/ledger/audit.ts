import type { Audit } from '../contract.ts';
import type { Total } from '../database/database.ts';
import { invalidField, isOpened, readAccount } from './credits.ts';
import { accountPath, type Ledger } from './ledger.ts';

/**
 * Whether one account's ledger adds up, by sums that the database makes, all at one time; an edit in the
 * console that no entry tells of yet is no fault. Undefined where there is no such account.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function auditAccount(
  { database, retryCommit }: Ledger,
  uid: string,
): Promise<Audit | undefined> {
  const path = accountPath(uid);
  const { document, totals } = await retryCommit(undefined, () =>
    database.totals(path, [
      { collection: `${path}/entries`, field: 'amount' },
      { collection: `${path}/entries`, where: [['type', 'in', ['debit', 'refund']]], field: 'amount' },
      { collection: `${path}/generations`, where: [['status', 'in', paidFor]], field: 'receipt.charged' },
      { collection: `${path}/generations`, field: 'providerCostMicros' },
      { collection: `${path}/entries`, field: 'sequence' },
    ]),
  );
  if (!document) return undefined;
  const [entries, kept, owed, cost, sequences] = totals as [Total, Total, Total, Total, Total];
  const account = readAccount(document);
  const differences: string[] = [];
  const invalid = invalidField(account);
  if (invalid)
    differences.push(`${invalid} is no whole number of credits that leaves the balance at 0 or more`);
  if (isOpened(document)) {
    if (entries.sum !== account.settled) {
      differences.push(`the entries' amounts sum to ${entries.sum}, settled is ${account.settled}`);
    }
    if (entries.count !== account.sequence) {
      differences.push(`there are ${entries.count} entries, sequence is ${account.sequence}`);
    }
  }
  if (sequences.sum !== (entries.count * (entries.count + 1)) / 2) {
    differences.push('the sequence of the entries has a gap');
  }
  if (-kept.sum !== owed.sum) {
    differences.push(`debits less refunds are ${-kept.sum}, the generations they paid for cost ${owed.sum}`);
  }
  return {
    uid,
    balance: document.data.balance ?? null,
    settled: account.settled,
    sum: entries.sum,
    ok: differences.length === 0,
    differences,
    providerCostMicros: cost.sum,
  };
}

/** States in which a generation's price is with the ledger: paid for good, or still held. */
const paidFor = ['pending', 'succeeded', 'deleted'];
