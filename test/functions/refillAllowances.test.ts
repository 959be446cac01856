/** Allowances: each account is topped up once in a period, whoever calls, however often and however late. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { Database } from '../../shared/database/database.ts';
import { getPeriod } from '../../shared/ledger/allowancePeriod.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { refusalOf, refusedCallers, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { type Hooks, lostReply, once, watchedDatabase } from '../support/watchedDatabase.ts';

const dayMs = 86_400_000;
/** Tomorrow at noon, so that no test meets a midnight of its own. */
const noon = Math.floor(Date.now() / dayMs) * dayMs + 1.5 * dayMs;
const nameAt = (time: number) => getPeriod('day', new Date(time)).name;
const today = nameAt(noon);

let now = noon;
let stack: Stack;
/** Another server on the same database, with a clock of its own and commits to step in between. */
let other: { url: string; close: () => Promise<void> };
let otherNow = noon;
const hooks: Hooks = {};
const servers: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  const env = { ALLOWANCE_CREDITS: '5', ALLOWANCE_PERIOD: 'day', ...schedulerEnv };
  stack = await startStack(env, { clock: { ...systemClock, now: () => now } });
  other = await startServer(
    {},
    {
      clock: { ...systemClock, now: () => otherNow },
      database: watchedDatabase(stack.database, hooks).database,
    },
  );
  stack.gemini.always(geminiFault.blank());
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
});
beforeEach(async () => {
  const documents = `projects/${stack.projectId}/databases/(default)/documents`;
  await fetch(`http://${inject('firestoreHost')}/emulator/v1/${documents}`, { method: 'DELETE' });
  for (const name of Object.keys(hooks)) delete hooks[name as keyof Hooks];
  stack.logs.length = 0;
  [now, otherNow] = [noon, noon];
});

async function startServer(...args: Parameters<Stack['startServer']>) {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server;
}

async function refill(url?: string) {
  const { status, body } = await runJob(stack, 'refillAllowances', url ? { url } : {});
  expect(status).toBe(200);
  return body as { checked: number; refilled: number };
}

/** A user whose account has been used, with so many credits. */
async function spender(uid: string, credits: number, fields: Record<string, unknown> = {}) {
  const user = await stack.user(uid, credits);
  expect((await user.get('account')).status).toBe(200);
  if (Object.keys(fields).length > 0) await stack.edit(`accounts/${uid}`, fields);
  return { ...user, shown: async () => (await user.get('account')).body.account };
}

const allowances = async (uid: string) =>
  (await stack.ledger(uid)).entries
    .filter(({ type }) => type === 'allowance')
    .map(({ id, amount, balance }) => [id, amount, balance]);
const balanceOf = async (uid: string) => (await stack.ledger(uid)).account.balance;
const periodOf = async (uid: string) => (await stack.ledger(uid)).account.allowancePeriod;
const errors = () => stack.logs.filter(({ severity }) => severity === 'ERROR');

async function expectSound(...uids: string[]) {
  for (const uid of uids) expect(await brokenInvariants(stack, uid)).toEqual([]);
  expect(errors()).toEqual([]);
}

