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
export async function auditAccount(ledger: Ledger, uid: string): Promise<Audit | undefined> {
  const { database, retryCommit, log } = ledger;
  const path = accountPath(uid);
  const requests: TotalRequest[] = [
    { collection: entriesPath(uid), field: 'amount' },
    { collection: entriesPath(uid), where: [['type', 'in', ['debit', 'refund']]], field: 'amount' },
    { collection: `${path}/generations`, where: [['status', 'in', paidFor]], field: 'receipt.charged' },
    { collection: `${path}/generations`, field: 'providerCostMicros' },
    { collection: entriesPath(uid), field: 'sequence' },
    { collection: `${path}/enhancements`, field: 'providerCostMicros' },
    { collection: `${path}/generations`, where: pending, field: 'receipt.charged' },
    ...paymentTotals(uid),
  ];
  const { document, totals } = await retryCommit(undefined, () =>
    database.totals(
      path,
      requests.map((request) => ({ ...request, timeoutMs: longQueryMs })),
    ),
  );
  if (!document) return undefined;
  const [entries, net, prices, images, sequences, prompts, held, ...payments] = totals as Sums;
  const account = parseAccount(document);
  const differences: string[] = [];
  const problem = findProblem(account);
  if (problem) differences.push(problem.text);
  const mistyped = findMistypedFields(document);
  logMistyped(log, document, account.strayFields);
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
  for (const id of held.count > 0 ? await findEndless(ledger, path) : []) {
    differences.push(`generation ${id} is pending without a deadline, so that no sweep refunds it`);
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

/**
 * The same for many accounts, of which none stops the others: one that cannot be audited is logged, and reported like one
 * that does not add up.
 */
export async function auditOrReport(ledger: Ledger, uid: string): Promise<Audit | undefined> {
  return auditAccount(ledger, uid).catch((error): Audit => {
    ledger.log.error('An account could not be audited', { uid, error });
    const differences = ['could not be audited; the log says why'];
    return { uid, balance: null, settled: 0, sum: 0, ok: false, differences, providerCostMicros: 0 };
  });
}

type Sums = [Total, Total, Total, Total, Total, Total, Total, ...Total[]];

const pending = [['status', '==', 'pending']] as const;
/** Most pending generations to look at: an account has a few, unless something is wrong. */
const pendingMax = 100;

/** Pending generations with a deadline that an admin has removed or spoilt. The sweep's query does not find them. */
async function findEndless({ database, retryCommit }: Ledger, path: string): Promise<string[]> {
  const query = {
    collection: `${path}/generations`,
    where: pending,
    orderBy: [['__name__', 'asc']] as const,
    limit: pendingMax,
  };
  const { documents } = await retryCommit(undefined, () => database.page(query));
  return documents.filter(({ data }) => !(data.deadline instanceof Date)).map(({ id }) => id);
}

/** The statuses of a generation whose price has been taken: paid, or still held. */
const paidFor = ['pending', 'succeeded', 'deleted'];
