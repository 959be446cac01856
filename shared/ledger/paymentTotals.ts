import { longQueryMs, type Total, type TotalRequest } from '../database/database.ts';
import { entriesPath } from './entries.ts';
import { purchasesPath } from './purchaseRules.ts';

const sumEntries = (uid: string, types: readonly string[]): TotalRequest => ({
  collection: entriesPath(uid),
  where: [['type', 'in', types]],
  field: 'amount',
  timeoutMs: longQueryMs,
});
const sumPurchases = (uid: string, field: 'credits' | 'claim'): TotalRequest => ({
  collection: purchasesPath(uid),
  field,
  timeoutMs: longQueryMs,
});

/** The sums that show what an account owes: of the entries of its payments, and of its purchases. */
export const paymentTotals = (uid: string): TotalRequest[] => [
  sumEntries(uid, ['purchase', 'clawback', 'reinstatement']),
  sumPurchases(uid, 'credits'),
  sumPurchases(uid, 'claim'),
];

/** What an account owes, by these sums: the entries moved more than its purchases hold. */
export function computeDebt(totals: readonly Total[]): number {
  const [moved, bought, claimed] = totals.map(({ sum }) => sum);
  return (moved ?? 0) - ((bought ?? 0) - (claimed ?? 0));
}

/** The sums that bring a debt back: of what the entries have taken back, and of what the purchases claim. */
export const claimTotals = (uid: string): TotalRequest[] => [
  sumEntries(uid, ['clawback', 'reinstatement']),
  sumPurchases(uid, 'claim'),
];

/**
 * What an account owes, by these sums: its purchases claim more than the entries have taken back. The credits of a purchase
 * do not count, so one that an admin has edited or deleted makes no debt.
 */
export function restoreDebt(totals: readonly Total[]): number {
  const [moved, claimed] = totals.map(({ sum }) => sum);
  return Math.max(0, (claimed ?? 0) + (moved ?? 0));
}
