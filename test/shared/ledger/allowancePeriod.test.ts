import { describe, expect, it } from 'vitest';
import { getPeriod, isPast } from '../../../shared/ledger/allowancePeriod.ts';

const at = (period: 'day' | 'week' | 'month', time: string) => {
  const { name, nextAt } = getPeriod(period, new Date(time));
  return [name, nextAt.toISOString()];
};
const midnight = (day: string) => `${day}T00:00:00.000Z`;

describe('a period begins at midnight UTC and ends when the next begins', () => {
  it.each<['day' | 'week' | 'month', time: string, from: string, next: string]>([
    ['day', '2026-11-22T00:00:00.000Z', '2026-11-22', '2026-11-23'],
    ['day', '2026-11-22T23:59:59.999Z', '2026-11-22', '2026-11-23'],
    ['day', '2026-12-31T12:00:00Z', '2026-12-31', '2027-01-01'],
    ['day', '2028-02-28T12:00:00Z', '2028-02-28', '2028-02-29'],
    ['day', '2028-02-29T12:00:00Z', '2028-02-29', '2028-03-01'],
    ['day', '2100-02-28T12:00:00Z', '2100-02-28', '2100-03-01'],
    ['day', '2026-03-29T01:30:00Z', '2026-03-29', '2026-03-30'],
    ['day', '2026-11-22T23:30:00-08:00', '2026-11-23', '2026-11-24'],
    ['day', '2026-11-23T00:30:00+09:00', '2026-11-22', '2026-11-23'],
    ['week', '2026-11-16T00:00:00Z', '2026-11-16', '2026-11-23'],
    ['week', '2026-11-22T23:59:59.999Z', '2026-11-16', '2026-11-23'],
    ['week', '2026-11-23T00:00:00Z', '2026-11-23', '2026-11-30'],
    ['week', '2026-12-31T12:00:00Z', '2026-12-28', '2027-01-04'],
    ['week', '2027-01-01T12:00:00Z', '2026-12-28', '2027-01-04'],
    ['week', '2028-03-01T12:00:00Z', '2028-02-28', '2028-03-06'],
    ['month', '2026-11-01T00:00:00Z', '2026-11-01', '2026-12-01'],
    ['month', '2026-11-30T23:59:59.999Z', '2026-11-01', '2026-12-01'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01', '2027-01-01'],
    ['month', '2027-01-01T00:00:00Z', '2027-01-01', '2027-02-01'],
    ['month', '2028-02-29T12:00:00Z', '2028-02-01', '2028-03-01'],
    ['month', '2027-02-28T12:00:00Z', '2027-02-01', '2027-03-01'],
    ['month', '2026-10-31T20:00:00-08:00', '2026-11-01', '2026-12-01'],
  ])('%s at %s', (period, time, from, next) => {
    expect(at(period, time)).toEqual([`${period}-${from}`, midnight(next)]);
  });
});

describe('periods', () => {
  it.each(['day', 'week', 'month'] as const)('of a %s follow each other without a gap', (period) => {
    let time = new Date('2026-11-22T12:00:00Z');
    for (let i = 0; i < 800; i += 1) {
      const { name, nextAt } = getPeriod(period, time);
      const from = Date.parse(midnight(name.slice(period.length + 1)));
      expect(from).toBeLessThanOrEqual(time.getTime());
      expect(nextAt.getTime()).toBeGreaterThan(time.getTime());
      expect(getPeriod(period, new Date(nextAt.getTime() - 1)).name).toBe(name);
      expect(getPeriod(period, nextAt).name).toBe(`${period}-${nextAt.toISOString().slice(0, 10)}`);
      time = nextAt;
    }
  });

  it("do not depend on the machine's time zone", () => {
    const original = process.env.TZ;
    try {
      for (const timeZone of ['Pacific/Kiritimati', 'America/Los_Angeles', 'Asia/Kathmandu']) {
        process.env.TZ = timeZone;
        expect(at('day', '2026-11-22T23:59:59Z')).toEqual(['day-2026-11-22', midnight('2026-11-23')]);
        expect(at('week', '2026-11-22T23:59:59Z')).toEqual(['week-2026-11-16', midnight('2026-11-23')]);
        expect(at('month', '2026-11-30T23:59:59Z')).toEqual(['month-2026-11-01', midnight('2026-12-01')]);
      }
    } finally {
      if (original === undefined) delete process.env.TZ;
      else process.env.TZ = original;
    }
  });
});

describe('a period is past', () => {
  it.each<[period: string, last: string | undefined, past: boolean]>([
    ['day-2026-11-22', undefined, false],
    ['day-2026-11-22', 'day-2026-11-22', true],
    ['day-2026-11-22', 'day-2026-11-23', true],
    ['day-2026-11-22', 'day-2026-11-21', false],
    ['day-2027-01-01', 'day-2026-12-31', false],
    ['month-2026-12-01', 'month-2027-01-01', true],
    ['day-2026-11-22', 'week-2026-11-23', false],
    ['day-2026-11-22', 'month-2026-12-01', false],
    ['week-2026-11-16', 'day-2026-11-22', false],
    ['week-2026-11-16', 'unknown', false],
  ])('%s after %s: %s', (period, last, past) => {
    expect(isPast(period, last)).toBe(past);
  });
});
