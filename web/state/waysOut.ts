/** The way out of a failure: what the user can do that helps. */
import type { GenerateInput, TierOffer } from '../../shared/contract.ts';
import { ApiError, isSettled } from '../client.ts';
import { getOffer, getResolutions } from './shapes.ts';

export type WayOut =
  | 'tryAgain'
  | 'checkAgain'
  | 'editPrompt'
  | 'editReferences'
  | 'editRequest'
  | 'confirmAddress'
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
  /** True if the user has not confirmed the e-mail address, so that the account gets no credits. */
  isUnconfirmed: boolean;
  /** True if the account can pay for a cheaper image. */
  canBeSmaller: boolean;
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
};

/** May be empty: then the user can only dismiss the failure. */
export function getWaysOut(error: unknown, situation: Situation): WayOut[] {
  if (!isSettled(error)) return ['checkAgain'];
  const { reason } = error as ApiError;
  if (reason === 'ACCOUNT_SUSPENDED') return situation.isSuspended ? ['support'] : ['tryAgain'];
  if (reason === 'EMAIL_NOT_VERIFIED') return situation.isUnconfirmed ? ['confirmAddress'] : ['tryAgain'];
  if (reason === 'INSUFFICIENT_CREDITS') return getWaysToCredits(situation);
  return byReason[reason] ?? ['tryAgain'];
}

/** Nobody can buy credits before the address is confirmed. */
function getWaysToCredits({ hasCredits, isSold, isUnconfirmed, canBeSmaller }: Situation): WayOut[] {
  if (hasCredits) return ['tryAgain'];
  const smaller: WayOut[] = canBeSmaller ? ['smaller'] : [];
  if (isUnconfirmed) return ['confirmAddress', ...smaller];
  return isSold ? ['buy', ...smaller] : [...smaller, 'support'];
}

/**
 * The same request with a lower resolution, or in a cheaper shape, so that the balance pays for it. Undefined if no
 * image is cheaper, or none is cheap enough.
 */
export function findAffordable(
  request: GenerateInput,
  tiers: readonly TierOffer[],
  balance: number,
): GenerateInput | undefined {
  const own = tiers.find(({ id }) => id === request.tier);
  if (!own) return undefined;
  const { credits: price } = getOffer(own, request.resolution ?? '1K');
  const choices = tiers.flatMap((offer) =>
    getResolutions(offer)
      .filter(({ credits }) => credits < price && credits <= balance)
      .map(({ resolution, credits }) => ({ offer, resolution, credits })),
  );
  const dearest = choices.toSorted((one, other) => other.credits - one.credits);
  const found = dearest.find(({ offer }) => offer === own) ?? dearest[0];
  if (!found) return undefined;
  const { aspectRatio, ...rest } = request;
  const isSameShape = found.offer === own;
  return {
    ...rest,
    tier: found.offer.id,
    resolution: found.resolution,
    ...(isSameShape && aspectRatio && { aspectRatio }),
  };
}

/** When it is possible again, in milliseconds since 1970, if waiting helps and the functions said how long. */
export function getPossibleAt(error: unknown, failedAt: number): number | undefined {
  if (!(error instanceof ApiError) || error.retryAfterMs === undefined) return undefined;
  return ['PROVIDER_QUOTA', 'SPEND_CEILING', 'PROVIDER_OVERLOADED'].includes(error.reason)
    ? failedAt + error.retryAfterMs
    : undefined;
}
