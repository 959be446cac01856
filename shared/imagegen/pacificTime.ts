/** Google's daily quotas begin anew at midnight in America/Los_Angeles. */

let calendar: Intl.DateTimeFormat | undefined;

/** Made at its first use: reading the world's time zones takes an eighth of a cold start. */
function losAngeles(): Intl.DateTimeFormat {
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

/** The first midnight in Los Angeles after a time in milliseconds since 1970, daylight saving included. */
export function nextPacificMidnight(now: number): Date {
  const { year, month, day } = toParts(now);
  // Midnight is 07:00 UTC under daylight saving time and 08:00 otherwise; the clocks change two hours later.
  const summer = Date.UTC(year, month - 1, day + 1, 7);
  return new Date(toParts(summer).hour === 0 ? summer : summer + 3_600_000);
}

function toParts(time: number) {
  const parts = Object.fromEntries(
    losAngeles()
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return parts as { year: number; month: number; day: number; hour: number };
}
