import { describe, expect, it } from 'vitest';
import { nextPacificMidnight } from '../../../shared/imagegen/pacificTime.ts';

const next = (time: string) => nextPacificMidnight(Date.parse(time)).toISOString().replace('.000Z', 'Z');

describe('the next midnight in Los Angeles', () => {
  it.each([
    ['a summer day', '2026-07-01T19:00:00Z', '2026-07-02T07:00:00Z'],
    ['a winter day', '2026-12-01T19:00:00Z', '2026-12-02T08:00:00Z'],
    ['an evening that is the next day in UTC', '2026-07-02T03:00:00Z', '2026-07-02T07:00:00Z'],
    ['just before midnight in summer', '2026-07-02T06:59:59.999Z', '2026-07-02T07:00:00Z'],
    ['midnight itself in summer', '2026-07-02T07:00:00Z', '2026-07-03T07:00:00Z'],
    ['just after midnight in summer', '2026-07-02T07:00:00.001Z', '2026-07-03T07:00:00Z'],
    ['just before midnight in winter', '2026-12-02T07:59:59.999Z', '2026-12-02T08:00:00Z'],
    ['midnight itself in winter', '2026-12-02T08:00:00Z', '2026-12-03T08:00:00Z'],
    ['the end of a month', '2026-06-30T12:00:00Z', '2026-07-01T07:00:00Z'],
    ['the end of a year', '2026-12-31T20:00:00Z', '2027-01-01T08:00:00Z'],
    ['a leap day', '2028-02-29T20:00:00Z', '2028-03-01T08:00:00Z'],
    // The clocks go forward on 8 March 2026 at 2:00: that day has 23 hours.
    ['the day before spring', '2026-03-07T20:00:00Z', '2026-03-08T08:00:00Z'],
    ['the night of the change in spring, before it', '2026-03-08T09:59:59Z', '2026-03-09T07:00:00Z'],
    ['the night of the change in spring, after it', '2026-03-08T10:00:00Z', '2026-03-09T07:00:00Z'],
    ['midnight before the change in spring', '2026-03-08T08:00:00Z', '2026-03-09T07:00:00Z'],
    ['the end of that day', '2026-03-09T06:59:59.999Z', '2026-03-09T07:00:00Z'],
    // The clocks go back on 1 November 2026 at 2:00: that day has 25 hours.
    ['the day before autumn', '2026-10-31T20:00:00Z', '2026-11-01T07:00:00Z'],
    ['the night of the change in autumn, before it', '2026-11-01T08:59:59Z', '2026-11-02T08:00:00Z'],
    ['the hour that comes twice', '2026-11-01T09:30:00Z', '2026-11-02T08:00:00Z'],
    ['the end of that day', '2026-11-02T07:59:59.999Z', '2026-11-02T08:00:00Z'],
  ])('after %s, %s, is %s', (_, time, midnight) => expect(next(time)).toBe(midnight));

  it('is at most 25 hours away, and never now', () => {
    const hour = 3_600_000;
    for (
      let time = Date.parse('2026-01-01T00:00:00Z'), hours = 0;
      hours < 366 * 24;
      hours += 1, time += hour
    ) {
      const wait = nextPacificMidnight(time).getTime() - time;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(25 * hour);
    }
  });
});
