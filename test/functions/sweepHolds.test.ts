/** The sweep refunds every overdue generation once, oldest first. */
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import type { Database } from '../../shared/database/database.ts';
import { generationPath } from '../../shared/generation/record.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getErrorInfo, getRefusal } from '../support/replies.ts';
import { createRefusedCallers, runJob, schedulerToken } from '../support/scheduler.ts';
import { fromNow, hourMs, minuteMs, overdue, startSweeps } from '../support/sweeps.ts';

const sweeps = await startSweeps();
const { stack, leaveHold, getStatus, sweep } = sweeps;

beforeEach(sweeps.reset);
afterAll(sweeps.close);

describe('an overdue generation', () => {
  it('is refunded, and the reply counts the refunds', async () => {
    const [ann] = [await stack.user('ann', 20), await stack.user('bob', 20)];
    const left = [
      await leaveHold('ann', 'one'),
      await leaveHold('ann', 'two', { tier: 'premium4' }),
      await leaveHold('bob', 'one', { tier: 'premium2' }),
    ];
    expect(await sweep()).toEqual({ refunded: 3, deletedAssets: 0 });

    for (const { path } of left) expect(await getStatus(path)).toBe('refunded');
    for (const uid of ['ann', 'bob']) {
      const { account, entries } = await stack.ledger(uid);
      expect(account).toMatchObject({ balance: 20, settled: 20, active: {} });
      expect(entries.at(-1)).toMatchObject({ type: 'refund', reason: 'EXPIRED' });
      expect(await brokenInvariants(stack, uid)).toEqual([]);
    }
    const again = await ann.generate('one');
    expect(getRefusal(again)).toEqual([410, 'EXPIRED']);
    expect(getErrorInfo(again).metadata.retry).toBe('new_key');
    expect(again.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
  });

  it('is tried once per sweep if neither it nor its debit can be parsed, also with a deadline in microseconds', async () => {
    await stack.user('ann', 20);
    const odd = await leaveHold('ann', 'odd');
    await leaveHold('ann', 'due');
    await stack.edit(odd.path, { tier: 'golden' });
    await stack.edit(`accounts/ann/entries/${odd.path.split('/').at(-1)}:debit`, { amount: 'one' });
    const name = `projects/${stack.projectId}/databases/(default)/documents/${odd.path}`;
    await fetch(`http://${inject('firestoreHost')}/v1/${name}?updateMask.fieldPaths=deadline`, {
      method: 'PATCH',
      headers: { authorization: 'Bearer owner' },
      body: JSON.stringify({ fields: { deadline: { timestampValue: '2026-01-01T00:00:00.000499Z' } } }),
    });
    let pages = 0;
    const page: Database['page'] = (request) => {
      pages += 1;
      // A sweep that tries it again and again ends only at its time limit.
      if (pages > 10) throw new Error('The sweep does not end');
      return stack.database.page(request);
    };
    const { url } = await stack.startServer({}, { database: { ...stack.database, page } });
    expect(await sweep(url)).toEqual({ refunded: 1, deletedAssets: 0 });
    pages = 0;
    stack.logs.length = 0;
    expect(await sweep(url)).toEqual({ refunded: 0, deletedAssets: 0 });
    const failed = stack.logs.filter(({ message }) => message === 'A document could not be handled');
    expect(failed).toHaveLength(1);
  });

  it('is refunded only after its deadline', async () => {
    await stack.user('ann', 20);
    const due = await leaveHold('ann', 'due');
    const soon = await leaveHold('ann', 'soon', { deadline: fromNow(minuteMs) });
    expect(await sweep()).toEqual({ refunded: 1, deletedAssets: 0 });
    expect([await getStatus(due.path), await getStatus(soon.path)]).toEqual(['refunded', 'pending']);
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 19, settled: 19 });
    expect(await stack.document(soon.outbox)).toBeUndefined();
  });

  it('is left alone once it has ended, whatever its deadline', async () => {
    const user = await stack.user('ann', 20);
    const made = [];
    for (const key of ['kept', 'deleted']) made.push((await user.generate(key)).body.generation);
    expect((await user.post('deleteGeneration', { id: made[1].id })).status).toBe(200);
    await leaveHold('ann', 'refunded');
    await sweep();
    for (const { id } of made) await stack.edit(generationPath('ann', id), { deadline: overdue() });
    const before = await stack.ledger('ann');
    expect(await sweep()).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(await stack.ledger('ann')).toEqual(before);
    expect((await fetch(made[0].image.url)).status).toBe(200);
  });

  it('is overdue by the clock of the database, not of this machine', async () => {
    await stack.user('ann', 20);
    const past = await leaveHold('ann', 'past');
    const future = await leaveHold('ann', 'future', { deadline: fromNow(hourMs / 2) });
    const shifted = (milliseconds: number): Database => ({
      ...stack.database,
      async read(paths) {
        const { documents, readTime } = await stack.database.read(paths);
        return { documents, readTime: new Date(readTime.getTime() + milliseconds) };
      },
      async page(request) {
        const { documents, readTime } = await stack.database.page(request);
        return { documents, readTime: new Date(readTime.getTime() + milliseconds) };
      },
    });
    const slow = await stack.startServer({}, { database: shifted(-hourMs) });
    expect(await sweep(slow.url)).toEqual({ refunded: 0, deletedAssets: 0 });
    expect(await getStatus(past.path)).toBe('pending');
    const fast = await stack.startServer({}, { database: shifted(hourMs) });
    expect(await sweep(fast.url)).toMatchObject({ refunded: 2 });
    expect(await getStatus(future.path)).toBe('refunded');
  });

  it('is refunded oldest first', async () => {
    const minutes = [7, 3, 11, 1, 9, 5, 2, 12, 8, 4, 10, 6];
    const left = [];
    for (const minute of minutes) {
      await stack.user(`user-${minute}`, 5);
      left.push(await leaveHold(`user-${minute}`, 'k', { deadline: fromNow(-minute * minuteMs) }));
    }
    const readPaths: string[] = [];
    const watched: Database = {
      ...stack.database,
      read(paths) {
        readPaths.push(...paths.filter((path) => path.includes('/generations/')));
        return stack.database.read(paths);
      },
    };
    const { url } = await stack.startServer({}, { database: watched });
    expect(await sweep(url)).toMatchObject({ refunded: 12 });
    const oldestFirst = left.toSorted((a, b) => Number(b.uid.slice(5)) - Number(a.uid.slice(5)));
    expect([...new Set(readPaths)]).toEqual(oldestFirst.map(({ path }) => path));
  });

  it('is left to the next call if time runs out; the oldest are refunded first', async () => {
    const left = [];
    for (let minute = 30; minute > 0; minute -= 1) {
      await stack.user(`user-${minute}`, 5);
      left.push(await leaveHold(`user-${minute}`, 'k', { deadline: fromNow(-minute * minuteMs) }));
    }
    let [elapsed, refunds] = [0, 0];
    const database: Database = {
      ...stack.database,
      async commit(writes) {
        const version = await stack.database.commit(writes);
        refunds += 1;
        if (refunds === 10) elapsed += 241_000;
        return version;
      },
    };
    const clock = { ...systemClock, elapsed: () => elapsed };
    const { url } = await stack.startServer({}, { database, clock });
    const first = await sweep(url);
    expect(first.refunded).toBeGreaterThanOrEqual(10);
    expect(first.refunded).toBeLessThan(20);
    const states = await Promise.all(left.map(({ path }) => getStatus(path)));
    expect(states.filter((state) => state === 'refunded')).toHaveLength(first.refunded);
    expect(states.lastIndexOf('refunded')).toBe(first.refunded - 1);
    expect(await sweep()).toMatchObject({ refunded: 30 - first.refunded });
  });

  it('of an account with an invalid balance gets its refund entry; the balance is left to the admin', async () => {
    const user = await stack.user('ann', 20);
    await leaveHold('ann', 'k', { tier: 'premium4' });
    await stack.edit('accounts/ann', { balance: 'a lot' });
    expect(await sweep()).toMatchObject({ refunded: 1 });
    const { account, entries } = await stack.ledger('ann');
    expect(account).toMatchObject({ balance: 'a lot', settled: 20, sequence: 3 });
    expect(entries.at(-1)).toMatchObject({ type: 'refund', amount: 4, balance: 20 });
    await stack.edit('accounts/ann', { balance: 20 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 20, sequence: 3 });
  });

  it('of an account deleted in the console recreates the account with the refund', async () => {
    const user = await stack.user('ann', 20);
    await leaveHold('ann', 'k', { tier: 'premium4' });
    await stack.erase('accounts/ann');
    expect(await sweep()).toMatchObject({ refunded: 1 });
    expect((await user.get('account')).body.account.balance).toBe(4);
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });

  it('records a console edit together with its refund', async () => {
    await stack.user('ann', 20);
    await leaveHold('ann', 'k');
    await stack.edit('accounts/ann', { balance: 50, note: 'a gift' });
    expect(await sweep()).toMatchObject({ refunded: 1 });
    const { account, entries } = await stack.ledger('ann');
    expect(account).toMatchObject({ balance: 51, settled: 51, sequence: 4 });
    expect(entries.at(-2)).toMatchObject({ type: 'adjustment', amount: 31, reason: 'a gift' });
    expect(await brokenInvariants(stack, 'ann')).toEqual([]);
  });
});

