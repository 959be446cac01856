/** The alerts: when each fires, and that no scheduled job is without one. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jobTimeoutMs } from '../../../shared/database/jobs.ts';
import { alerts, type Condition, paymentAlerts } from '../../../tools/deploy/alerts.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { toPolicy } from '../../../tools/deploy/planAlerts.ts';

const all = [...alerts, ...paymentAlerts];

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
    const found = all.find((alert) => alert.filter.endsWith(` AND ${filter}`));
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

describe('every alert', () => {
  const guide = readFileSync('docs/deployment/operations.md', 'utf8');

  it.each(all)('$id has a runbook with the same filter, and a valid name for Cloud Logging', (alert) => {
    const { id, filter, runbook } = alert;
    expect(id).toMatch(/^[a-z][a-z\d-]{1,50}$/);
    const section = guide.split(/^### /m).find((one) => one.startsWith(`${id}\n`));
    expect(section).toContain(filter.replace('resource.type="cloud_run_revision" AND ', ''));
    expect(runbook).toContain(`operations.md#${id}`);
  });

  it('and every event that the code logs is in the table of events, and no other', () => {
    const code = globSync('{functions,shared}/**/*.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const logged = [...code.matchAll(/\bevent: '(\w+)'/g)].map(([, name]) => name);
    const table = guide.slice(guide.indexOf('**The events:**'), guide.indexOf('**What a service answered**'));
    const described = [...table.matchAll(/^\| `(\w+_\w+)` \|/gm)].map(([, name]) => name);
    expect(logged.filter((name) => !described.includes(name))).toEqual([]);
    expect(described.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
    const filtered = all.flatMap(({ filter }) => /jsonPayload\.event="(\w+)"/.exec(filter)?.[1] ?? []);
    expect(filtered.filter((name) => !described.includes(name))).toEqual([]);
  });

  it('has a unique id', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});
