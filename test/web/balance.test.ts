import { describe, expect, it } from 'vitest';
import { applyDocument, applyReceipt } from '../../web/state/balance.ts';

const known = { balance: 70, sequence: 5 };

describe('a receipt', () => {
  it('counts where its sequence is higher, however late another comes', () => {
    expect(applyReceipt(undefined, known)).toEqual(known);
    expect(applyReceipt(known, { balance: 72, sequence: 4 })).toEqual(known);
    expect(applyReceipt(known, { balance: 68, sequence: 6 })).toEqual({ balance: 68, sequence: 6 });
  });

  it('does not take back an edit of the console that the account has shown at the same sequence', () => {
    const edited = applyDocument(known, { balance: 100, sequence: 5 });
    expect(applyReceipt(edited, known)).toEqual({ balance: 100, sequence: 5 });
  });
});

describe('the account document', () => {
  it('shows an edit of the console before it has an entry', () => {
    expect(applyDocument(known, { balance: 100, sequence: 5 })).toEqual({ balance: 100, sequence: 5 });
  });

  it('is not believed where it is older than what is known', () => {
    expect(applyDocument(known, { balance: 74, sequence: 4 })).toEqual(known);
  });

  it('may be one that an admin made by hand, with nothing but a balance', () => {
    expect(applyDocument(undefined, { balance: 74 })).toEqual({ balance: 74, sequence: 0 });
  });

  it.each([-1, 1.5, 'many', null, undefined])('changes nothing where its balance is %s', (balance) => {
    expect(applyDocument(known, { balance, sequence: 9 })).toEqual(known);
  });
});
