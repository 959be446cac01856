/** The calendar of allowances: periods begin at midnight UTC, weeks on Monday. */

export type AllowancePeriod = 'day' | 'week' | 'month';

const dayMs = 86_400_000;

/** The period that contains `now`: its name, such as `week-2026-11-23` after its first day, and when the next begins. */
export function getPeriod(period: AllowancePeriod, now: Date): { name: string; nextAt: Date } {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (period === 'month') {
    return toPeriod(period, Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1));
  }
  const today = Date.UTC(year, month, day);
  if (period === 'day') return toPeriod(period, today, today + dayMs);
  const monday = today - ((now.getUTCDay() + 6) % 7) * dayMs;
  return toPeriod(period, monday, monday + 7 * dayMs);
}

function toPeriod(period: AllowancePeriod, from: number, to: number) {
  return { name: `${period}-${new Date(from).toISOString().slice(0, 10)}`, nextAt: new Date(to) };
}

const isSameKind = (one: string, other: string) => one.split('-')[0] === other.split('-')[0];

/**
 * True if a period is over, judged by the last one that an account has received. A late call, or a machine whose clock is
 * slow, never returns to an earlier period. Names of one kind sort by their first day.
 */
export const isPast = (period: string, last: string | undefined): boolean =>
  last !== undefined && isSameKind(last, period) && last >= period;

/**
 * The newest of several periods. One of another kind than the current one, from before a change of the configuration,
 * counts only if there is none of that kind.
 */
export function findNewestPeriod(
  periods: readonly (string | undefined)[],
  current: string,
): string | undefined {
  const known = periods.filter((period) => period !== undefined);
  const ofKind = known.filter((period) => isSameKind(period, current));
  return ofKind.sort().at(-1) ?? known[0];
}
