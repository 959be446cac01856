/** What the desk calculates and repeats of the contract. */
import { expect, it } from 'vitest';
import { type AdminEntry, deskItemsMax, grantCreditsMax, grantRequestSchema } from '../../shared/contract.ts';
import { lateAfterMinutes } from '../../shared/database/jobs.ts';
import { reasons } from '../../shared/errorReasons.ts';
import { ApiError } from '../../web/client.ts';
import * as limits from '../../web/desk/limits.ts';
import { findPrice, getBalanceAfter } from '../../web/desk/prices.ts';
import { deskProblemText } from '../../web/desk/problems.ts';
import { deskText } from '../../web/strings/en/desk.ts';

it('repeats the limits of the contract', () => {
  const accepts = (length: number) =>
    grantRequestSchema.safeParse({ uid: 'ann', amount: 1, reason: 'a'.repeat(length) }).success;
  expect([accepts(limits.reasonCharactersMax), accepts(limits.reasonCharactersMax + 1)]).toEqual([
    true,
    false,
  ]);
  expect(limits).toMatchObject({ newestMax: deskItemsMax, grantCreditsMax });
});

it('has a name for every job, and for every reason after a debit', () => {
  expect(Object.keys(deskText.overview.jobNames).sort()).toEqual(Object.keys(lateAfterMinutes).sort());
  const afterDebit = Object.entries(reasons).flatMap(([name, row]) => ('afterDebit' in row ? [name] : []));
  const named = Object.keys(deskText.overview.failureReasons);
  expect(afterDebit.filter((name) => name !== 'NOT_FOUND' && !named.includes(name))).toEqual([]);
});

const entry = (id: string, amount: number): AdminEntry => ({
  ...{ id, amount, sequence: 1, balance: 10, createdAt: '2026-01-01T00:00:00.000Z' },
  type: amount < 0 ? 'debit' : 'refund',
});

it.each<[string, AdminEntry[], ReturnType<typeof findPrice>]>([
  ['paid', [entry('a:debit', -4), entry('b:refund', 2)], { credits: 4, refunded: 0, isGoodwill: false }],
  ['refunded', [entry('a:refund', 4), entry('a:debit', -4)], { credits: 4, refunded: 4, isGoodwill: false }],
  [
    'refunded in part as goodwill',
    [entry('a:goodwill', 3), entry('a:debit', -4)],
    { credits: 4, refunded: 3, isGoodwill: true },
  ],
  ['older than the entries', [], { credits: undefined, refunded: 0, isGoodwill: false }],
])('knows what a generation cost that is %s', (_, entries, price) => {
  expect(findPrice(entries, 'a')).toEqual(price);
});

it.each([
  [{ balance: 10, debt: 0 }, 4, { balance: 14, debtPaid: 0 }],
  [{ balance: 0, debt: 3 }, 4, { balance: 1, debtPaid: 3 }],
  [{ balance: 0, debt: 9 }, 4, { balance: 0, debtPaid: 4 }],
  [{ balance: 10, debt: 3 }, -4, { balance: 6, debtPaid: 0 }],
])('knows the balance of %o after %i credits', (account, amount, after) => {
  expect(getBalanceAfter(account, amount)).toEqual(after);
});

it('says what is wrong with a request in sentences', () => {
  const error = new ApiError('generationId has had its goodwill refund.', {
    ...{ code: 400, reason: 'INVALID_REQUEST', retry: 'no' },
    fieldViolations: [
      { field: 'generationId', description: 'has had its goodwill refund' },
      { field: 'amount', description: 'must be from 1 to 4, the price of the generation' },
    ],
  });
  expect(deskProblemText(error)).toBe(
    'This image has had its goodwill refund. The amount must be from 1 to 4, the price of the generation.',
  );
});
