/** An account as the API shows it, in every function. Pure. */
import type { AccountView } from '../contract/account.ts';
import type { Account } from './account.ts';
import { type AllowancePeriod, getPeriod, isPast } from './allowancePeriod.ts';

type AllowanceSettings = { credits: number; period: AllowancePeriod };

export function toAccountView(account: Account, settings: AllowanceSettings, now: Date): AccountView {
  const { uid, balance, sequence, suspended, email, terms, closedAt, createdAt = now } = account;
  return {
    uid,
    balance: balance ?? 0,
    sequence,
    suspended,
    email: email ?? null,
    createdAt: createdAt.toISOString(),
    ...(closedAt && { closedAt: closedAt.toISOString() }),
    ...(terms && { terms: { version: terms.version, acceptedAt: terms.acceptedAt.toISOString() } }),
    ...toAllowance(account, settings, now),
  };
}

/** What the account is topped up to, and when next: now, if this period's allowance is still due. */
function toAllowance(
  { allowance, allowancePeriod, suspended, closedAt, verified }: Account,
  { credits, period }: AllowanceSettings,
  now: Date,
): Pick<AccountView, 'allowance'> {
  const own = allowance ?? credits;
  if (own === 0 || suspended || closedAt || !verified) return {};
  const { name, nextAt } = getPeriod(period, now);
  const next = isPast(name, allowancePeriod) ? nextAt : now;
  return { allowance: { credits: own, period, nextAt: next.toISOString() } };
}