describe('an account', () => {
  it('is topped up to its allowance, by one entry that names the period', async () => {
    await spender('ann', 2);
    await spender('bob', 0);
    expect(await refill()).toEqual({ checked: 2, refilled: 2 });
    expect(await allowances('ann')).toEqual([[`allowance:${today}`, 3, 5]]);
    expect(await allowances('bob')).toEqual([[`allowance:${today}`, 5, 5]]);
    expect((await stack.ledger('ann')).account).toMatchObject({
      balance: 5,
      settled: 5,
      sequence: 2,
      allowancePeriod: today,
    });
    await expectSound('ann', 'bob');
  });

  it('gets nothing where nothing is missing, and nothing later in the same period either', async () => {
    const rich = await spender('rich', 5);
    await spender('richer', 74);
    expect(await refill()).toEqual({ checked: 2, refilled: 0 });
    for (const uid of ['rich', 'richer']) expect(await periodOf(uid)).toBe(today);
    expect((await rich.generate('k', { tier: 'premium4' })).status).toBe(200);
    expect(await refill()).toEqual({ checked: 2, refilled: 0 });
    expect([await balanceOf('rich'), await balanceOf('richer')]).toEqual([1, 74]);
    await expectSound('rich', 'richer');
  });

  it('gets it once, however often the call is repeated in its period', async () => {
    const user = await spender('ann', 0);
    for (const [i, refilled] of [1, 0, 0].entries()) {
      now = noon + i * 1_000;
      expect(await refill()).toEqual({ checked: 1, refilled });
      await user.generate(`k${i}`);
    }
    expect(await balanceOf('ann')).toBe(2);
    expect(await allowances('ann')).toHaveLength(1);
    await expectSound('ann');
  });

  it('gets it once from four calls at once on two servers', async () => {
    const uids = Array.from({ length: 10 }, (_, i) => `user-${i}`);
    for (const [i, uid] of uids.entries()) await spender(uid, i);
    const answers = await Promise.all([undefined, other.url, undefined, other.url].map(refill));
    expect(answers.reduce((sum, { refilled }) => sum + refilled, 0)).toBe(5);
    for (const [i, uid] of uids.entries()) {
      expect(await allowances(uid)).toEqual(i < 5 ? [[`allowance:${today}`, 5 - i, 5]] : []);
      expect(await periodOf(uid)).toBe(today);
    }
    await expectSound(...uids);
  });

  it('gets it again in the next period, on what is left of the last', async () => {
    const user = await spender('ann', 0);
    await refill();
    await user.generate('k', { tier: 'premium4' });
    now = noon + dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
    now = noon + 3 * dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await allowances('ann')).toEqual([
      [`allowance:${today}`, 5, 5],
      [`allowance:${nameAt(noon + dayMs)}`, 4, 5],
    ]);
    expect(await periodOf('ann')).toBe(nameAt(noon + 3 * dayMs));
    await expectSound('ann');
  });

  it('gets no more from a call of an earlier period that comes late', async () => {
    const user = await spender('ann', 0);
    otherNow = noon - dayMs;
    await refill();
    await user.generate('k', { tier: 'premium4' });
    expect(await refill(other.url)).toMatchObject({ refilled: 0 });
    expect(await refill()).toMatchObject({ refilled: 0 });
    expect(await allowances('ann')).toEqual([[`allowance:${today}`, 5, 5]]);
    expect([await balanceOf('ann'), await periodOf('ann')]).toEqual([1, today]);
    await expectSound('ann');
  });

  it('gets it once although a call was overtaken between reading and committing', async () => {
    await spender('ann', 0);
    hooks.beforeCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      async () => void expect(await refill()).toEqual({ checked: 1, refilled: 1 }),
    );
    expect(await refill(other.url)).toEqual({ checked: 1, refilled: 0 });
    expect(await allowances('ann')).toHaveLength(1);
    await expectSound('ann');
  });

  it('gets it once although the reply to the commit was lost', async () => {
    await spender('ann', 0);
    hooks.afterCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      () => {
        throw lostReply();
      },
    );
    await refill(other.url);
    await refill(other.url);
    expect(await allowances('ann')).toEqual([[`allowance:${today}`, 5, 5]]);
    await expectSound('ann');
  });

  it('keeps what is spent meanwhile: a debit between reading and committing is not undone', async () => {
    const user = await spender('ann', 3);
    hooks.beforeCommit = once(
      (writes) => JSON.stringify(writes).includes('allowancePeriod'),
      async () => void expect((await user.generate('k', { tier: 'premium2' })).status).toBe(200),
    );
    expect(await refill(other.url)).toEqual({ checked: 1, refilled: 1 });
    expect(await allowances('ann')).toEqual([[`allowance:${today}`, 4, 5]]);
    await expectSound('ann');
  });

  it('that was deleted in the console and came back gets no second one', async () => {
    const user = await spender('ann', 0);
    await refill();
    await stack.erase('accounts/ann');
    expect((await user.shown()).balance).toBe(0);
    for (let i = 0; i < 2; i += 1) expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await balanceOf('ann')).toBe(0);
    expect((await user.shown()).allowance.nextAt).toBe(getPeriod('day', new Date(noon)).nextAt.toISOString());
    await expectSound('ann');
    now = noon + dayMs;
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
    await expectSound('ann');
  });

  it('gets each once where the kind of period is changed, and changed back', async () => {
    const monthly = await startServer(
      { ALLOWANCE_PERIOD: 'month' },
      { clock: { ...systemClock, now: () => now } },
    );
    const user = await spender('ann', 0);
    for (const [i, [url, refilled]] of [
      [undefined, 1] as const,
      [monthly.url, 1] as const,
      [undefined, 0] as const,
      [monthly.url, 0] as const,
    ].entries()) {
      expect(await refill(url)).toEqual({ checked: 1, refilled });
      await user.generate(`k${i}`);
    }
    expect(await allowances('ann')).toEqual([
      [`allowance:${today}`, 5, 5],
      [`allowance:${getPeriod('month', new Date(noon)).name}`, 1, 5],
    ]);
    await expectSound('ann');
  });

  it('gets none at its creation', async () => {
    const user = await stack.user('new');
    expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 0 });
    expect(await allowances('new')).toEqual([]);
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
    await expectSound('new');
  });

  it('has what an admin did in the console recorded along with it', async () => {
    await spender('ann', 4, { balance: 1, note: 'a mistake' });
    await spender('bob', 4, { adjust: -3 });
    await spender('cleo', 4, { balance: 74 });
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
  it('goes over the environment: more, less or none', async () => {
    await spender('more', 2, { allowance: 50 });
    await spender('less', 0, { allowance: 1 });
    const none = await spender('none', 0, { allowance: 0 });
    expect(await refill()).toMatchObject({ checked: 3, refilled: 2 });
    expect([await balanceOf('more'), await balanceOf('less'), await balanceOf('none')]).toEqual([50, 1, 0]);
    expect(await none.shown()).not.toHaveProperty('allowance');
    await expectSound('more', 'less', 'none');
  });

  it('that is no whole number of credits counts as not there', async () => {
    await spender('text', 0, { allowance: 'much' });
    await spender('minus', 0, { allowance: -5 });
    await refill();
    expect([await balanceOf('text'), await balanceOf('minus')]).toEqual([5, 5]);
  });

  it('is given where the environment has none', async () => {
    const { url } = await startServer(
      { ALLOWANCE_CREDITS: '' },
      { clock: { ...systemClock, now: () => now } },
    );
    await spender('ann', 0, { allowance: 7 });
    await spender('bob', 0);
    expect(await refill(url)).toEqual({ checked: 2, refilled: 1 });
    expect([await balanceOf('ann'), await balanceOf('bob')]).toEqual([7, 0]);
  });
});

