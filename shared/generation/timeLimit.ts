import type { Clock } from '../core/clock.ts';
import { Failure } from '../errors.ts';

/**
 * The milliseconds until a generation must have ended. A worker that stood still must not sign an upload that could
 * arrive after the sweep's last look.
 * @throws {Failure} PROVIDER_TIMEOUT if none are left.
 */
export type TimeLeft = () => number;

/** The time for one call, from now: when it ends, by the clock's `elapsed`, and how much is left. */
export function createTimeLimit(clock: Clock, milliseconds: number): { endsAt: number; timeLeft: TimeLeft } {
  const endsAt = clock.elapsed() + milliseconds;
  function timeLeft(): number {
    const left = endsAt - clock.elapsed();
    if (left > 0) return left;
    throw new Failure('PROVIDER_TIMEOUT', 'The image was not finished in time.');
  }
  return { endsAt, timeLeft };
}
