/** The rules of credit by themselves: no database, no clock. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Data,
  removed,
  type StoredDocument,
  type Version,
  type Write,
} from '../../../shared/database/database.ts';
import { type Account, findInvalidField, isOpened, parseAccount } from '../../../shared/ledger/account.ts';
import {
  andThen,
  type Change,
  debit,
  type HoldParams,
  inFlight,
  recordEdit,
  refundCredits,
  refuseHold,
  refuseSuspended,
  signupGrant,
  toWrites,
} from '../../../shared/ledger/credits.ts';

/** Credits are counted in ones as far as a double can, and a refund must fit in as well. */
const creditsLimit = Number.MAX_SAFE_INTEGER - 1_000_000_000_000;

/** Whether there is something of an admin's to record. */
const hasEdit = (read: Account) => recordEdit(read).account !== read;

const version: Version = { isEqual: () => true };
const now = new Date('2026-11-22T12:00:00Z');
const seconds = (after: number) => new Date(now.getTime() + after * 1000);
const document = (data: Data): StoredDocument => ({ path: 'accounts/u', id: 'u', data, version });
const account = (data: Data = {}) =>
  parseAccount(document({ balance: 10, settled: 10, sequence: 3, createdAt: now, ...data }));
const terms = (more: Partial<HoldParams> = {}): HoldParams => ({
  generationId: 'g',
  credits: 1,
  deadline: seconds(180),
  now,
  limits: { maxInFlightPerUser: 2, maxPerMinutePerUser: 3, maxRefundsPerHourPerUser: 1_000 },
  ...more,
});

const refunded = (generationId: string, credits: number, reason: string) => ({
  generationId,
  credits,
  reason,
  billed: false,
  now,
});

describe('reading an account', () => {
  it.each([0, 1, 74, creditsLimit])('a balance of %s is valid', (balance) => {
    const read = account({ balance });
    expect(read.balance).toBe(balance);
    expect(findInvalidField(read)).toBeUndefined();
  });

  it.each([
    '10',
    -1,
    0.5,
    null,
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    creditsLimit + 1,
    2 ** 53,
    true,
    [],
    {},
    now,
    10n,
  ])('a balance of %s is not, and is the admin’s to mend', (balance) => {
    const read = account({ balance });
    expect(read.balance).toBeNull();
    expect(findInvalidField(read)).toBe('balance');
  });

  it.each([
    [undefined, undefined],
    [0, undefined],
    [-10, undefined],
    [5, undefined],
    [creditsLimit - 10, undefined],
    [-11, 'adjust'],
    [creditsLimit, 'adjust'],
    ['5', 'adjust'],
    [0.5, 'adjust'],
    [null, 'adjust'],
    [Number.NaN, 'adjust'],
  ])('an adjust of %s on 10 credits: %s is at fault', (adjust, field) => {
    expect(findInvalidField(account({ adjust }))).toBe(field);
  });

  it('one that an admin made by hand has no books; they are taken up from the newest entry', () => {
    const byHand = document({ balance: 74 });
    expect(isOpened(byHand)).toBe(false);
    expect(parseAccount(byHand)).toMatchObject({ balance: 74, ledgerBalance: 0, sequence: 0 });
    expect(parseAccount(byHand, { balance: 9, sequence: 5 })).toMatchObject({
      ledgerBalance: 9,
      sequence: 5,
    });
    expect(isOpened(document({ balance: 74, settled: 'x', sequence: 1 }))).toBe(false);
    expect(isOpened(document({ balance: 74, settled: 1, sequence: -1 }))).toBe(false);
  });

  it('fields that an admin spoiled are as if they were not there', () => {
    expect(
      account({ active: 'x', rate: 7, note: 5, email: 1, createdAt: 'then', suspended: null }),
    ).toMatchObject({
      rate: [],
      note: undefined,
      email: undefined,
      createdAt: undefined,
      suspended: false,
    });
    expect(account({ active: 'x' }).active).toEqual({});
    const mixed = account({ active: { a: now, b: 'x' }, rate: [now, 'x', null] });
    expect([mixed.active, mixed.rate]).toEqual([{ a: now }, [now]]);
    expect(account({ active: null }).active).toEqual({});
    // Names of documents that cannot be: to look for them fails.
    expect(account({ active: { 'a/b': now, '..': now, __x__: now, '': now, a: now } }).active).toEqual({
      a: now,
    });
  });

  it('a note is cut to a length that an entry may hold', () => {
    expect(account({ note: 'n'.repeat(2_000) }).note).toHaveLength(500);
  });
});

