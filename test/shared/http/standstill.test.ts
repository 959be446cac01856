/** The time in which the process stood still, by which the limits of a connection grow. */
import { expect, it } from 'vitest';
import { createStandstill } from '../../../shared/http/standstill.ts';

function standstillAt(tickMs: number, windowMs: number) {
  let now = 500;
  const read = createStandstill(tickMs, windowMs, () => now);
  read();
  return (milliseconds: number) => {
    now += milliseconds;
    return read();
  };
}

it('is nothing while the process runs, however often it is read', () => {
  const after = standstillAt(1_000, 60_000);
  expect([0, 1_000, 1, 999, 0, 500].map(after)).toEqual([0, 0, 0, 0, 0, 0]);
});

it('is what a tick takes too long', () => {
  const after = standstillAt(1_000, 60_000);
  expect(after(12_000)).toBe(11_000);
  expect(after(1_000.5)).toBe(11_001);
});

it('ends when the process has run for the whole window, and standing still does not count as running', () => {
  const after = standstillAt(1_000, 3_000);
  expect(after(12_000)).toBe(11_000);
  expect(after(1_000)).toBe(11_000);
  expect(after(101_000)).toBe(111_000);
  expect(after(1_000)).toBe(100_000);
  expect([after(1_000), after(1_000), after(1_000)]).toEqual([100_000, 0, 0]);
});
