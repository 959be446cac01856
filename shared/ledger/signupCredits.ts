import { normalizeEmail } from '../identity.ts';
import type { LedgerSettings } from './ledger.ts';

/**
 * The signup credits of a person: fewer for an address at a provider of throw-away addresses. Their list is loaded here
 * only, because it is large.
 * @param email the verified address, if there is one.
 */
export async function countSignupCredits(
  { signupCredits, disposableEmailCredits }: LedgerSettings,
  email: string | undefined,
): Promise<number> {
  if (!email || signupCredits <= disposableEmailCredits) return signupCredits;
  const { default: MailChecker } = await import('mailchecker');
  const labels = normalizeEmail(email).replace(/^.*@/s, '').split('.');
  const isDisposable = labels.some((_, i) => MailChecker.blacklist().has(labels.slice(i).join('.')));
  return isDisposable ? disposableEmailCredits : signupCredits;
}
