/** The rules of credit as pure functions: no database, no clock. */
import { describe, expect, it } from 'vitest';
import { type Data, removed } from '../../../shared/database/database.ts';
import { type Account, findInvalidField, isOpened, parseAccount } from '../../../shared/ledger/account.ts';
import {
  andThen,
  type Change,
  debit,
  recordEdit,
  refundCredits,
  signupGrant,
  toWrites,
} from '../../../shared/ledger/creditChanges.ts';
import { type HoldParams, inFlight, refuseHold, refuseSuspended } from '../../../shared/ledger/refusals.ts';
import { account, creditsLimit, document, now, seconds, terms, unbilled, version } from './exampleAccount.ts';

/** True if an admin's edit must be recorded. */
const hasEdit = (read: Account) => recordEdit(read).account !== read;

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
  ])('a balance of %s is invalid, and left to the admin', (balance) => {
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
  ])('an adjust of %s with 10 credits: %s is invalid', (adjust, field) => {
    expect(findInvalidField(account({ adjust }))).toBe(field);
  });

  it('continues an account made by hand from its newest entry', () => {
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

  it('ignores fields that an admin made invalid', () => {
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
    // Names that no document can have: looking them up fails.
    expect(account({ active: { 'a/b': now, '..': now, __x__: now, '': now, a: now } }).active).toEqual({
      a: now,
    });
  });

  it('cuts a note to the length that an entry may have', () => {
    expect(account({ note: 'n'.repeat(2_000) }).note).toHaveLength(500);
  });

  it('cuts no emoji of a note in half', () => {
    expect(account({ note: `${'n'.repeat(499)}🍌 and more` }).note).toBe('n'.repeat(499));
    expect(account({ note: `${'n'.repeat(498)}🍌 and more` }).note).toBe(`${'n'.repeat(498)}🍌`);
  });
});

