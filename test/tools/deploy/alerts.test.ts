/** The alerts: when each fires, and that no scheduled job is without one. */
import { expect, it } from 'vitest';
import { jobTimeoutMs } from '../../../shared/database/jobs.ts';
import { alerts, type Condition } from '../../../tools/deploy/alerts.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { toPolicy } from '../../../tools/deploy/planAlerts.ts';

/** Minutes between two runs of a schedule: every n minutes, every hour, or every day. */
function getPeriodMinutes(cron: string): number {
  const [minute = '', hour = ''] = cron.split(' ');
  if (hour !== '*') return 24 * 60;
  const step = /^\*(?:\/(\d+))?$/.exec(minute);
  return step ? Number(step[1] ?? 1) : 60;
}

it('has an alert for every scheduled job that does not finish in its time', () => {
  const jobs = Object.entries(manifest).flatMap(([name, { trigger }]) =>
    trigger.kind === 'schedule' ? [{ name, minutes: getPeriodMinutes(trigger.cron) }] : [],
  );
  expect(jobs.length).toBeGreaterThan(3);
  for (const { name, minutes } of jobs) {
    const filter = `jsonPayload.event="job_finished" AND jsonPayload.function="${name}"`;
    const found = alerts.find((alert) => alert.filter.endsWith(` AND ${filter}`));
    const { noneForMinutes = 0 } = (found?.condition ?? {}) as { noneForMinutes?: number };
    // A run may take its whole timeout. Cloud Monitoring looks back for 25 hours at most.
    expect(noneForMinutes, name).toBeGreaterThan(minutes + jobTimeoutMs / 60_000);
    expect(noneForMinutes, name).toBeLessThan(25 * 60);
  }
});

it('makes an alert fire after too many lines, or after none', () => {
  const policy = (condition: Condition) =>
    toPolicy({ id: 'x', title: 'X', filter: '', condition, runbook: '' }, 'studio-x', []).conditions[0]
      ?.conditionThreshold;
  expect(policy({ count: 3, minutes: 5 })).toMatchObject({
    filter: expect.stringContaining('logging.googleapis.com/user/studio-x"'),
    comparison: 'COMPARISON_GT',
    thresholdValue: 3,
    aggregations: [{ alignmentPeriod: '300s' }],
  });
  expect(policy({ noneForMinutes: 10 })).toMatchObject({
    comparison: 'COMPARISON_LT',
    thresholdValue: 1,
    evaluationMissingData: 'EVALUATION_MISSING_DATA_ACTIVE',
    aggregations: [{ alignmentPeriod: '600s' }],
  });
});
