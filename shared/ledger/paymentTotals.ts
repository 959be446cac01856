import { longQueryMs, type Total, type TotalRequest } from '../database/database.ts';
import { entriesPath } from './entries.ts';
import { purchasesPath } from './purchaseRules.ts';

/** The sums that show what an account owes: of the entries of its payments, and of its purchases. */
export const paymentTotals = (uid: string): TotalRequest[] => [
  {
    collection: entriesPath(uid),
    where: [['type', 'in', ['purchase', 'clawback', 'reinstatement']]],
    field: 'amount',
    timeoutMs: longQueryMs,
  },
  { collection: purchasesPath(uid), field: 'credits', timeoutMs: longQueryMs },
  { collection: purchasesPath(uid), field: 'claim', timeoutMs: longQueryMs },
];

/** What an account owes, by these sums: the entries moved more than its purchases hold. */
export function computeDebt(totals: readonly Total[]): number {
  const [moved, bought, claimed] = totals.map(({ sum }) => sum);
  return (moved ?? 0) - ((bought ?? 0) - (claimed ?? 0));
}
