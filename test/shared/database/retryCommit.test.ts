/** The queues and the deadline of a retried commit, on a clock of the test's own. */
import { expect, it } from 'vitest';
import { DeadlinePassed } from '../../../shared/core/deadline.ts';
import { CommitRejected } from '../../../shared/database/database.ts';
import { createRetryCommit } from '../../../shared/database/retryCommit.ts';
import { virtualClock } from '../../support/virtualClock.ts';

it('forgets the queue of a key once its last turn is over', async () => {
  const tails = new Map<string, Promise<unknown>>();
  const retryCommit = createRetryCommit(virtualClock().clock, tails);
  const turns = [
    retryCommit('ann', async () => 1),
    retryCommit('ann', async () => Promise.reject(new TypeError('a mistake'))),
    retryCommit('bob', async () => 2),
  ];
  expect([...tails.keys()]).toEqual(['ann', 'bob']);
  await Promise.allSettled(turns);
  expect(tails.size).toBe(0);
});

it('counts the time in line: a body whose turn comes too late never runs', async () => {
  const { clock, advance } = virtualClock();
  const retryCommit = createRetryCommit(clock);
  const slow = retryCommit('ann', async () => advance(10_000));
  let runs = 0;
  const late = retryCommit('ann', async () => {
    runs += 1;
  });
  await slow;
  await expect(late).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(runs).toBe(0);
});

it('tries a body twice if its turn comes in time, though the first try takes the rest of the time', async () => {
  const { clock, advance } = virtualClock();
  const retryCommit = createRetryCommit(clock);
  const slow = retryCommit('ann', async () => advance(9_900));
  let runs = 0;
  const waiting = retryCommit('ann', async () => {
    runs += 1;
    if (runs > 1) return 'done';
    advance(2_500);
    throw new DeadlinePassed('Firestore took more than 2500 ms');
  });
  await slow;
  expect(await waiting).toBe('done');
});

it('retries until the time that its caller names, and not for ever', async () => {
  const { clock, advance } = virtualClock();
  const retryCommit = createRetryCommit(clock);
  const silentUntil = (end: number) => async () => {
    if (clock.elapsed() >= end) return 'done';
    advance(2_500);
    throw new DeadlinePassed('Firestore took more than 2500 ms');
  };
  expect(await retryCommit(undefined, silentUntil(90_000), 100_000)).toBe('done');
  const tooLong = retryCommit(undefined, silentUntil(Number.POSITIVE_INFINITY), 200_000);
  await expect(tooLong).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(clock.elapsed()).toBeGreaterThanOrEqual(200_000);
  expect(clock.elapsed()).toBeLessThan(205_000);
});

it('runs bodies with the same key one at a time, in their order', async () => {
  const retryCommit = createRetryCommit(virtualClock().clock);
  const events: string[] = [];
  const body = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} ends`);
  };
  await Promise.all([retryCommit('ann', body('first')), retryCommit('ann', body('second'))]);
  expect(events).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
});

it('runs a body again after a rejected commit, and gives up after 10 s', async () => {
  const { clock, pauses } = virtualClock();
  const retryCommit = createRetryCommit(clock);
  const reject = () => Promise.reject(new CommitRejected('The account has changed'));
  let runs = 0;
  const result = await retryCommit('ann', async () => {
    runs += 1;
    return runs < 3 ? reject() : 'done';
  });
  expect([result, runs]).toEqual(['done', 3]);
  await expect(retryCommit('ann', reject)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(Math.max(...pauses)).toBe(250);
});