describe('left alone', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a suspended account', { suspended: true }],
    ['one with a balance that is text', { balance: 'many' }],
    ['one with a balance below zero', { balance: -1 }],
    ['one with an adjustment that is no number', { adjust: 'much' }],
    ['one that was never used', { usedAt: null }],
    ['one not used for more than 90 days', { usedAt: new Date(noon - 90 * dayMs - 1) }],
  ])('is %s', async (_, fields) => {
    await spender('ann', 1, fields);
    const before = await stack.document('accounts/ann');
    expect(await refill()).toEqual({ checked: 1, refilled: 0 });
    expect(await stack.document('accounts/ann')).toEqual(before);
    expect(await allowances('ann')).toEqual([]);
    expect(errors()).toEqual([]);
  });

  it('is not one that was used 90 days ago', async () => {
    await spender('ann', 1, { usedAt: new Date(noon - 90 * dayMs) });
    expect(await refill()).toEqual({ checked: 1, refilled: 1 });
  });

  it('is one until it is mended, or used again', async () => {
    await spender('ann', 1, { suspended: true });
    const bob = await spender('bob', 1, { usedAt: new Date(0) });
    await refill();
    await stack.edit('accounts/ann', { suspended: false });
    await bob.get('account');
    expect(await refill()).toEqual({ checked: 2, refilled: 2 });
    await expectSound('ann', 'bob');
  });
});

