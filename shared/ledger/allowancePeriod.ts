/** The calendar of allowances: periods begin at midnight UTC, weeks on Monday. Pure. */

export type AllowancePeriod = 'day' | 'week' | 'month';

const dayMs = 86_400_000;

/** The period that a time is in: its name, by its first day, and when the next one begins. */
export function periodAt(period: AllowancePeriod, now: Date): { name: string; nextAt: Date } {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (period === 'month') {
    return named(period, Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1));
  }
  const today = Date.UTC(year, month, day);
  if (period === 'day') return named(period, today, today + dayMs);
  const monday = today - ((now.getUTCDay() + 6) % 7) * dayMs;
  return named(period, monday, monday + 7 * dayMs);
}

function named(period: AllowancePeriod, from: number, to: number) {
  return { name: `${period}-${new Date(from).toISOString().slice(0, 10)}`, nextAt: new Date(to) };
}

/**
 * Whether a period has been dealt with, by the last one that was. A call that comes late, or a machine whose
 * clock is behind, never goes back to an earlier one. Names of one kind sort by their first day.
 */
export function isPast(period: string, last: string | undefined): boolean {
  const getKind = (name: string) => name.split('-')[0];
  return last !== undefined && getKind(last) === getKind(period) && last >= period;
}
