/** Google resets daily quotas at midnight in America/Los_Angeles. */

let calendar: Intl.DateTimeFormat | undefined;

/** Created at the first use: loading time zones takes an eighth of a cold start. */
function getCalendar(): Intl.DateTimeFormat {
  calendar ??= new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/Los_Angeles',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    hourCycle: 'h23',
  });
  return calendar;
}

/** The first midnight in Los Angeles after `now`, milliseconds since 1970. Handles daylight saving time. */
export function nextPacificMidnight(now: number): Date {
  const { year, month, day } = toParts(now);
  // Midnight is 07:00 UTC in summer and 08:00 in winter. The clocks change at 2:00, two hours after midnight.
  const summer = Date.UTC(year, month - 1, day + 1, 7);
  return new Date(toParts(summer).hour === 0 ? summer : summer + 3_600_000);
}

function toParts(time: number) {
  const parts = Object.fromEntries(
    getCalendar()
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return parts as { year: number; month: number; day: number; hour: number };
}
