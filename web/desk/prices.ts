/** What a generation cost its user, and what was refunded of it, by the entries of the account. */
import type { AdminEntry } from '../../shared/contract.ts';

export type Price = {
  /** Credits. Undefined if the debit is not among the entries, which are the newest ones. */
  credits: number | undefined;
  refunded: number;
  /** True if the refund was goodwill. */
  isGoodwill: boolean;
};

export function findPrice(entries: readonly AdminEntry[], generationId: string): Price {
  const find = (kind: string) => entries.find(({ id }) => id === `${generationId}:${kind}`);
  const debit = find('debit');
  const goodwill = find('goodwill');
  return {
    credits: debit && -debit.amount,
    refunded: (goodwill ?? find('refund'))?.amount ?? 0,
    isGoodwill: goodwill !== undefined,
  };
}

/** The balance after a grant: debt is paid off first. */
export function getBalanceAfter({ balance, debt }: { balance: number; debt: number }, amount: number) {
  const debtPaid = Math.min(debt, Math.max(0, amount));
  return { debtPaid, balance: balance + amount - debtPaid };
}
