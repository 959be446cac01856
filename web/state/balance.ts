/** Which of two accounts of the balance is the later one. */
import type { Receipt } from '../../shared/contract.ts';

export type Balance = Pick<Receipt, 'balance' | 'sequence'>;

/** A receipt tells how the account stood at its entry: it is news only where its sequence is. */
export function applyReceipt(known: Balance | undefined, { balance, sequence }: Balance): Balance {
  return known && known.sequence >= sequence ? known : { balance, sequence };
}

/**
 * The account document is the account itself: at the same sequence it may hold what an admin has just typed.
 * @param document whatever the console holds; a balance that is no whole number ≥ 0 changes nothing.
 */
export function applyDocument(
  known: Balance | undefined,
  { balance, sequence }: Record<string, unknown>,
): Balance | undefined {
  if (!Number.isInteger(balance) || (balance as number) < 0) return known;
  const at = Number.isInteger(sequence) ? (sequence as number) : 0;
  return known && known.sequence > at ? known : { balance: balance as number, sequence: at };
}
