/** The scheduled functions run by themselves on this machine, and say nothing unless something happens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { callJob, isIdleJob, jobPeriodsMs, startJobs } from '../../local/jobs.ts';
import { manifest } from '../../tools/deploy/manifest.ts';

const minuteMs = 60_000;
/** The period of each cron expression of the manifest, milliseconds. */
const cronPeriodsMs: Record<string, number> = {
  '* * * * *': minuteMs,
  '*/15 * * * *': 15 * minuteMs,
  '7 * * * *': 60 * minuteMs,
  '43 * * * *': 60 * minuteMs,
  '23 3 * * *': 1_440 * minuteMs,
};

afterEach(() => void vi.useRealTimers());

it('runs every scheduled function at least as often as it runs in production', () => {
  const scheduled = Object.entries(manifest).flatMap(([name, { trigger }]) =>
    trigger.kind === 'schedule' ? [[name, trigger.cron] as const] : [],
  );
  expect(Object.keys(jobPeriodsMs).sort()).toEqual(scheduled.map(([name]) => name).sort());
  for (const [name, cron] of scheduled) {
    expect(jobPeriodsMs[name as keyof typeof jobPeriodsMs]).toBeLessThanOrEqual(cronPeriodsMs[cron] ?? 0);
  }
});

it('calls each job after each of its periods until it is stopped, whatever a call does', async () => {
  vi.useFakeTimers();
  const calls: string[] = [];
  const stop = startJobs(async (name) => {
    calls.push(name);
    throw new Error('The server is gone');
  });
  await vi.advanceTimersByTimeAsync(60 * minuteMs);
  const count = (job: string) => calls.filter((name) => name === job).length;
  const jobs = ['sweepHolds', 'refillAllowances', 'reconcilePayments', 'checkQuota', 'reconcile'];
  expect(jobs.map(count)).toEqual([60, 6, 6, 4, 1]);
  stop();
  await vi.advanceTimersByTimeAsync(60 * minuteMs);
  expect(calls).toHaveLength(77);
});

it('does not start a job again while it is running', async () => {
  vi.useFakeTimers();
  let sweeps = 0;
  const stop = startJobs((name) => {
    if (name === 'sweepHolds') sweeps += 1;
    return name === 'sweepHolds' ? new Promise(() => {}) : Promise.resolve();
  });
  await vi.advanceTimersByTimeAsync(5 * minuteMs);
  expect(sweeps).toBe(1);
  stop();
});

it("calls a job as the emulators' superuser", async () => {
  const requests: unknown[] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.authorization]);
    response.end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  await callJob(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'sweepHolds');
  await new Promise((closed) => server.close(closed));
  expect(requests).toEqual([['POST', '/sweepHolds', 'Bearer owner']]);
});

it('hides only the lines of jobs that found nothing to do', () => {
  const line = { severity: 'INFO', function: 'sweepHolds', outcome: 'ok', status: 200, durationMs: 7 };
  expect(isIdleJob({ ...line, refunded: 0, deletedAssets: 0 })).toBe(true);
  expect(isIdleJob({ ...line, function: 'reconcile', checked: 12, adjusted: 0, broken: 0 })).toBe(true);
  expect(isIdleJob({ ...line, refunded: 1, deletedAssets: 0 })).toBe(false);
  expect(isIdleJob({ ...line, outcome: 'failed', status: 503 })).toBe(false);
  expect(isIdleJob({ ...line, function: 'generate' })).toBe(false);
  expect(isIdleJob({ event: 'account_broken' })).toBe(false);
});
