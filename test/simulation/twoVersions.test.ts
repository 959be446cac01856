/**
 * Instances of the last release and of today's code on one database, as during a deploy and after one function was rolled
 * back: each ends what the other has begun, and every credit is accounted for.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeFailure, loadReleased, runHistories } from './histories.ts';
import { hasLastRelease, lastRelease } from './lastRelease.ts';

const count = 200;
/** The events that must happen at least once, or the histories prove nothing. */
const requiredEvents = [
  ...['generate', 'generation', 'deleteGeneration', 'account', 'grant', 'sweepHolds', 'reconcile'].map(
    (name) => `the last release answers ${name}`,
  ),
  'instance crashes',
  'instance replaced',
  'instance stopped past all deadlines',
  'fault: a commit is rejected but was done',
  'duel of a worker and the sweep',
  'accountWritten delivered',
  'generation cached',
  'answer: OK again',
  'answer: EXPIRED',
  'answer: IN_PROGRESS',
  'answer: INSUFFICIENT_CREDITS',
  'answer: ACCOUNT_INVALID',
  'refund: EXPIRED',
  'refund: SHUTTING_DOWN',
  'entry: adjustment',
  'entry: allowance',
  'signup grant',
];

const isThere = hasLastRelease();
if (!isThere)
  process.stdout.write(
    `NOT CHECKED: this copy of the repository lacks the commit ${lastRelease.commit} of version ${lastRelease.version}. In a shallow clone, run git fetch --unshallow.\n`,
  );

it('knows the newest release', () => {
  const [, newest] = /^## \[(\d.*?)\]/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
  expect(lastRelease.version).toBe(newest);
});

it.skipIf(!isThere)(`${count} histories of two versions`, { timeout: 120_000 }, async () => {
  const { failed, counts, milliseconds } = await runHistories(count, 1, await loadReleased());
  process.stdout.write(`${count} histories of two versions in ${Math.round(milliseconds)} ms\n`);
  expect(failed && describeFailure(failed)).toBeUndefined();
  expect(requiredEvents.filter((kind) => !counts.has(kind))).toEqual([]);
});
