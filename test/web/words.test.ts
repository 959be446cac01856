import { expect, test } from 'vitest';
import type { Receipt, Retry } from '../../shared/contract.ts';
import { ApiError } from '../../web/api.ts';
import { failureCreditsText, laterBalance, paidText, shapeOf, signed } from '../../web/words.ts';

const receiptOf = (charged: number, refunded: number): Receipt => ({
  charged,
  refunded,
  balance: 74,
  sequence: 3,
});

test.each<[string, Retry, Receipt | undefined, string]>([
  ['refused before any debit', 'no', undefined, 'You were not charged.'],
  ['given back', 'new_key', receiptOf(2, 2), '2 credits charged and given back. You have 74 credits.'],
  ['deleted, and paid for', 'no', receiptOf(1, 0), 'It cost 1 credit. You have 74 credits.'],
  ['from the cache, and deleted', 'no', receiptOf(0, 0), 'You were not charged.'],
  [
    'not settled',
    'same_key',
    receiptOf(2, 0),
    'Nothing is settled yet. Asking again cannot charge you twice.',
  ],
])('a failure says what became of the credits: %s', (_, retry, receipt, text) => {
  const error = new ApiError('It failed.', { code: 500, reason: 'INTERNAL', retry, receipt });
  expect(failureCreditsText(error)).toBe(text);
});

test('what a picture has cost', () => {
  expect(paidText(receiptOf(4, 0))).toBe('It cost 4 credits.');
  expect(paidText(receiptOf(0, 0))).toBe('It cost nothing.');
});

test('of several balances the one of the highest sequence counts, however late another comes', () => {
  const later = { balance: 70, sequence: 5 };
  expect(laterBalance(later, { balance: 72, sequence: 4 })).toBe(later);
  expect(laterBalance(later, { balance: 68, sequence: 6 }).balance).toBe(68);
  // An admin's edit shows before it has an entry.
  expect(laterBalance(later, { balance: 100, sequence: 5 }).balance).toBe(100);
  expect(laterBalance(undefined, later)).toBe(later);
});

test('a portrait is the landscape turned', () => {
  const offer = { id: 'premium2', credits: 2, aspectRatio: '3:2', width: 1248, height: 832 } as const;
  expect(shapeOf(offer, 'landscape')).toEqual({ aspectRatio: '3:2', width: 1248, height: 832 });
  expect(shapeOf(offer, 'portrait')).toEqual({ aspectRatio: '2:3', width: 832, height: 1248 });
});

test('an amount has its sign', () => {
  expect([signed(5), signed(-4)]).toEqual(['+5', '−4']);
});
