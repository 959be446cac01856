/** The terms of the studio: what a user has to accept, and the record that they did. */
import type { Config } from '../config/config.ts';
import type { Terms } from '../contract/account.ts';
import { type Failure, invalidRequest } from '../errors.ts';
import type { Account } from '../ledger/account.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { LedgerUser } from '../ledger/command.ts';
import { unchanged } from '../ledger/creditChanges.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { refuseClosed, refuseTerms } from '../ledger/refusals.ts';

/** What the API shows of the terms. Undefined if the studio has neither terms nor a privacy policy. */
export function toTerms(
  account: Pick<Account, 'terms'>,
  { version, termsUrl, privacyUrl }: Config['terms'],
): Terms | undefined {
  if (!version && !termsUrl && !privacyUrl) return undefined;
  const accepted = refuseTerms(account, version) === undefined;
  return {
    ...(version && { version }),
    accepted,
    ...(version && accepted && account.terms && { acceptedAt: account.terms.acceptedAt.toISOString() }),
    ...(termsUrl && { termsUrl }),
    ...(privacyUrl && { privacyUrl }),
  };
}

/**
 * Records that a user accepts the current terms. The first time counts: a repeated call changes nothing.
 * @throws {Failure} INVALID_REQUEST for any other version, ACCOUNT_INVALID, ACCOUNT_CLOSED, DATABASE_UNAVAILABLE.
 */
export async function acceptTerms(ledger: Ledger, user: LedgerUser, version: string): Promise<Account> {
  const refusal = refuseVersion(version, ledger.settings.termsVersion);
  if (refusal) throw refusal;
  return changeAccount<Account>(ledger, user.uid, {
    user,
    missing: 'create',
    decide({ account, hasPendingChanges, now }) {
      const refusal = refuseClosed(account);
      if (refusal) return { refusal };
      const isAccepted = account.terms?.version === version;
      if (isAccepted && !hasPendingChanges) return { answer: account };
      const accepted = isAccepted ? account : { ...account, terms: { version, acceptedAt: now } };
      return { change: unchanged(accepted), answer: () => accepted };
    },
  });
}

function refuseVersion(version: string, current: string | undefined): Failure | undefined {
  if (version === current) return undefined;
  const description = current
    ? `must be the current version of the terms, ${current}`
    : 'is not known: this studio has no terms to accept';
  return invalidRequest([{ field: 'version', description }]);
}
