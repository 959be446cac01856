import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Generation } from '../../shared/contract.ts';
import { groupByDate, listItems } from '../../web/state/galleryGroups.ts';
import type { PendingGeneration, Progress } from '../../web/state/pendingGenerations.ts';

const now = new Date(2026, 10, 26, 15).getTime();
const daysAgo = (days: number, hour = 12) => new Date(2026, 10, 26 - days, hour).toISOString();
const createGeneration = (id: string, createdAt = daysAgo(0)) =>
  ({ id, createdAt, image: { width: 200, height: 100 } }) as Generation;
const createPending = (key: string, progress: Progress) =>
  ({ key, askedAt: now, progress: signal(progress) }) as unknown as PendingGeneration;

function list(generations: Generation[], visit: PendingGeneration[]) {
  const find = (id: string) => generations.find((one) => one.id === id);
  return listItems(generations, find, visit, () => 1);
}

test('images are grouped by day, then by month', () => {
  const at = [
    daysAgo(0, 14),
    daysAgo(0, 1),
    daysAgo(1),
    daysAgo(3),
    daysAgo(6),
    daysAgo(7),
    daysAgo(25),
    daysAgo(40),
  ];
  const groups = groupByDate(
    list(
      at.map((one, i) => createGeneration(String(i), one)),
      [],
    ),
    now,
  );
  const weekday = (days: number) =>
    new Intl.DateTimeFormat(undefined, { weekday: 'long' }).format(new Date(daysAgo(days)));
  const month = (days: number) =>
    new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' }).format(new Date(daysAgo(days)));
  expect(groups.map(({ title, items }) => [title, items.length])).toEqual([
    ['Today', 2],
    ['Yesterday', 1],
    [weekday(3), 1],
    [weekday(6), 1],
    [month(7), 2],
    [month(40), 1],
  ]);
});

test('an image appears where it was made, and nothing is shown twice', () => {
  const done = createGeneration('done');
  const generations = [createGeneration('new'), done, createGeneration('old')];
  const items = list(generations, [
    createPending('running', { state: 'generating' }),
    createPending('finished', { state: 'done', generation: done }),
    createPending('broken', { state: 'failed', error: new Error('It failed') }),
  ]);
  expect(items.map(({ id }) => id)).toEqual(['running', 'finished', 'new', 'old']);
  expect(items.map(({ generation }) => generation?.id)).toEqual([undefined, 'done', 'new', 'old']);
});

test('an image of this visit that was deleted is gone', () => {
  const generation = createGeneration('deleted');
  expect(list([], [createPending('a', { state: 'done', generation })])).toEqual([]);
});
