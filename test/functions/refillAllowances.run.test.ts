/** One run over all accounts: it resumes, survives a failing account and costs little. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../shared/database/database.ts';
import { noon, startAllowances } from '../support/allowances.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { getRefusal } from '../support/replies.ts';
import { createRefusedCallers, runJob, schedulerToken } from '../support/scheduler.ts';

const allowances = await startAllowances();
const { stack, clock, database, hooks, other, findErrors, refill, createUser } = allowances;

beforeEach(allowances.reset);
afterAll(() => stack.close());

describe('refillAllowances', () => {
  it('continues where the last call stopped', async () => {
    const uids = Array.from({ length: 250 }, (_, i) => `user-${String(i).padStart(3, '0')}`);
    const account = { balance: 1, settled: 1, sequence: 1, usedAt: new Date(noon) };
    await stack.database.commit(uids.map((uid) => ({ set: `accounts/${uid}`, data: account })));
    // Each page takes 200 s, and a call works for 240 s: every call does two pages of 100.
    let elapsed = 0;
    const slow: Database = {
      ...database,
      page: (request) => {
        if (request.collection === 'accounts') elapsed += 200_000;
        return stack.database.page(request);
      },
    };
    const { url } = await stack.startServer(
      {},
      { database: slow, clock: { ...clock, elapsed: () => elapsed } },
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

  it('continues with the other accounts if one fails', async () => {
    await createUser('ann', 0);
    await createUser('bob', 0);
    hooks.beforeRead = (paths) => {
      if (paths.includes('accounts/ann')) throw Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 });
    };
    expect(await refill(other.url)).toEqual({ checked: 2, refilled: 1 });
    expect(findErrors()).toMatchObject([{ uid: 'ann' }]);
    delete hooks.beforeRead;
    expect(await refill()).toEqual({ checked: 2, refilled: 1 });
  });

  it('neither writes nor reads single accounts that already have this period', async () => {
    const counting = countingDatabase(database);
    const { url } = await stack.startServer({}, { database: counting.database, clock });
    for (const uid of ['ann', 'bob', 'cleo']) await createUser(uid, 0);
    await refill();
    counting.reset();
    await refill(url);
    // The last two are the cursor, and that the job has finished.
    expect(counting.trips).toEqual(['read', 'page', 'commit', 'commit']);
  });

  it('writes to no account if no allowance is configured', async () => {
    const counting = countingDatabase(database);
    const off = { ALLOWANCE_CREDITS: '', ALLOWANCE_PERIOD: '' };
    const { url } = await stack.startServer(off, { database: counting.database });
    const user = await createUser('ann', 0);
    const before = await stack.document('accounts/ann');
    counting.reset();
    expect(await refill(url)).toEqual({ checked: 1, refilled: 0 });
    // The last two are the cursor, and that the job has finished.
    expect(counting.trips).toEqual(['read', 'page', 'commit', 'commit']);
    expect(await stack.document('accounts/ann')).toEqual(before);
    expect((await user.get('account', url)).body.account).not.toHaveProperty('allowance');
  });

  it('can be called by the scheduler only', async () => {
    for (const [who, token, status] of await createRefusedCallers(stack)) {
      expect([who, getRefusal(await runJob(stack, 'refillAllowances', { token }))[0]]).toEqual([who, status]);
    }
    const token = await schedulerToken(stack);
    expect((await runJob(stack, 'refillAllowances', { token })).status).toBe(200);
  });
});