it('reads no more documents when there are more finished generations', async () => {
  const counting = countingDatabase(stack.database);
  const { url } = await stack.startServer({}, { database: counting.database });
  const cost = async () => {
    for (const key of ['a', 'b', 'c']) await leaveHold('ann', `${key}-${counting.trips.length}`);
    counting.reset();
    expect(await sweep(url)).toMatchObject({ refunded: 3 });
    return { documents: counting.documentsRead(), trips: counting.trips.length };
  };
  await stack.user('ann', 100);
  const before = await cost();
  const user = await stack.user('bob', 100);
  const { id } = (await user.generate('k')).body.generation;
  const [finished] = (await stack.database.read([generationPath('bob', id)])).documents;
  const data = { ...finished?.data, deadline: overdue() };
  for (let page = 0; page < 3; page += 1) {
    const paths = Array.from({ length: 100 }, (_, i) => generationPath('bob', `finished-${page}-${i}`));
    await stack.database.commit(paths.map((create) => ({ create, data })));
  }
  const after = await cost();
  // The outbox documents of the first sweep are not due again, so they are not read.
  expect(after).toEqual(before);
  expect(after.documents).toBeLessThan(20);
});

describe('who may call', () => {
  it('the scheduler, with a token signed by Google', async () => {
    await stack.user('ann', 20);
    await leaveHold('ann', 'k');
    const { status, body } = await runJob(stack, 'sweepHolds', { token: await schedulerToken(stack) });
    expect([status, body]).toEqual([200, { refunded: 1, deletedAssets: 0 }]);
  });

  it('nobody else', async () => {
    await stack.user('ann', 20);
    const { path } = await leaveHold('ann', 'k');
    for (const [who, token, expected] of await createRefusedCallers(stack)) {
      const answer = await runJob(stack, 'sweepHolds', { token });
      const reason = expected === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      expect([who, ...getRefusal(answer)]).toEqual([who, expected, reason]);
    }
    const get = await stack.fetch('sweepHolds', { headers: { authorization: 'Bearer owner' } });
    expect(getRefusal(get)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(await getStatus(path)).toBe('pending');
  });
});
