/** Calls the scheduled functions of this machine's server, as Cloud Scheduler does in production. */
import type { LogLine } from './terminalLog.ts';

/** How often each job runs, milliseconds: as often as in production, or more often. */
export const jobPeriodsMs = {
  sweepHolds: 60_000,
  refillAllowances: 600_000,
  checkQuota: 900_000,
  reconcile: 3_600_000,
  reconcilePayments: 600_000,
};
type Job = keyof typeof jobPeriodsMs;

/**
 * Calls each job after each of its periods, until the process ends or the returned function is called. A call that still
 * runs is not repeated. The functions log what happens.
 */
export function startJobs(call: (name: Job) => Promise<unknown>): () => void {
  const timers = Object.entries(jobPeriodsMs).map(([name, periodMs]) => {
    let isRunning = false;
    const run = async () => {
      if (isRunning) return;
      isRunning = true;
      await call(name as Job).catch(() => {});
      isRunning = false;
    };
    return setInterval(run, periodMs).unref();
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** Calls a job on the server at `url` as the emulators' superuser. */
export async function callJob(url: string, name: Job): Promise<void> {
  const headers = { authorization: 'Bearer owner' };
  const response = await fetch(`${url}/${name}`, { method: 'POST', headers });
  await response.arrayBuffer();
}

/** Counts of a job that change nothing. */
const harmlessCounts = new Set(['status', 'durationMs', 'checked']);

/** True for the log line of a job that found nothing to do. */
export function isIdleJob(line: LogLine): boolean {
  if (line.outcome !== 'ok' || !Object.hasOwn(jobPeriodsMs, String(line.function))) return false;
  return Object.entries(line).every(
    ([name, value]) => typeof value !== 'number' || value === 0 || harmlessCounts.has(name),
  );
}
