/** The rules of purchases, for any amounts and any order of what Stripe says. */
import { describe, expect, it } from 'vitest';
import type { Account } from '../../../shared/ledger/account.ts';
import { andThen, type Change, grantCredits, unchanged } from '../../../shared/ledger/creditChanges.ts';
import {
  addPurchase,
  applyReversal,
  computeClaim,
  type Purchase,
  type Reversal,
} from '../../../shared/ledger/purchaseRules.ts';
import { fc } from '../../support/properties.ts';
import { account as createAccount } from './exampleAccount.ts';

const purchaseOf = (credits: number, amount: number): Purchase => ({
  credits,
  amount,
  claim: 0,
  refunds: {},
  disputes: {},
});

const amounts = fc.record({
  credits: fc.integer({ min: 1, max: 1_000_000_000 }),
  amount: fc.integer({ min: 1, max: 99_999_999 }),
});

describe('the claim', () => {
  it('is exact for the largest numbers', () => {
    const credits = 999_999_999;
    const amount = 99_999_999;
    const taken = 99_999_998;
    const expected = Number((BigInt(credits) * BigInt(taken)) / BigInt(amount));
    expect(computeClaim({ credits, amount, refunds: { re: taken }, disputes: {} })).toBe(expected);
  });

  it('is nothing without refunds, all with all of them, and never more', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 99_999_999 }), ({ credits, amount }, extra) => {
        const claim = (taken: number) =>
          computeClaim({ credits, amount, refunds: {}, disputes: { du: taken } });
        expect([claim(0), claim(amount), claim(amount + extra)]).toEqual([0, credits, credits]);
      }),
    );
  });
});

type Step = { reversal: Reversal; grant: number };

const steps = (amount: number) =>
  fc.array(
    fc.record({
      reversal: fc
        .record({
          kind: fc.constantFrom('refund' as const, 'dispute' as const),
          number: fc.integer({ min: 0, max: 3 }),
          isReturned: fc.boolean(),
          kept: fc.constantFrom(0, 0, 0, 0.5),
        })
        .map(({ kind, number, isReturned, kept }): Reversal => {
          // The same object always has the same amount. All of them together are far more than was paid.
          const whole = Math.max(1, Math.floor((amount * (number + 1)) / 4));
          const left = isReturned ? (kind === 'dispute' ? Math.floor(whole * kept) : 0) : whole;
          return { kind, id: `${kind}${number}`, amount: whole, left, isReturned };
        }),
      grant: fc.constantFrom(0, 0, 1, 50),
    }),
    { maxLength: 20 },
  );

/** Applies one step, and knows the entries from those before. */
function apply(
  { change, purchase }: { change: Change; purchase: Purchase },
  { reversal, grant }: Step,
  index: number,
) {
  const ids = new Set(change.entries.map(({ id }) => id));
  const known = {
    clawback: ids.has(`clawback:${reversal.id}`),
    reinstatement: ids.has(`reinstatement:${reversal.id}`),
  };
  const next = applyReversal(change.account, purchase, reversal, known, new Date(index));
  const reversed = andThen(change, () => next.change);
  const granted =
    grant === 0
      ? reversed
      : andThen(reversed, (account) =>
          grantCredits(account, { id: `grant${index}`, amount: grant, reason: 'Test', actor: 'admin' }),
        );
  return { change: granted, purchase: next.purchase };
}

function check(account: Account, { change, purchase }: { change: Change; purchase: Purchase }): void {
  const sum = (types: string[]) =>
    change.entries
      .filter(({ type }) => types.includes(type))
      .reduce((total, { amount }) => total + amount, 0);
  expect(sum(['purchase', 'clawback', 'reinstatement']) - change.account.debt).toBe(
    purchase.credits - purchase.claim,
  );
  expect(change.account.balance).toBeGreaterThanOrEqual(0);
  expect(change.account.debt).toBeGreaterThanOrEqual(0);
  expect(purchase.claim).toBe(computeClaim(purchase));
  expect(change.account.balance).toBe(
    (account.balance ?? 0) + sum(['purchase', 'clawback', 'reinstatement', 'grant']),
  );
  expect(new Set(change.entries.map(({ id }) => id)).size).toBe(change.entries.length);
  expect(change.entries.map(({ sequence }) => sequence)).toEqual(
    change.entries.map((_, i) => account.sequence + i + 1),
  );
}

describe('any history', () => {
  it('adds up after every step, and every object moves credits once', () => {
    const history = amounts.chain((size) =>
      fc.record({
        size: fc.constant(size),
        list: steps(size.amount),
        spent: fc.integer({ min: 0, max: 100 }),
      }),
    );
    fc.assert(
      fc.property(history, ({ size: { credits, amount }, list, spent }) => {
        const account = createAccount({ balance: 0, settled: 0, sequence: 0 });
        const bought = addPurchase(account, 'cs', credits);
        let state = { change: bought, purchase: purchaseOf(credits, amount) };
        check(account, state);
        const part = Math.floor((credits * spent) / 100);
        state.change = andThen(state.change, (current) =>
          grantCredits(current, { id: 'spent', amount: -part, reason: 'Spent', actor: 'admin' }),
        );
        for (const [i, step] of list.entries()) {
          state = apply(state, step, i);
          check(account, state);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of refunds that never fail ends in the same claim in any order', () => {
    fc.assert(
      fc.property(
        amounts,
        fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        ({ credits, amount }, parts, order) => {
          const refunds = parts.map(
            (part, i): Reversal => ({
              kind: 'refund',
              id: `re${i}`,
              amount: part,
              left: part,
              isReturned: false,
            }),
          );
          const shuffled = refunds
            .map((refund) => ({ refund, at: order.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ refund }) => refund);
          const claims = [refunds, shuffled].map((list) => {
            let state = { change: unchanged(createAccount()), purchase: purchaseOf(credits, amount) };
            for (const [i, reversal] of list.entries()) state = apply(state, { reversal, grant: 0 }, i);
            return state.purchase.claim;
          });
          expect(claims[0]).toBe(claims[1]);
        },
      ),
    );
  });
});
