import { expect, test } from 'vitest';
import { promptCharactersMax, type Receipt, type Retry } from '../../shared/contract.ts';
import { ApiError } from '../../web/client.ts';
import * as limits from '../../web/limits.ts';
import {
  clockTime,
  costText,
  entryText,
  failureCreditsText,
  fileName,
  getShape,
  signed,
} from '../../web/words.ts';

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
  ['given back', 'new_key', createReceipt(4, 4), 'Your 4 credits are back.'],
  ['the only one given back', 'new_key', createReceipt(1, 1), 'Your 1 credit is back.'],
  ['given back in part', 'new_key', createReceipt(4, 3), '3 credits of 4 are back.'],
  ['deleted, and paid for', 'no', createReceipt(1, 0), 'It cost 1 credit.'],
  ['from the cache, and deleted', 'no', createReceipt(0, 0), 'You were not charged.'],
  [
    'not settled',
    'same_key',
    createReceipt(2, 0),
    'Nothing is settled yet. Asking again cannot charge you twice.',
  ],
])('a failure says what became of the credits: %s', (_, retry, receipt, text) => {
  expect(failureCreditsText(createError(retry, receipt))).toBe(text);
});

test.each([
  ['no answer', new TypeError('fetch failed')],
  ['a proxy’s refusal', new ApiError('No.', { code: 403, reason: 'UNKNOWN', retry: 'no' })],
])('what no function said is not taken for settled: %s', (_, error) => {
  expect(failureCreditsText(error)).toMatch(/^Nothing is settled yet/);
});

test('what an image has cost', () => {
  expect(costText(createReceipt(4, 0))).toBe('It cost 4 credits; you have 74 credits.');
  expect(costText(createReceipt(0, 0))).toBe('It cost nothing; you have 74 credits.');
});

test('a portrait is the landscape turned', () => {
  const offer = { id: 'premium2', credits: 2, aspectRatio: '3:2', width: 1248, height: 832 } as const;
  expect(getShape(offer, 'landscape')).toEqual({ aspectRatio: '3:2', width: 1248, height: 832 });
  expect(getShape(offer, 'portrait')).toEqual({ aspectRatio: '2:3', width: 832, height: 1248 });
});

test('an amount has its sign, a time its two digits', () => {
  expect([signed(5), signed(-4)]).toEqual(['+5', '−4']);
  expect([clockTime(-5), clockTime(7_900), clockTime(83_000)]).toEqual(['0:00', '0:07', '1:23']);
});

test('an entry says what it is, and a refund why, in words', () => {
  const entry = { id: 'e', sequence: 2, amount: 4, balance: 74, createdAt: '2026-01-01T00:00:00Z' };
  expect(entryText({ ...entry, type: 'debit' })).toBe('Image');
  expect(entryText({ ...entry, type: 'grant', reason: 'welcome' })).toBe('Credits added: welcome');
  expect(entryText({ ...entry, type: 'refund', reason: 'CONTENT_BLOCKED' })).toBe(
    'Given back: the model would not paint it',
  );
  expect(entryText({ ...entry, type: 'refund', reason: 'INTERNAL' })).toBe('Given back: the studio failed');
});

test('a file is named by its prompt, whatever that holds', () => {
  const id = '96fba6fc7730bcb96314240eb7a653b3';
  expect(fileName('A banana: "in" a/space\\suit', id, 'image/png')).toBe(
    'a-banana-in-a-space-suit-96fba6fc.png',
  );
  expect(fileName('../..', id, 'image/webp')).toBe('image-96fba6fc.webp');
  expect(fileName(null, id, 'image/jpeg')).toBe('image-96fba6fc.jpeg');
});

test('the limits that the page repeats are those of the contract', () => {
  expect(limits.promptCharactersMax).toBe(promptCharactersMax);
});
