import { expect, test } from 'vitest';
import type { GenerateInput, TierOffer } from '../../shared/contract.ts';
import { reasons } from '../../shared/errorReasons.ts';
import { ApiError } from '../../web/client.ts';
import {
  findAffordable,
  getPossibleAt,
  getWaysOut,
  type Situation,
  type WayOut,
} from '../../web/state/waysOut.ts';
import { failureCreditsText, problemText } from '../../web/strings/messages.ts';

const usual: Situation = {
  hasCredits: false,
  isSold: true,
  isSuspended: true,
  isUnconfirmed: false,
  canBeSmaller: true,
};
const createError = (reason: string, retry: 'no' | 'new_key' | 'same_key' = 'no', retryAfterMs?: number) =>
  new ApiError('It failed.', { code: 422, reason, retry, retryAfterMs });

test.each<[string, WayOut[], Partial<Situation>?]>([
  ['CONTENT_BLOCKED', ['editPrompt']],
  ['REFERENCE_UNREADABLE', ['editReferences']],
  ['INSUFFICIENT_CREDITS', ['buy', 'smaller']],
  ['INSUFFICIENT_CREDITS', ['smaller', 'support'], { isSold: false }],
  ['INSUFFICIENT_CREDITS', ['tryAgain'], { hasCredits: true }],
  ['INSUFFICIENT_CREDITS', ['buy'], { canBeSmaller: false }],
  ['INSUFFICIENT_CREDITS', ['support'], { isSold: false, canBeSmaller: false }],
  ['INSUFFICIENT_CREDITS', ['confirmAddress'], { isUnconfirmed: true, canBeSmaller: false }],
  ['INSUFFICIENT_CREDITS', ['confirmAddress', 'smaller'], { isUnconfirmed: true }],
  ['EMAIL_NOT_VERIFIED', ['confirmAddress'], { isUnconfirmed: true }],
  ['EMAIL_NOT_VERIFIED', ['tryAgain']],
  ['ACCOUNT_SUSPENDED', ['support']],
  ['ACCOUNT_SUSPENDED', ['tryAgain'], { isSuspended: false }],
  ['ACCOUNT_INVALID', ['support']],
  ['ACCOUNT_CLOSED', ['signOut', 'support']],
  ['TERMS_NOT_ACCEPTED', ['readTerms']],
  ['DELETED', []],
])('after %s the user can %j', (reason, ways, situation) => {
  expect(getWaysOut(createError(reason), { ...usual, ...situation })).toEqual(ways);
});

test('a failure for good can be tried again, an unknown outcome is checked', () => {
  expect(getWaysOut(createError('PROVIDER_ERROR', 'new_key'), usual)).toEqual(['tryAgain']);
  expect(getWaysOut(createError('PROVIDER_ERROR', 'same_key'), usual)).toEqual(['checkAgain']);
  expect(getWaysOut(new TypeError('fetch failed'), usual)).toEqual(['checkAgain']);
});

test('what fails again with any key offers no new try', () => {
  const lasting = Object.entries(reasons).filter(([, row]) => 'isLasting' in row && row.isLasting);
  expect(lasting.length).toBeGreaterThan(0);
  for (const [reason] of lasting) expect(getWaysOut(createError(reason), usual)).not.toContain('tryAgain');
});

test('a model without quota says when it is possible again', () => {
  expect(getPossibleAt(createError('PROVIDER_QUOTA', 'same_key', 60_000), 1_000)).toBe(61_000);
  expect(getPossibleAt(createError('PROVIDER_ERROR', 'same_key', 60_000), 1_000)).toBeUndefined();
});

test('the page says “confirm”', () => {
  expect(problemText(createError('EMAIL_NOT_VERIFIED'))).toBe('Please confirm your e-mail address first.');
});

test('what is refused before a debit says that nothing was charged', () => {
  for (const reason of ['RATE_LIMITED', 'PROVIDER_QUOTA', 'SPEND_CEILING'])
    expect(failureCreditsText(createError(reason, 'same_key'))).toBe('You were not charged.');
});

const createOffer = (id: TierOffer['id'], prices: [number, number, number]): TierOffer => {
  const sizes = (['1K', '2K', '4K'] as const).map((resolution, i) => ({
    resolution,
    credits: prices[i] as number,
    width: 1024 * 2 ** i,
    height: 1024 * 2 ** i,
  }));
  return { ...(sizes[0] as (typeof sizes)[0]), id, resolutions: sizes } as unknown as TierOffer;
};
const tiers = [createOffer('standard', [1, 2, 4]), createOffer('premium4', [4, 8, 16])];

test.each<[string, Partial<GenerateInput>, number, Partial<GenerateInput> | undefined]>([
  [
    'a lower resolution first',
    { tier: 'premium4', resolution: '4K' },
    9,
    { tier: 'premium4', resolution: '2K' },
  ],
  ['the lowest one', { tier: 'premium4', resolution: '4K' }, 4, { tier: 'premium4', resolution: '1K' }],
  ['then another shape', { tier: 'premium4', resolution: '4K' }, 3, { tier: 'standard', resolution: '2K' }],
  [
    'which has its own ratio',
    { tier: 'premium4', aspectRatio: '21:9' },
    1,
    { tier: 'standard', resolution: '1K', aspectRatio: undefined },
  ],
  ['nothing if no image is cheap enough', { tier: 'premium4', resolution: '4K' }, 0, undefined],
  ['nothing for the cheapest image', { tier: 'standard' }, 0, undefined],
])('what the balance pays for: %s', (_, request, balance, expected) => {
  const found = findAffordable({ prompt: 'A barn', ...request } as GenerateInput, tiers, balance);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toEqual({ prompt: 'A barn', ...expected });
});
