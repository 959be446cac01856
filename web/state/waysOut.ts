/** The way out of a failure: what the user can do that helps. */
import { ApiError, isSettled } from '../client.ts';

export type WayOut =
  | 'tryAgain'
  | 'checkAgain'
  | 'editPrompt'
  | 'editReferences'
  | 'editRequest'
  | 'smaller'
  | 'buy'
  | 'readTerms'
  | 'support'
  | 'signOut';

export type Situation = {
  /** True if the account has the credits that were missing. */
  hasCredits: boolean;
  /** True if credits can be bought. */
  isSold: boolean;
  isSuspended: boolean;
};

/** The ways out by reason, the best first. Other reasons: check again while the outcome is unknown, then try again. */
const byReason: Record<string, WayOut[]> = {
  CONTENT_BLOCKED: ['editPrompt'],
  REFERENCE_UNREADABLE: ['editReferences'],
  INVALID_REQUEST: ['editRequest'],
  TOO_LARGE: ['editReferences'],
  NOT_FOUND: ['editReferences'],
  IDEMPOTENCY_KEY_REUSED: ['editRequest'],
  TERMS_NOT_ACCEPTED: ['readTerms'],
  ACCOUNT_INVALID: ['support'],
  ACCOUNT_CLOSED: ['signOut', 'support'],
  FORBIDDEN: ['support'],
  PROVIDER_MISCONFIGURED: ['support'],
  INTERNAL: ['tryAgain', 'support'],
  DELETED: [],
  EMAIL_NOT_VERIFIED: ['tryAgain'],
};

/** May be empty: then the user can only dismiss the failure. */
export function getWaysOut(error: unknown, { hasCredits, isSold, isSuspended }: Situation): WayOut[] {
  if (!isSettled(error)) return ['checkAgain'];
  const { reason } = error as ApiError;
  if (reason === 'ACCOUNT_SUSPENDED') return isSuspended ? ['support'] : ['tryAgain'];
  if (reason === 'INSUFFICIENT_CREDITS') {
    if (hasCredits) return ['tryAgain'];
    return isSold ? ['buy', 'smaller'] : ['smaller', 'support'];
  }
  return byReason[reason] ?? ['tryAgain'];
}

/** When it is possible again, in milliseconds since 1970, if waiting helps and the functions said how long. */
export function getPossibleAt(error: unknown, failedAt: number): number | undefined {
  if (!(error instanceof ApiError) || error.retryAfterMs === undefined) return undefined;
  return ['PROVIDER_QUOTA', 'SPEND_CEILING', 'PROVIDER_OVERLOADED'].includes(error.reason)
    ? failedAt + error.retryAfterMs
    : undefined;
}
