/** A clock on which nothing waits: a pause is over at once, and has moved the time on by as much. */
import type { Clock } from '../../shared/core/clock.ts';

/** @param random what every draw gives, from 0 up to but not including 1. */
export function virtualClock({ startsAt = Date.now(), random = 0.5 } = {}) {
  let passed = 0;
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => startsAt + passed,
    elapsed: () => passed,
    async pause(milliseconds, signal) {
      signal?.throwIfAborted();
      pauses.push(milliseconds);
      passed += milliseconds;
    },
    random: () => random,
  };
  return {
    clock,
    /** Every pause that was asked for, milliseconds. */
    pauses,
    advance(milliseconds: number) {
      passed += milliseconds;
    },
  };
}
