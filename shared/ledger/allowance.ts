/** The rule of allowances: what is due to an account. Pure. */
import { type Account, findInvalidField } from './account.ts';
import { type AllowancePeriod, isPast } from './allowancePeriod.ts';

export type AllowanceSettings = {
  /** What accounts are topped up to; 0 disables allowances. An account's own allowance replaces it. */
  credits: number;
  period: AllowancePeriod;
};

/**
 * What an account is topped up to in a period; 0 if nothing is due. Suspended, closed and invalid accounts, and
 * those of users who are not verified, get nothing.
 * @param period the name of the period.
 */
export function findDueAllowance(account: Account, credits: number, period: string): number {
  const { allowance = credits, allowancePeriod, suspended, closedAt, verified } = account;
  const isRefused =
    suspended || closedAt !== undefined || !verified || findInvalidField(account) !== undefined;
  return isRefused || isPast(period, allowancePeriod) ? 0 : allowance;
}
