import type { Audit } from '../contract/admin.ts';
import { longQueryMs, type Total, type TotalRequest } from '../database/database.ts';
import { logMistyped } from '../database/spoiltDocuments.ts';
import { accountPath, findMistypedFields, findProblem, isOpened, parseAccount } from './account.ts';
import { entriesPath } from './entries.ts';
import type { Ledger } from './ledger.ts';
import { computeDebt, paymentTotals } from './paymentTotals.ts';

/**
 * Whether one account's ledger adds up, by sums that the database makes at one time. An edit in the console that no entry
 * records yet is not an error.
 * @returns undefined if there is no such account.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function auditAccount(
  { database, retryCommit, log }: Ledger,
  uid: string,
): Promise<Audit | undefined> {
  const path = accountPath(uid);
  const requests: TotalRequest[] = [
    { collection: entriesPath(uid), field: 'amount' },
    { collection: entriesPath(uid), where: [['type', 'in', ['debit', 'refund']]], field: 'amount' },
    { collection: `${path}/generations`, where: [['status', 'in', paidFor]], field: 'receipt.charged' },
    { collection: `${path}/generations`, field: 'providerCostMicros' },
    { collection: entriesPath(uid), field: 'sequence' },
    { collection: `${path}/enhancements`, field: 'providerCostMicros' },
    ...paymentTotals(uid),
  ];
  const { document, totals } = await retryCommit(undefined, () =>
    database.totals(
      path,
      requests.map((request) => ({ ...request, timeoutMs: longQueryMs })),
    ),
  );
  if (!document) return undefined;
  const [entries, net, prices, images, sequences, prompts, ...payments] = totals as [
    Total,
    Total,
    Total,
    Total,
    Total,
    Total,
    ...Total[],
  ];
  const account = parseAccount(document);
  const differences: string[] = [];
  const problem = findProblem(account);
  if (problem) differences.push(problem.text);
  const mistyped = findMistypedFields(document);
  logMistyped(log, document, mistyped);
  for (const field of mistyped) differences.push(`${field} has a wrong type or an impossible value`);
  if (isOpened(document)) {
    if (entries.sum !== account.ledgerBalance) {
      differences.push(`the entries' amounts sum to ${entries.sum}, settled is ${account.ledgerBalance}`);
    }
    if (entries.count !== account.sequence) {
      differences.push(`there are ${entries.count} entries, sequence is ${account.sequence}`);
    }
    const debt = computeDebt(payments);
    if (debt !== account.debt) {
      differences.push(`by its payments the account owes ${debt}, debt is ${account.debt}`);
    }
  }
  if (sequences.sum !== (entries.count * (entries.count + 1)) / 2) {
    differences.push('the sequence of the entries has a gap');
  }
  if (-net.sum !== prices.sum) {
    differences.push(`debits less refunds are ${-net.sum}, the generations they paid for cost ${prices.sum}`);
  }
  return {
    uid,
    balance: document.data.balance ?? null,
    settled: account.ledgerBalance,
    sum: entries.sum,
    ok: differences.length === 0,
    differences,
    providerCostMicros: images.sum + prompts.sum,
  };
}

/** The statuses of a generation whose price has been taken: paid, or still held. */
const paidFor = ['pending', 'succeeded', 'deleted'];