describe('recording an edit', () => {
  const edited = (data: Data, actor?: string) => recordEdit(account(data), actor);

  it('is nothing where nothing was edited', () => {
    const same = account({ note: 'for later' });
    expect(recordEdit(same)).toEqual({ account: same, entries: [] });
    expect(recordEdit(same).account).toBe(same);
    expect(hasEdit(same)).toBe(false);
  });

  it.each<[string, Data, number, number]>([
    ['balance', { balance: 15 }, 5, 15],
    ['adjust', { adjust: -4 }, -4, 6],
    ['both', { balance: 20, adjust: 2 }, 12, 22],
  ])('of %s is one adjustment', (_, data, amount, balance) => {
    const { account: after, entries } = edited({ ...data, note: 'why' }, 'admin@example.com');
    expect(hasEdit(account(data))).toBe(true);
    expect(entries).toEqual([
      {
        id: 'adjustment:4',
        sequence: 4,
        type: 'adjustment',
        amount,
        balance,
        reason: 'why',
        actor: 'admin@example.com',
      },
    ]);
    expect(after).toMatchObject({
      balance,
      ledgerBalance: balance,
      sequence: 4,
      adjust: undefined,
      note: undefined,
    });
  });

  it('of a balance and an adjust that cancel each other only takes the adjust away', () => {
    const { account: after, entries } = edited({ balance: 7, adjust: 3 });
    expect(entries).toEqual([]);
    expect(after).toMatchObject({ balance: 10, ledgerBalance: 10, sequence: 3, adjust: undefined });
  });

  it('leaves an invalid balance alone, whatever else there is', () => {
    const invalid = account({ balance: 'x', adjust: 5, note: 'n' });
    expect(recordEdit(invalid)).toEqual({ account: invalid, entries: [] });
    expect(hasEdit(invalid)).toBe(false);
  });

  it('records a valid balance beside an invalid adjust, which stays', () => {
    const { account: after, entries } = edited({ balance: 12, adjust: 'x' });
    expect(entries).toMatchObject([{ amount: 2, balance: 12 }]);
    expect(after.adjust).toBeNull();
  });

  it('twice is once', () => {
    const once = edited({ balance: 12 });
    expect(recordEdit(once.account).entries).toEqual([]);
  });
});

describe('moving credits', () => {
  it('a refund on the largest balance an admin can write is still counted in ones', () => {
    const edited = recordEdit(account({ balance: creditsLimit, settled: 9 })).account;
    const { account: after, entries } = refundCredits(edited, refunded('g', 4, 'EXPIRED'));
    expect(after).toMatchObject({ balance: creditsLimit + 4, ledgerBalance: creditsLimit + 4 });
    expect(Number.isSafeInteger(after.ledgerBalance)).toBe(true);
    expect(Number.isSafeInteger(entries[0]?.balance)).toBe(true);
  });

  it('a debit takes the price and counts the generation as in flight', () => {
    const { account: after, entries } = debit(account(), terms({ credits: 4 }));
    expect(entries).toEqual([
      { id: 'g:debit', sequence: 4, type: 'debit', amount: -4, balance: 6, generationId: 'g' },
    ]);
    expect(after).toMatchObject({
      balance: 6,
      ledgerBalance: 6,
      sequence: 4,
      active: { g: seconds(180) },
      rate: [now],
    });
  });

  it('a debit counts as a use of the account', () => {
    const before = account({ usedAt: seconds(-3_600) });
    const [update] = toWrites(before, debit(before, terms()), now);
    expect(update).toMatchObject({ data: { usedAt: now } });
  });

  it('a refund gives it back and counts the generation no more', () => {
    const held = debit(account(), terms({ credits: 4 })).account;
    const { account: after, entries } = refundCredits(held, refunded('g', 4, 'NO_IMAGE'));
    expect(entries).toEqual([
      {
        id: 'g:refund',
        sequence: 5,
        type: 'refund',
        amount: 4,
        balance: 10,
        generationId: 'g',
        reason: 'NO_IMAGE',
      },
    ]);
    expect(after).toMatchObject({ balance: 10, ledgerBalance: 10, sequence: 5 });
    expect(after.active).toEqual({});
  });

  it('a refund on an invalid balance moves only what is settled', () => {
    const { account: after, entries } = refundCredits(
      account({ balance: 'x' }),
      refunded('g', 4, 'NO_IMAGE'),
    );
    expect(entries).toMatchObject([{ amount: 4, balance: 14 }]);
    expect(after).toMatchObject({ balance: null, ledgerBalance: 14 });
  });

  it('a signup grant is one entry and due no more; of 0 it is none', () => {
    const due = account({ signupDue: true });
    expect(signupGrant(due, 10)).toMatchObject({
      account: { balance: 20, ledgerBalance: 20, sequence: 4, signupDue: false },
      entries: [{ id: 'signup', type: 'grant', amount: 10, balance: 20, sequence: 4, reason: 'signup' }],
    });
    expect(signupGrant(due, 0)).toMatchObject({ account: { balance: 10, signupDue: false }, entries: [] });
  });

  it('no rule changes the account that it was given', () => {
    const before = account({
      balance: 12,
      adjust: 1,
      active: { a: seconds(10) },
      rate: [now],
      signupDue: true,
    });
    const copy = structuredClone({ ...before, version: undefined });
    recordEdit(before);
    debit(before, terms());
    refundCredits(before, refunded('a', 1, 'x'));
    signupGrant(before, 10);
    expect({ ...before, version: undefined }).toEqual(copy);
  });
});

