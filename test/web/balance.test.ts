import { describe, expect, it } from 'vitest';
import { afterDocument, afterReceipt } from '../../web/state/balance.ts';

const known = { balance: 70, sequence: 5 };

describe('a receipt', () => {
  it('counts where its sequence is higher, however late another comes', () => {
    expect(afterReceipt(undefined, known)).toEqual(known);
    expect(afterReceipt(known, { balance: 72, sequence: 4 })).toEqual(known);
    expect(afterReceipt(known, { balance: 68, sequence: 6 })).toEqual({ balance: 68, sequence: 6 });
  });

  it('does not take back an edit of the console that the account has shown at the same sequence', () => {
    const edited = afterDocument(known, { balance: 100, sequence: 5 });
    expect(afterReceipt(edited, known)).toEqual({ balance: 100, sequence: 5 });
  });
});

describe('the account document', () => {
  it('shows an edit of the console before it has an entry', () => {
    expect(afterDocument(known, { balance: 100, sequence: 5 })).toEqual({ balance: 100, sequence: 5 });
  });

  it('is not believed where it is older than what is known', () => {
    expect(afterDocument(known, { balance: 74, sequence: 4 })).toEqual(known);
  });

  it('may be one that an admin made by hand, with nothing but a balance', () => {
    expect(afterDocument(undefined, { balance: 74 })).toEqual({ balance: 74, sequence: 0 });
  });

  it.each([-1, 1.5, 'many', null, undefined])('changes nothing where its balance is %s', (balance) => {
    expect(afterDocument(known, { balance, sequence: 9 })).toEqual(known);
  });
});
