/** A clock on which a pause ends at once and moves the time forward instead. */
import type { Clock } from '../../shared/core/clock.ts';

/** @param random the result of every draw, from 0 (inclusive) to 1 (exclusive). */
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
    /** Every requested pause, milliseconds. */
    pauses,
    advance(milliseconds: number) {
      passed += milliseconds;
    },
  };
}