describe('refusing a hold', () => {
  const reason = (data: Data, more: Partial<HoldParams> = {}) =>
    refuseHold(account(data), terms(more))?.reason;
  const twoRunning = { active: { a: seconds(1), b: seconds(1) } };
  const threeRecent = { rate: [seconds(-59), seconds(-30), seconds(-1)] };

  it.each<[string, Data, Partial<HoldParams>, string | undefined]>([
    ['enough credits', { balance: 4 }, { credits: 4 }, undefined],
    ['one too few', { balance: 3 }, { credits: 4 }, 'INSUFFICIENT_CREDITS'],
    ['too many in flight', twoRunning, {}, 'RATE_LIMITED'],
    ['one of them past its deadline', { active: { a: seconds(1), b: now } }, {}, undefined],
    ['too many in a minute', threeRecent, {}, 'RATE_LIMITED'],
    ['one of them a minute ago', { rate: [seconds(-60), seconds(-30), seconds(-1)] }, {}, undefined],
  ])('%s', (_, data, more, expected) => {
    expect(reason(data, more)).toBe(expected);
  });

  it('of a suspended account comes by itself, before there is anything to hold', () => {
    expect(refuseSuspended(account({ suspended: true }))?.reason).toBe('ACCOUNT_SUSPENDED');
    expect(refuseSuspended(account())).toBeUndefined();
  });

  it("is in the contract's order: in flight, a minute, credits", () => {
    const all = { ...twoRunning, ...threeRecent, balance: 0 };
    const refusals = [all, { ...threeRecent, balance: 0 }, { balance: 0 }].map((data) =>
      refuseHold(account(data), terms()),
    );
    expect(refusals.map((refusal) => refusal?.details.metadata?.limit ?? refusal?.reason)).toEqual([
      'maxInFlightPerUser',
      'maxPerMinutePerUser',
      'INSUFFICIENT_CREDITS',
    ]);
  });

  it('says when the oldest hold of the minute is past', () => {
    const refusal = refuseHold(account(threeRecent), terms());
    expect(refusal?.details.retryAfterSeconds).toBe(1);
    const more = refuseHold(account({ rate: [seconds(-50), ...threeRecent.rate.slice(1)] }), terms());
    expect(more?.details.retryAfterSeconds).toBe(10);
    // Over the limit, as after the limit was lowered: the wait is for the one that brings it under.
    const lowered = { rate: [seconds(-59), seconds(-40), seconds(-30), seconds(-20)] };
    expect(refuseHold(account(lowered), terms())?.details.retryAfterSeconds).toBe(20);
  });

  it('tells what it costs and what there is', () => {
    const refusal = refuseHold(account({ balance: 3 }), terms({ credits: 4 }));
    expect(refusal?.details.metadata).toEqual({ required: '4', balance: '3' });
  });

  it('forgets holds of more than a minute ago and generations past their deadline', () => {
    const old = account({ active: { a: seconds(-1), b: seconds(5) }, rate: [seconds(-61), seconds(-5)] });
    expect(inFlight(old, now)).toEqual(['b']);
    const { account: after } = debit(old, terms());
    expect(Object.keys(after.active)).toEqual(['b', 'g']);
    expect(after.rate).toEqual([seconds(-5), now]);
  });
});

