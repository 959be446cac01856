/** The rules of credit under random sequences of edits, holds and refunds. */
import { describe, expect, it } from 'vitest';
import { type Data, removed, type Write } from '../../../shared/database/database.ts';
import { type Account, findInvalidField, parseAccount } from '../../../shared/ledger/account.ts';
import {
  andThen,
  type Change,
  debit,
  recordEdit,
  refundCredits,
  toWrites,
} from '../../../shared/ledger/creditChanges.ts';
import { refuseHold } from '../../../shared/ledger/refusals.ts';
import { fc } from '../../support/properties.ts';
import { creditsLimit, document, now, terms, unbilled } from './exampleAccount.ts';

/** A database of one account, which applies the writes of a change. */
function createAccountStore() {
  let data: Data | undefined;
  const entries = new Map<string, { amount: number; balance: number; sequence: number }>();
  const running = new Map<string, number>();
  let clock = now.getTime();

  const list = () => [...entries.values()].sort((a, b) => a.sequence - b.sequence);
  const apply = (writes: Write[]) => {
    for (const write of writes) {
      if ('update' in write) {
        const fields = Object.entries({ ...data, ...write.data }).filter(([, value]) => value !== removed);
        data = Object.fromEntries(fields);
      } else if ('create' in write) {
        if (entries.has(write.create)) throw new Error(`The entry exists: ${write.create}`);
        entries.set(write.create, write.data as never);
      }
    }
  };
  /** Reads, decides and commits, as every command of the ledger does. */
  const commit = (rule: (account: Account, at: Date) => Change | undefined) => {
    clock += 1_000;
    data ??= { balance: 0 };
    const before = parseAccount(document(data), list().at(-1));
    const change = rule(before, new Date(clock));
    if (change) apply(toWrites(before, change, new Date(clock)));
  };

  return {
    edit: (fields: Data) => {
      data = { ...data, ...fields };
    },
    erase: () => {
      data = undefined;
    },
    record: () => commit((before) => (findInvalidField(before) ? undefined : recordEdit(before))),
    hold: (generationId: string, credits: number) =>
      commit((before, at) => {
        if (findInvalidField(before)) return undefined;
        const upToDate = recordEdit(before);
        const holdTerms = terms({
          generationId,
          credits,
          now: at,
          deadline: new Date(at.getTime() + 180_000),
        });
        if (refuseHold(upToDate.account, holdTerms)) return upToDate;
        running.set(generationId, credits);
        return andThen(upToDate, (ready) => debit(ready, holdTerms));
      }),
    refundOne: (which: number) => {
      const id = [...running.keys()][which % Math.max(1, running.size)];
      if (id === undefined) return;
      const credits = running.get(id) ?? 0;
      running.delete(id);
      commit((before) =>
        andThen(recordEdit(before), (edited) => refundCredits(edited, unbilled(id, credits, 'NO_IMAGE'))),
      );
    },
    settleOne: (which: number) => {
      const id = [...running.keys()][which % Math.max(1, running.size)];
      if (id !== undefined) running.delete(id);
    },
    state: () => ({ data, entries: list() }),
  };
}

type AccountStore = ReturnType<typeof createAccountStore>;
type Step = { name: string; do: (store: AccountStore, index: number) => void };
const anyBalance = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(creditsLimit, creditsLimit - 1) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>('x', -3, 1.5, null, undefined, Number.NaN, creditsLimit + 1),
  },
);
const anyAdjust = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -15, max: 15 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('x', 0.5, null, -creditsLimit, creditsLimit) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  anyBalance.map((balance) => ({
    name: `balance=${balance}`,
    do: (store: AccountStore) => store.edit({ balance }),
  })),
  anyAdjust.map((adjust) => ({
    name: `adjust=${adjust}`,
    do: (store: AccountStore) => store.edit({ adjust }),
  })),
  fc.constant({ name: 'note', do: (store: AccountStore) => store.edit({ note: 'why' }) }),
  fc.constant({ name: 'erase', do: (store: AccountStore) => store.erase() }),
  fc.constant({ name: 'record', do: (store: AccountStore) => store.record() }),
  fc.constantFrom(1, 2, 4).map((credits) => ({
    name: `hold ${credits}`,
    do: (store: AccountStore, index: number) => store.hold(`g${index}`, credits),
  })),
  fc.nat().map((which) => ({ name: `refund ${which}`, do: (store: AccountStore) => store.refundOne(which) })),
  fc.nat().map((which) => ({ name: `settle ${which}`, do: (store: AccountStore) => store.settleOne(which) })),
);

describe('any sequence of edits, holds and refunds', () => {
  const steps = fc.array(step, { maxLength: 40 });
  const sum = (list: { amount: number }[]) => list.reduce((total, { amount }) => total + amount, 0);

  it('keeps `settled` at the sum of the entries, every balance correct and the sequence without a gap', () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        const store = createAccountStore();
        for (const [index, { do: act }] of drawn.entries()) {
          act(store, index);
          const { data, entries } = store.state();
          expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, i) => i + 1));
          expect(entries.map(({ balance }) => balance)).toEqual(
            entries.map((_, i) => sum(entries.slice(0, i + 1))),
          );
          expect(entries.every(({ amount }) => amount !== 0)).toBe(true);
          if (data && 'settled' in data) {
            expect(data.settled).toBe(sum(entries));
            expect(data.sequence).toBe(entries.length);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never overwrites an invalid balance, and adds up once it is corrected', () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        const store = createAccountStore();
        for (const [index, { name, do: act }] of drawn.entries()) {
          const before = store.state().data;
          act(store, index);
          const after = store.state().data;
          const wasInvalid = before && parseAccount(document(before)).balance === null;
          if (wasInvalid && !name.startsWith('balance') && name !== 'erase') {
            expect(after?.balance).toBe(before.balance);
          }
        }
        store.edit({ balance: 7, adjust: undefined });
        store.record();
        const { data, entries } = store.state();
        expect(data).toMatchObject({ balance: 7, settled: 7, sequence: entries.length });
        expect(sum(entries)).toBe(7);
      }),
      { numRuns: 500 },
    );
  });

  it('never writes a negative balance', () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        const store = createAccountStore();
        for (const [index, { do: act }] of drawn.entries()) act(store, index);
        expect(store.state().entries.every(({ balance }) => balance >= 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
