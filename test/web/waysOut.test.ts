import { expect, test } from 'vitest';
import { reasons } from '../../shared/errorReasons.ts';
import { ApiError } from '../../web/client.ts';
import { getPossibleAt, getWaysOut, type Situation, type WayOut } from '../../web/state/waysOut.ts';
import { failureCreditsText } from '../../web/strings/messages.ts';

const usual: Situation = { hasCredits: false, isSold: true, isSuspended: true };
const createError = (reason: string, retry: 'no' | 'new_key' | 'same_key' = 'no', retryAfterMs?: number) =>
  new ApiError('It failed.', { code: 422, reason, retry, retryAfterMs });

test.each<[string, WayOut[], Partial<Situation>?]>([
  ['CONTENT_BLOCKED', ['editPrompt']],
  ['REFERENCE_UNREADABLE', ['editReferences']],
  ['INSUFFICIENT_CREDITS', ['buy', 'smaller']],
  ['INSUFFICIENT_CREDITS', ['smaller', 'support'], { isSold: false }],
  ['INSUFFICIENT_CREDITS', ['tryAgain'], { hasCredits: true }],
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

test('what is refused before a debit says that nothing was charged', () => {
  for (const reason of ['RATE_LIMITED', 'PROVIDER_QUOTA', 'SPEND_CEILING'])
    expect(failureCreditsText(createError(reason, 'same_key'))).toBe('You were not charged.');
});