describe('`account` says', () => {
  it('what the allowance is and when it comes: at once where it is due, then at the next midnight', async () => {
    const user = await spender('ann', 2);
    const due = { credits: 5, period: 'day', nextAt: new Date(noon).toISOString() };
    expect((await user.shown()).allowance).toEqual(due);
    await refill();
    const nextAt = new Date(noon + dayMs / 2).toISOString();
    expect((await user.shown()).allowance).toEqual({ ...due, nextAt });
    now = noon + dayMs;
    expect((await user.shown()).allowance).toEqual({ ...due, nextAt: new Date(now).toISOString() });
  });
});

describe('the call', () => {
  it('goes on where the last one stopped', async () => {
    const uids = Array.from({ length: 250 }, (_, i) => `user-${String(i).padStart(3, '0')}`);
    const account = { balance: 1, settled: 1, sequence: 1, usedAt: new Date(noon) };
    await stack.database.commit(uids.map((uid) => ({ set: `accounts/${uid}`, data: account })));
    // Each page takes 200 s of the 240 s that a call works for: every call manages two of 100.
    let elapsed = 0;
    const database: Database = {
      ...stack.database,
      page: (request) => {
        if (request.collection === 'accounts') elapsed += 200_000;
        return stack.database.page(request);
      },
    };
    const { url } = await startServer(
      {},
      { database, clock: { ...systemClock, now: () => now, elapsed: () => elapsed } },
    );
    expect(await refill(url)).toEqual({ checked: 200, refilled: 200 });
    expect(await stack.document('jobs/refillAllowances')).toMatchObject({ after: 'user-199' });
    expect(await refill(url)).toEqual({ checked: 50, refilled: 50 });
    expect(await stack.document('jobs/refillAllowances')).toMatchObject({ after: null });
    expect(await refill()).toEqual({ checked: 250, refilled: 0 });
    const { documents } = await stack.database.page({
      collection: 'accounts',
      orderBy: [['__name__', 'asc']],
      limit: 1_000,
    });
    expect(new Set(documents.map(({ data }) => `${data.balance} ${data.sequence}`))).toEqual(
      new Set(['5 2']),
    );
  });

  it('goes on with the others where one account fails', async () => {
    await spender('ann', 0);
    await spender('bob', 0);
    hooks.beforeRead = (paths) => {
      if (paths.includes('accounts/ann')) throw Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 });
    };
    expect(await refill(other.url)).toEqual({ checked: 2, refilled: 1 });
    expect(errors()).toMatchObject([{ uid: 'ann' }]);
    delete hooks.beforeRead;
    expect(await refill()).toEqual({ checked: 2, refilled: 1 });
  });

  it('writes nothing to an account that has had this period, and does not even read it alone', async () => {
    const counting = countingDatabase(stack.database);
    const { url } = await startServer(
      {},
      { database: counting.database, clock: { ...systemClock, now: () => now } },
    );
    for (const uid of ['ann', 'bob', 'cleo']) await spender(uid, 0);
    await refill();
    counting.reset();
    await refill(url);
    expect(counting.trips).toEqual(['read', 'page', 'commit']);
  });

  it('costs nothing where no allowance is configured: no account is written', async () => {
    const counting = countingDatabase(stack.database);
    const off = { ALLOWANCE_CREDITS: '', ALLOWANCE_PERIOD: '' };
    const { url } = await startServer(off, { database: counting.database });
    const user = await spender('ann', 0);
    const before = await stack.document('accounts/ann');
    counting.reset();
    expect(await refill(url)).toEqual({ checked: 1, refilled: 0 });
    expect(counting.trips).toEqual(['read', 'page', 'commit']);
    expect(await stack.document('accounts/ann')).toEqual(before);
    expect((await user.get('account', url)).body.account).not.toHaveProperty('allowance');
  });

  it('is for the scheduler', async () => {
    for (const [who, token, status] of await refusedCallers(stack)) {
      expect([who, refusalOf(await runJob(stack, 'refillAllowances', { token }))[0]]).toEqual([who, status]);
    }
    const token = await schedulerToken(stack);
    expect((await runJob(stack, 'refillAllowances', { token })).status).toBe(200);
  });
});