describe('recording an edit', () => {
  const edited = (data: Data, actor?: string) => recordEdit(account(data), actor);

  it('changes nothing without an edit', () => {
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

  it('of a balance and an adjust that cancel each other only removes adjust', () => {
    const { account: after, entries } = edited({ balance: 7, adjust: 3 });
    expect(entries).toEqual([]);
    expect(after).toMatchObject({ balance: 10, ledgerBalance: 10, sequence: 3, adjust: undefined });
  });

  it('leaves an account with an invalid balance as it is', () => {
    const invalid = account({ balance: 'x', adjust: 5, note: 'n' });
    expect(recordEdit(invalid)).toEqual({ account: invalid, entries: [] });
    expect(hasEdit(invalid)).toBe(false);
  });

  it('records a valid balance and keeps an invalid adjust', () => {
    const { account: after, entries } = edited({ balance: 12, adjust: 'x' });
    expect(entries).toMatchObject([{ amount: 2, balance: 12 }]);
    expect(after.adjust).toBeNull();
  });

  it('twice records it once', () => {
    const once = edited({ balance: 12 });
    expect(recordEdit(once.account).entries).toEqual([]);
  });
});

describe('moving credits', () => {
  it('counts a refund on the largest balance exactly', () => {
    const edited = recordEdit(account({ balance: creditsLimit, settled: 9 })).account;
    const { account: after, entries } = refundCredits(edited, unbilled('g', 4, 'EXPIRED'));
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

  it('a refund returns the price and no longer counts the generation as in flight', () => {
    const held = debit(account(), terms({ credits: 4 })).account;
    const { account: after, entries } = refundCredits(held, unbilled('g', 4, 'NO_IMAGE'));
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

  it('a refund with an invalid balance changes only the balance of the ledger', () => {
    const { account: after, entries } = refundCredits(
      account({ balance: 'x' }),
      unbilled('g', 4, 'NO_IMAGE'),
    );
    expect(entries).toMatchObject([{ amount: 4, balance: 14 }]);
    expect(after).toMatchObject({ balance: null, ledgerBalance: 14 });
  });

  it('a signup grant is one entry and no longer due; a grant of 0 has no entry', () => {
    const due = account({ signupDue: true });
    expect(signupGrant(due, 10)).toMatchObject({
      account: { balance: 20, ledgerBalance: 20, sequence: 4, signupDue: false },
      entries: [{ id: 'signup', type: 'grant', amount: 10, balance: 20, sequence: 4, reason: 'signup' }],
    });
    expect(signupGrant(due, 0)).toMatchObject({ account: { balance: 10, signupDue: false }, entries: [] });
  });

  it('no rule changes its argument', () => {
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
    refundCredits(before, unbilled('a', 1, 'x'));
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
    ['one credit too few', { balance: 3 }, { credits: 4 }, 'INSUFFICIENT_CREDITS'],
    ['too many in flight', twoRunning, {}, 'RATE_LIMITED'],
    ['one of them past its deadline', { active: { a: seconds(1), b: now } }, {}, undefined],
    ['too many in a minute', threeRecent, {}, 'RATE_LIMITED'],
    ['one of them a minute ago', { rate: [seconds(-60), seconds(-30), seconds(-1)] }, {}, undefined],
  ])('%s', (_, data, more, expected) => {
    expect(reason(data, more)).toBe(expected);
  });

  it('refuses a suspended account before any other check', () => {
    expect(refuseSuspended(account({ suspended: true }))?.reason).toBe('ACCOUNT_SUSPENDED');
    expect(refuseSuspended(account())).toBeUndefined();
  });

  it("keeps the contract's order: in flight, per minute, credits", () => {
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

  it('says how long to wait until the oldest hold is a minute old', () => {
    const refusal = refuseHold(account(threeRecent), terms());
    expect(refusal?.details.retryAfterSeconds).toBe(1);
    const more = refuseHold(account({ rate: [seconds(-50), ...threeRecent.rate.slice(1)] }), terms());
    expect(more?.details.retryAfterSeconds).toBe(10);
    // More holds than the limit, as after it was lowered: wait until enough of them are a minute old.
    const lowered = { rate: [seconds(-59), seconds(-40), seconds(-30), seconds(-20)] };
    expect(refuseHold(account(lowered), terms())?.details.retryAfterSeconds).toBe(20);
  });

  it('has the required and the actual credits', () => {
    const refusal = refuseHold(account({ balance: 3 }), terms({ credits: 4 }));
    expect(refusal?.details.metadata).toEqual({ required: '4', balance: '3' });
  });

  it('says one credit and one image in the singular, and large numbers with separators', () => {
    const message = (data: Data, more: Partial<HoldParams>) =>
      refuseHold(account(data), terms(more))?.message;
    const limits = { ...terms().limits, maxInFlightPerUser: 1 };
    expect([
      message({ balance: 0 }, { credits: 1 }),
      message({ balance: 1_234 }, { credits: 5_000 }),
      message({ active: { a: seconds(1) } }, { limits }),
      message({ rate: [seconds(-1)] }, { limits: { ...terms().limits, maxPerMinutePerUser: 1 } }),
    ]).toEqual([
      'This takes 1 credit; the account has 0.',
      'This takes 5,000 credits; the account has 1,234.',
      'At most 1 image can be generated at once.',
      'At most 1 image a minute.',
    ]);
  });

  it('ignores holds older than a minute and generations past their deadline', () => {
    const old = account({ active: { a: seconds(-1), b: seconds(5) }, rate: [seconds(-61), seconds(-5)] });
    expect(inFlight(old, now)).toEqual(['b']);
    const { account: after } = debit(old, terms());
    expect(Object.keys(after.active)).toEqual(['b', 'g']);
    expect(after.rate).toEqual([seconds(-5), now]);
  });
});

describe('the writes of a change', () => {
  const createWrites = (data: Data, change: (before: Account) => Change) => {
    const before = account(data);
    return toWrites(before, change(before), now);
  };

  it('update the account at the version that was read, and create the entries', () => {
    const writes = createWrites({ balance: 12 }, (before) =>
      andThen(recordEdit(before), (a) => debit(a, terms())),
    );
    expect(writes).toMatchObject([
      { update: 'accounts/u', at: version, data: { balance: 11, settled: 11, sequence: 5, updatedAt: now } },
      { create: 'accounts/u/entries/adjustment:4', data: { amount: 2, sequence: 4, createdAt: now } },
      { create: 'accounts/u/entries/g:debit', data: { amount: -1, sequence: 5, createdAt: now } },
    ]);
    for (const write of writes.slice(1)) expect('data' in write && write.data).not.toHaveProperty('id');
  });

  it('never include an invalid balance', () => {
    const [update] = createWrites({ balance: 'x' }, (before) => refundCredits(before, unbilled('g', 1, 'r')));
    expect(update && 'data' in update && update.data).not.toHaveProperty('balance');
  });

  it('remove adjust, note and signupDue once they are applied, and only then', () => {
    const done = createWrites({ adjust: 1, note: 'n', signupDue: true }, (before) =>
      andThen(recordEdit(before), (a) => signupGrant(a, 1)),
    )[0];
    expect(done).toMatchObject({ data: { adjust: removed, note: removed, signupDue: removed } });
    const kept = createWrites({ note: 'n', signupDue: true }, (before) => debit(before, terms()))[0];
    for (const field of ['adjust', 'note', 'signupDue', 'email', 'suspended', 'createdAt']) {
      expect(kept && 'data' in kept && kept.data).not.toHaveProperty(field);
    }
  });
});
