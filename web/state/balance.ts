/**
 * Reads the account document, and merges balances that arrive out of order, from receipts and from the document. The
 * entry sequence decides which one is newer.
 */
import type { Receipt } from '../../shared/contract.ts';

export type Balance = Pick<Receipt, 'balance' | 'sequence'>;

/** A receipt wins only if its sequence is higher: it has the balance at the time of its entry. */
export function applyReceipt(current: Balance | undefined, { balance, sequence }: Balance): Balance {
  return current && current.sequence >= sequence ? current : { balance, sequence };
}

/** An admin may have typed anything into the field: text, such as "false", suspends too, as it does in the functions. */
export const isSuspended = ({ suspended }: Record<string, unknown>) =>
  suspended !== undefined && suspended !== null && suspended !== false;

/** Credits that were spent before their payment was returned. */
export const getDebt = ({ debt }: Record<string, unknown>): number =>
  Number.isInteger(debt) && (debt as number) > 0 ? (debt as number) : 0;

/**
 * The document also wins at an equal sequence: it may have an admin's edit that has no entry yet.
 * @param fields unchecked, since admins type them by hand. A balance that is not a whole number ≥ 0 is ignored; a
 * missing sequence counts as 0.
 */
export function applyDocument(
  current: Balance | undefined,
  { balance, sequence }: Record<string, unknown>,
): Balance | undefined {
  if (!Number.isInteger(balance) || (balance as number) < 0) return current;
  const documentSequence = Number.isInteger(sequence) ? (sequence as number) : 0;
  return current && current.sequence > documentSequence
    ? current
    : { balance: balance as number, sequence: documentSequence };
}
