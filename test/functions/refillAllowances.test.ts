/** Allowances: an account is topped up once per period, however often and however late the function is called. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { getPeriod } from '../../shared/ledger/allowancePeriod.ts';
import { dayMs, getPeriodName, noon, startAllowances, today } from '../support/allowances.ts';
import { lostReply, once } from '../support/watchedDatabase.ts';

const allowances = await startAllowances();
const {
  stack,
  time,
  clock,
  hooks,
  other,
  plain,
  studio,
  findErrors,
  refill,
  createUser,
  getAllowances,
  getBalance,
  getAllowancePeriod,
  expectSound,
} = allowances;

beforeEach(allowances.reset);
afterAll(() => stack.close());

describe('an account', () => {
  it('is topped up to its allowance by one entry that names the period', async () => {
    await createUser('ann', 2);
    await createUser('bob', 0);
    expect(await refill()).toEqual({ checked: 2, refilled: 2 });
    expect(await getAllowances('ann')).toEqual([[`allowance:${today}`, 3, 5]]);
    expect(await getAllowances('bob')).toEqual([[`allowance:${today}`, 5, 5]]);
    expect((await stack.ledger('ann')).account).toMatchObject({
      balance: 5,
      settled: 5,
      sequence: 2,
      allowancePeriod: today,
    });
    await expectSound('ann', 'bob');
  });

  it('gets nothing if nothing is missing, and nothing later in the same period', async () => {
    const rich = await createUser('rich', 5);
    await createUser('richer', 74);
    expect(await refill()).toEqual({ checked: 2, refilled: 0 });
    for (const uid of ['rich', 'richer']) expect(await getAllowancePeriod(uid)).toBe(today);
    expect((await rich.generate('k', { tier: 'premium4' })).status).toBe(200);
    expect(await refill()).toEqual({ checked: 2, refilled: 0 });
    expect([await getBalance('rich'), await getBalance('richer')]).toEqual([1, 74]);
    await expectSound('rich', 'richer');
  });

  it('gets it once per period, however often the call is repeated', async () => {
    const user = await createUser('ann', 0);
    for (const [i, refilled] of [1, 0, 0].entries()) {
      time.now = noon + i * 1_000;
      expect(await refill()).toEqual({ checked: 1, refilled });
      await user.generate(`k${i}`);
    }
    expect(await getBalance('ann')).toBe(2);
    expect(await getAllowances('ann')).toHaveLength(1);
    await expectSound('ann');
  });

  it('gets it once from four calls at once on two servers', async () => {
    const uids = Array.from({ length: 10 }, (_, i) => `user-${i}`);
    for (const [i, uid] of uids.entries()) await createUser(uid, i);
    const answers = await Promise.all([undefined, other.url, undefined, other.url].map(refill));
    expect(answers.reduce((sum, { refilled }) => sum + refilled, 0)).toBe(5);
    for (const [i, uid] of uids.entries()) {
      expect(await getAllowances(uid)).toEqual(i < 5 ? [[`allowance:${today}`, 5 - i, 5]] : []);
      expect(await getAllowancePeriod(uid)).toBe(today);
    }
    await expectSound(...uids);
  });

  it('is topped up again in the next period', async () => {
    const user = await createUser('ann', 0);
    await refill();
    await user.generate('k', { tier: 'premium4' });
    time.now = noon + dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
    time.now = noon + 3 * dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await getAllowances('ann')).toEqual([
      [`allowance:${today}`, 5, 5],
      [`allowance:${getPeriodName(noon + dayMs)}`, 4, 5],
    ]);
    expect(await getAllowancePeriod('ann')).toBe(getPeriodName(noon + 3 * dayMs));
    await expectSound('ann');
  });

  it('gets nothing from a late call of an earlier period', async () => {
    const user = await createUser('ann', 0);
    time.other = noon - dayMs;
    await refill();
    await user.generate('k', { tier: 'premium4' });
    expect(await refill(other.url)).toMatchObject({ refilled: 0 });
    expect(await refill()).toMatchObject({ refilled: 0 });
    expect(await getAllowances('ann')).toEqual([[`allowance:${today}`, 5, 5]]);
    expect([await getBalance('ann'), await getAllowancePeriod('ann')]).toEqual([1, today]);
    await expectSound('ann');
  });

  it('gets it once if another call commits between read and commit', async () => {
    await createUser('ann', 0);
    hooks.beforeCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      async () => void expect(await refill()).toEqual({ checked: 1, refilled: 1 }),
    );
    expect(await refill(other.url)).toEqual({ checked: 1, refilled: 0 });
    expect(await getAllowances('ann')).toHaveLength(1);
    await expectSound('ann');
  });

  it('gets it once if the reply to the commit was lost', async () => {
    await createUser('ann', 0);
    hooks.afterCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      () => {
        throw lostReply();
      },
    );
    await refill(other.url);
    await refill(other.url);
    expect(await getAllowances('ann')).toEqual([[`allowance:${today}`, 5, 5]]);
    await expectSound('ann');
  });

  it('keeps a debit that is committed between read and commit', async () => {
    const user = await createUser('ann', 3);
    hooks.beforeCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      async () => void expect((await user.generate('k', { tier: 'premium2' }, plain.url)).status).toBe(200),
    );
    expect(await refill(other.url)).toEqual({ checked: 1, refilled: 1 });
    expect(await getAllowances('ann')).toEqual([[`allowance:${today}`, 4, 5]]);
    await expectSound('ann');
  });

  it('gets no second one after it was deleted in the console and recreated', async () => {
    const user = await createUser('ann', 0);
    await refill();
    await stack.erase('accounts/ann');
    expect((await user.getAccount()).balance).toBe(0);
    for (let i = 0; i < 2; i += 1) expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await getBalance('ann')).toBe(0);
    expect((await user.getAccount()).allowance.nextAt).toBe(
      getPeriod('day', new Date(noon)).nextAt.toISOString(),
    );
    await expectSound('ann');
    time.now = noon + dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
    await expectSound('ann');
  });

  it('gets each once if ALLOWANCE_PERIOD is changed and changed back', async () => {
    const monthly = await stack.startServer({ ALLOWANCE_PERIOD: 'month' }, { clock });
    const user = await createUser('ann', 0);
    for (const [i, [url, refilled]] of [
      [undefined, 1] as const,
      [monthly.url, 1] as const,
      [undefined, 0] as const,
      [monthly.url, 0] as const,
    ].entries()) {
      expect(await refill(url)).toEqual({ checked: 1, refilled });
      await user.generate(`k${i}`);
    }
    expect(await getAllowances('ann')).toEqual([
      [`allowance:${today}`, 5, 5],
      [`allowance:${getPeriod('month', new Date(noon)).name}`, 1, 5],
    ]);
    await expectSound('ann');
  });

  it('gets it at its creation, and at any other call of its user', async () => {
    const user = await stack.user('new');
    expect((await user.get('account', studio.url)).body.account).toMatchObject({ balance: 5, sequence: 1 });
    expect(await getAllowances('new')).toEqual([[`allowance:${today}`, 5, 5]]);
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    time.now = noon + dayMs;
    expect((await user.generate('k', { tier: 'premium4' }, studio.url)).body.receipt).toMatchObject({
      balance: 1,
    });
    time.now = noon + 2 * dayMs;
    expect((await user.generate('k2', {}, studio.url)).body.receipt).toMatchObject({
      balance: 4,
      sequence: 4,
    });
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    await expectSound('new');
  });

  it('gets none while its user is not verified', async () => {
    const user = await stack.user('new', undefined, { email_verified: false });
    expect((await user.get('account', studio.url)).body.account).toMatchObject({ balance: 0, sequence: 0 });
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    await expectSound('new');
  });

  it('has a console edit recorded in the same commit', async () => {
    await createUser('ann', 4, { balance: 1, note: 'a mistake' });
    await createUser('bob', 4, { adjust: -3 });
    await createUser('cleo', 4, { balance: 74 });
    expect(await refill()).toEqual({ checked: 3, refilled: 2 });
    const moves = async (uid: string) =>
      (await stack.ledger(uid)).entries.slice(1).map(({ type, amount, reason }) => [type, amount, reason]);
    expect(await moves('ann')).toEqual([
      ['adjustment', -3, 'a mistake'],
      ['allowance', 4, undefined],
    ]);
    expect(await moves('bob')).toEqual([
      ['adjustment', -3, undefined],
      ['allowance', 4, undefined],
    ]);
    expect(await moves('cleo')).toEqual([['adjustment', 70, undefined]]);
    await expectSound('ann', 'bob', 'cleo');
  });
});

describe("an account's own allowance", () => {
  it('replaces the one of the environment: more, less or none', async () => {
    await createUser('more', 2, { allowance: 50 });
    await createUser('less', 0, { allowance: 1 });
    const none = await createUser('none', 0, { allowance: 0 });
    expect(await refill()).toMatchObject({ checked: 3, refilled: 2 });
    expect([await getBalance('more'), await getBalance('less'), await getBalance('none')]).toEqual([
      50, 1, 0,
    ]);
    expect(await none.getAccount()).not.toHaveProperty('allowance');
    await expectSound('more', 'less', 'none');
  });

  it('gives nothing if it is not a whole number of credits', async () => {
    await createUser('text', 0, { allowance: 'much' });
    await createUser('minus', 0, { allowance: -5 });
    await refill();
    expect([await getBalance('text'), await getBalance('minus')]).toEqual([0, 0]);
  });

  it('is granted if the environment has none', async () => {
    const { url } = await stack.startServer({ ALLOWANCE_CREDITS: '' }, { clock });
    await createUser('ann', 0, { allowance: 7 });
    await createUser('bob', 0);
    expect(await refill(url)).toEqual({ checked: 2, refilled: 1 });
    expect([await getBalance('ann'), await getBalance('bob')]).toEqual([7, 0]);
  });
});

describe('no allowance is granted', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a suspended account', { suspended: true }],
    ['an account whose balance is text', { balance: 'many' }],
    ['an account with a negative balance', { balance: -1 }],
    ['an account whose adjust is not a number', { adjust: 'much' }],
    ['an account that was never used', { usedAt: null }],
    ['an account that was not used for more than 90 days', { usedAt: new Date(noon - 90 * dayMs - 1) }],
  ])('to %s', async (_, fields) => {
    await createUser('ann', 1, fields);
    const before = await stack.document('accounts/ann');
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await stack.document('accounts/ann')).toEqual(before);
    expect(await getAllowances('ann')).toEqual([]);
    expect(findErrors()).toEqual([]);
  });

  it('except that 90 days ago still counts as used', async () => {
    await createUser('ann', 1, { usedAt: new Date(noon - 90 * dayMs) });
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
  });

  it('until the account is restored or used again', async () => {
    await createUser('ann', 1, { suspended: true });
    const bob = await createUser('bob', 1, { usedAt: new Date(0) });
    await refill();
    await stack.edit('accounts/ann', { suspended: false });
    await bob.get('account', plain.url);
    expect(await refill()).toEqual({ checked: 2, refilled: 2 });
    await expectSound('ann', 'bob');
  });
});

describe('the function `account`', () => {
  it('gives the allowance that is due, and shows it with the next midnight', async () => {
    const user = await createUser('ann', 2);
    const allowance = { credits: 5, period: 'day' };
    for (const days of [0, 1]) {
      time.now = noon + days * dayMs;
      const nextAt = new Date(time.now + dayMs / 2).toISOString();
      expect(await user.getAccount()).toMatchObject({ balance: 5, allowance: { ...allowance, nextAt } });
    }
    expect(await getAllowances('ann')).toHaveLength(1);
  });
});
