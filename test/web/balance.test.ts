import { describe, expect, it } from 'vitest';
import { applyDocument, applyReceipt, getDebt } from '../../web/state/balance.ts';

const current = { balance: 70, sequence: 5 };

describe('applyReceipt', () => {
  it('keeps the highest sequence, in whatever order receipts arrive', () => {
    expect(applyReceipt(undefined, current)).toEqual(current);
    expect(applyReceipt(current, { balance: 72, sequence: 4 })).toEqual(current);
    expect(applyReceipt(current, { balance: 68, sequence: 6 })).toEqual({ balance: 68, sequence: 6 });
  });

  it('keeps a console edit that the document showed at the same sequence', () => {
    const edited = applyDocument(current, { balance: 100, sequence: 5 });
    expect(applyReceipt(edited, current)).toEqual({ balance: 100, sequence: 5 });
  });
});

describe('applyDocument', () => {
  it('shows a console edit before the ledger has an entry for it', () => {
    expect(applyDocument(current, { balance: 100, sequence: 5 })).toEqual({ balance: 100, sequence: 5 });
  });

  it('ignores a document older than the current balance', () => {
    expect(applyDocument(current, { balance: 74, sequence: 4 })).toEqual(current);
  });

  it('accepts a document that an admin created by hand, with only a balance', () => {
    expect(applyDocument(undefined, { balance: 74 })).toEqual({ balance: 74, sequence: 0 });
  });

  it.each([-1, 1.5, 'many', null, undefined])('ignores the invalid balance %s', (balance) => {
    expect(applyDocument(current, { balance, sequence: 9 })).toEqual(current);
  });
});

it.each([
  [{ debt: 30 }, 30],
  [{ debt: 0 }, 0],
  [{}, 0],
  [{ debt: -5 }, 0],
  [{ debt: 'much' }, 0],
])('the debt of %j is %i', (fields, debt) => {
  expect(getDebt(fields)).toBe(debt);
});
