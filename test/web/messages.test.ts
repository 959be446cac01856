import { expect, test } from 'vitest';
import {
  type Generation,
  promptCharactersMax,
  type Receipt,
  type Retry,
  reportDetailsCharactersMax,
  type TierOffer,
} from '../../shared/contract.ts';
import { ApiError } from '../../web/client.ts';
import * as limits from '../../web/limits.ts';
import { fileName } from '../../web/saveFile.ts';
import { getShape } from '../../web/state/shapes.ts';
import { clockTime, signed } from '../../web/strings/format.ts';
import { entryText } from '../../web/strings/ledger.ts';
import { costText, failureCreditsText, removalText } from '../../web/strings/messages.ts';

const createReceipt = (charged: number, refunded: number): Receipt => ({
  charged,
  refunded,
  balance: 74,
  sequence: 3,
});

const createError = (retry: Retry, receipt: Receipt | undefined) =>
  new ApiError('It failed.', {
    code: 500,
    reason: 'INTERNAL',
    retry,
    receipt,
    retryAfterMs: undefined,
    body: '',
  });

test.each<[string, Retry, Receipt | undefined, string]>([
  ['refused before any debit', 'no', undefined, 'You were not charged.'],
  ['refunded', 'new_key', createReceipt(4, 4), 'Your 4 credits were refunded.'],
  ['a single credit refunded', 'new_key', createReceipt(1, 1), 'Your 1 credit was refunded.'],
  ['refunded in part', 'new_key', createReceipt(4, 3), '3 of 4 credits were refunded.'],
  ['one credit refunded of several', 'new_key', createReceipt(4, 1), '1 of 4 credits was refunded.'],
  ['deleted after it was charged', 'no', createReceipt(1, 0), 'You were charged 1 credit.'],
  ['from the cache, then deleted', 'no', createReceipt(0, 0), 'You were not charged.'],
  [
    'unsettled',
    'same_key',
    createReceipt(2, 0),
    'We do not know the result yet. Checking again cannot charge you twice.',
  ],
])('a failure says what happened to the credits: %s', (_, retry, receipt, text) => {
  expect(failureCreditsText(createError(retry, receipt))).toBe(text);
});

test.each([
  ['no answer', new TypeError('fetch failed')],
  ['a proxy’s refusal', new ApiError('No.', { code: 403, reason: 'UNKNOWN', retry: 'no' })],
])('only an answer of the functions settles a generation: %s', (_, error) => {
  expect(failureCreditsText(error)).toMatch(/^We do not know the result yet/);
});

test('costText has the cost and the balance', () => {
  expect(costText(createReceipt(4, 0))).toBe('Cost: 4 credits. Balance: 74 credits.');
  expect(costText(createReceipt(0, 0))).toBe('Free of charge. Balance: 74 credits.');
});

test('a portrait has the sides of the landscape swapped', () => {
  const size = { width: 1248, height: 832 };
  const offer: TierOffer = { id: 'premium2', credits: 2, aspectRatio: '3:2', ...size, resolutions: [] };
  expect(getShape(offer, 'landscape')).toEqual({ width: 1248, height: 832 });
  expect(getShape(offer, 'portrait')).toEqual({ width: 832, height: 1248 });
});

test('amounts have a sign, and seconds have two digits', () => {
  expect([signed(5), signed(-4), signed(0)]).toEqual(['+5', '−4', '0']);
  expect([clockTime(-5), clockTime(7_900), clockTime(83_000)]).toEqual(['0:00', '0:07', '1:23']);
});

test('entries have a readable type, and refunds a readable reason', () => {
  const entry = { id: 'e', sequence: 2, amount: 4, balance: 74, createdAt: '2026-01-01T00:00:00Z' };
  expect(entryText({ ...entry, type: 'debit' })).toBe('Image');
  expect(entryText({ ...entry, type: 'adjustment' })).toBe('Adjustment');
  expect(entryText({ ...entry, type: 'grant', reason: 'welcome' })).toBe('Credits added: welcome');
  expect(entryText({ ...entry, type: 'grant', amount: -4, reason: 'mistake' })).toBe(
    'Credits taken: mistake',
  );
  expect(entryText({ ...entry, type: 'refund', reason: 'CONTENT_BLOCKED' })).toBe(
    'Refunded: the model declined this prompt',
  );
  expect(entryText({ ...entry, type: 'refund', reason: 'INTERNAL' })).toBe(
    'Refunded: an error in the studio',
  );
});

test.each([
  ['purchase:cs_1', 'purchase', 'Credits bought'],
  ['clawback:re_1', 'clawback', 'Payment refunded'],
  ['clawback:pyr_1', 'clawback', 'Payment refunded'],
  ['clawback:du_1', 'clawback', 'Payment disputed'],
  ['clawback:dp_1', 'clawback', 'Payment disputed'],
  ['reinstatement:re_1', 'reinstatement', 'Refund did not go through: credits restored'],
  ['reinstatement:dp_1', 'reinstatement', 'Dispute ended: credits restored'],
  ['purchase:cs_1:debt', 'clawback', 'Debt paid off'],
  ['clawback:other_1', 'clawback', 'Payment returned'],
] as const)('the entry %s is named in plain words', (id, type, text) => {
  const entry = { id, type, sequence: 2, amount: 4, balance: 74, createdAt: '2026-01-01T00:00:00Z' };
  expect(entryText(entry)).toBe(text);
});

test('file names are made safe from any prompt', () => {
  const id = '96fba6fc7730bcb96314240eb7a653b3';
  expect(fileName('A banana: "in" a/space\\suit', id, 'image/png')).toBe(
    'a-banana-in-a-space-suit-96fba6fc.png',
  );
  expect(fileName('../..', id, 'image/webp')).toBe('image-96fba6fc.webp');
  expect(fileName(null, id, 'image/jpeg')).toBe('image-96fba6fc.jpeg');
});

test('the repeated limits equal those of the contract', () => {
  expect(limits).toMatchObject({ promptCharactersMax, reportDetailsCharactersMax });
});

test('a removed image says why, in the words of a report or of the admin', () => {
  const removed = (removedReason: string) => removalText({ removedReason } as Generation);
  expect(removed('violence')).toBe('The studio removed this image. Reason: It shows violence.');
  expect(removed('A court order')).toBe('The studio removed this image. Reason: A court order.');
});
