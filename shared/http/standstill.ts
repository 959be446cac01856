/**
 * Measures how long the process stood still: stopped, or without a processor, as Cloud Run leaves an instance between
 * requests.
 */

/**
 * Creates the measure, which must be read about every `tickMs`. It returns the milliseconds of standing still that are
 * not longer ago than `windowMs` of running time; as a whole number.
 * @param elapsed milliseconds since a fixed moment; never goes back.
 */
export function createStandstill(tickMs: number, windowMs: number, elapsed = () => performance.now()) {
  let readAt: number | undefined;
  let ranMs = 0;
  let standstills: { endedAt: number; ms: number }[] = [];
  return (): number => {
    const now = elapsed();
    const sinceMs = now - (readAt ?? now);
    const ms = Math.max(0, sinceMs - tickMs);
    readAt = now;
    ranMs += sinceMs - ms;
    standstills = standstills.filter(({ endedAt }) => endedAt > ranMs - windowMs);
    if (ms > 0) standstills.push({ endedAt: ranMs, ms });
    return Math.ceil(standstills.reduce((sum, one) => sum + one.ms, 0));
  };
}
