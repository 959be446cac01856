import { describe, expect, it } from 'vitest';
import type { Entry } from '../../shared/contract.ts';
import { groupEntries, listMonths, sumLines, toCsv, toMonth } from '../../web/state/ledgerLines.ts';
import { entryExplanation, imageOutcomes } from '../../web/strings/ledger.ts';

/** Entries from the newest to the oldest, with the balances that follow from the amounts. */
function listEntries(...entries: (Pick<Entry, 'type' | 'amount'> & Partial<Entry>)[]): Entry[] {
  let balance = 0;
  return entries
    .toReversed()
    .map((entry, i) => {
      balance += entry.amount;
      const sequence = i + 1;
      return {
        id: `entry-${sequence}`,
        sequence,
        balance,
        createdAt: `2026-11-0${sequence}T12:00:00Z`,
        ...entry,
      };
    })
    .toReversed();
}

const image = { generationId: 'one' };

describe('the lines of the ledger', () => {
  const entries = listEntries(
    { type: 'grant', amount: 2, ...image },
    { type: 'debit', amount: -1, generationId: 'two' },
    { type: 'refund', amount: 4, reason: 'NO_IMAGE', ...image },
    { type: 'debit', amount: -4, ...image },
    { type: 'purchase', amount: 10 },
  );

  it('have one line for an image: its debit, its refund and what support returned', () => {
    const lines = groupEntries(entries);
    expect(lines.map(({ id, amount, balance }) => [id, amount, balance])).toEqual([
      ['one', 2, 11],
      ['two', -1, 9],
      ['entry-1', 10, 10],
    ]);
    expect(lines[0]).toMatchObject({ ...image, createdAt: '2026-11-05T12:00:00Z' });
    expect(imageOutcomes(lines[0]?.entries ?? [])).toEqual([
      '2 credits returned by support',
      'Refunded: the model returned no usable image',
    ]);
  });

  it('keep the order of what is loaded when older entries follow', () => {
    const ids = (all: Entry[]) => groupEntries(all).map(({ id }) => id);
    expect(ids(entries).slice(0, 2)).toEqual(ids(entries.slice(0, 2)));
  });

  it('have sums in which a refund lowers what was spent', () => {
    expect(sumLines(groupEntries(entries))).toEqual({ spent: -1, added: 10 });
  });
});

describe('explanations', () => {
  const explain = (entry: Partial<Entry>) =>
    entryExplanation({ ...listEntries({ type: 'grant', amount: 1 })[0], ...entry } as Entry);

  it('say in plain words what a payment did', () => {
    expect(explain({ id: 'clawback:re_1', type: 'clawback' })).toContain('We returned your payment');
    expect(explain({ id: 'reinstatement:re_1', type: 'reinstatement' })).toContain(
      'did not accept the refund',
    );
    expect(explain({ id: 'clawback:du_1', type: 'clawback' })).toContain('Your bank took the payment back');
    expect(explain({ id: 'reinstatement:du_1', type: 'reinstatement' })).toContain('payment is ours again');
    expect(explain({ id: 'purchase:cs_1:debt', type: 'clawback' })).toContain(
      'returned after you had spent them',
    );
    expect(explain({ type: 'grant', reason: 'signup' })).toContain('first visit');
    expect(explain({ type: 'debit' })).toBeUndefined();
  });
});

describe('months', () => {
  it('are listed from the newest to the first, over the end of a year', () => {
    expect(listMonths('2025-11', '2026-02')).toEqual(['2026-02', '2026-01', '2025-12', '2025-11']);
  });

  it('are at most 120', () => {
    expect(listMonths('1970-01', '2026-02')).toHaveLength(120);
  });

  it('are those of the user, not of UTC', () => {
    const date = new Date(2026, 10, 1, 0, 0, 1);
    expect(toMonth(date.toISOString())).toBe('2026-11');
  });
});

describe('a CSV file', () => {
  it('quotes what needs it, and lets no cell become a formula', () => {
    const csv = toCsv([
      ['What', 'Credits'],
      ['A note: "5", twice', -4],
      ['=HYPERLINK("https://example.com")', 1],
      ['-1+1', 2],
    ]);
    expect(csv).toBe(
      `\ufeffWhat,Credits\r\n"A note: ""5"", twice",-4\r\n"'=HYPERLINK(""https://example.com"")",1\r\n'-1+1,2\r\n`,
    );
  });
});