describe('the writes of a change', () => {
  const writesOf = (data: Data, change: (before: Account) => Change) => {
    const before = account(data);
    return toWrites(before, change(before), now);
  };

  it('are the account at the version that was read, and entries that must be new', () => {
    const writes = writesOf({ balance: 12 }, (before) =>
      andThen(recordEdit(before), (a) => debit(a, terms())),
    );
    expect(writes).toMatchObject([
      { update: 'accounts/u', at: version, data: { balance: 11, settled: 11, sequence: 5, updatedAt: now } },
      { create: 'accounts/u/entries/adjustment:4', data: { amount: 2, sequence: 4, createdAt: now } },
      { create: 'accounts/u/entries/g:debit', data: { amount: -1, sequence: 5, createdAt: now } },
    ]);
    for (const write of writes.slice(1)) expect('data' in write && write.data).not.toHaveProperty('id');
  });

  it('never name an invalid balance', () => {
    const [update] = writesOf({ balance: 'x' }, (before) => refundCredits(before, refunded('g', 1, 'r')));
    expect(update && 'data' in update && update.data).not.toHaveProperty('balance');
  });

  it('take away an adjust, a note and a due grant when they are done with, and only then', () => {
    const done = writesOf({ adjust: 1, note: 'n', signupDue: true }, (before) =>
      andThen(recordEdit(before), (a) => signupGrant(a, 1)),
    )[0];
    expect(done).toMatchObject({ data: { adjust: removed, note: removed, signupDue: removed } });
    const kept = writesOf({ note: 'n', signupDue: true }, (before) => debit(before, terms()))[0];
    for (const field of ['adjust', 'note', 'signupDue', 'email', 'suspended', 'createdAt']) {
      expect(kept && 'data' in kept && kept.data).not.toHaveProperty(field);
    }
  });
});

/** A database of one account: what the writes of a change make of it. */
function openBook() {
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
  /** Reads, decides and commits, as every change of the ledger does. */
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
        const wanted = terms({ generationId, credits, now: at, deadline: new Date(at.getTime() + 180_000) });
        if (refuseHold(upToDate.account, wanted)) return upToDate;
        running.set(generationId, credits);
        return andThen(upToDate, (ready) => debit(ready, wanted));
      }),
    refundOne: (which: number) => {
      const id = [...running.keys()][which % Math.max(1, running.size)];
      if (id === undefined) return;
      const credits = running.get(id) ?? 0;
      running.delete(id);
      commit((before) =>
        andThen(recordEdit(before), (edited) => refundCredits(edited, refunded(id, credits, 'NO_IMAGE'))),
      );
    },
    settleOne: (which: number) => {
      const id = [...running.keys()][which % Math.max(1, running.size)];
      if (id !== undefined) running.delete(id);
    },
    state: () => ({ data, entries: list() }),
  };
}

type Book = ReturnType<typeof openBook>;
type Step = { name: string; do: (book: Book, index: number) => void };
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
  anyBalance.map((balance) => ({ name: `balance=${balance}`, do: (book: Book) => book.edit({ balance }) })),
  anyAdjust.map((adjust) => ({ name: `adjust=${adjust}`, do: (book: Book) => book.edit({ adjust }) })),
  fc.constant({ name: 'note', do: (book: Book) => book.edit({ note: 'why' }) }),
  fc.constant({ name: 'erase', do: (book: Book) => book.erase() }),
  fc.constant({ name: 'record', do: (book: Book) => book.record() }),
  fc.constantFrom(1, 2, 4).map((credits) => ({
    name: `hold ${credits}`,
    do: (book: Book, index: number) => book.hold(`g${index}`, credits),
  })),
  fc.nat().map((which) => ({ name: `refund ${which}`, do: (book: Book) => book.refundOne(which) })),
  fc.nat().map((which) => ({ name: `settle ${which}`, do: (book: Book) => book.settleOne(which) })),
);

describe('any sequence of edits, holds and refunds', () => {
  const steps = fc.array(step, { maxLength: 40 });
  const sum = (list: { amount: number }[]) => list.reduce((total, { amount }) => total + amount, 0);

  it('keeps the sum of the entries at what is settled, each balance right, and the sequence without a gap', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const book = openBook();
        for (const [index, { do: act }] of taken.entries()) {
          act(book, index);
          const { data, entries } = book.state();
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

  it('never writes over an invalid balance, and adds up as soon as it is mended', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const book = openBook();
        for (const [index, { name, do: act }] of taken.entries()) {
          const before = book.state().data;
          act(book, index);
          const after = book.state().data;
          const wasInvalid = before && parseAccount(document(before)).balance === null;
          if (wasInvalid && !name.startsWith('balance') && name !== 'erase') {
            expect(after?.balance).toBe(before.balance);
          }
        }
        book.edit({ balance: 7, adjust: undefined });
        book.record();
        const { data, entries } = book.state();
        expect(data).toMatchObject({ balance: 7, settled: 7, sequence: entries.length });
        expect(sum(entries)).toBe(7);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no more credits than there are: what the ledger itself writes is never below zero', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const book = openBook();
        for (const [index, { do: act }] of taken.entries()) act(book, index);
        expect(book.state().entries.every(({ balance }) => balance >= 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
