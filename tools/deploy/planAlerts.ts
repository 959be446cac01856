/** The steps that make the alerts: for each a metric of the log and a policy that watches it. */
import { type Alert, alerts, type Condition } from './alerts.ts';
import type { DeployOptions } from './options.ts';
import { gcloud } from './planProject.ts';
import type { Step } from './steps.ts';

const channelName = 'Studio';
const hint =
  'You need the roles roles/logging.configWriter and roles/monitoring.editor, and gcloud its parts `alpha` and `beta`.';

/** Whoever is to be told, then every alert. */
export function createAlerts(options: DeployOptions): Step[] {
  const { project, alertEmail } = options;
  if (!alertEmail) return alerts.flatMap((alert) => createAlert(alert, options));
  const channels = (...args: string[]) => gcloud(project, 'beta', 'monitoring', 'channels', ...args);
  const find = channels('list', `--filter=displayName="${channelName}"`, '--limit=1', '--format=value(name)');
  const labels = [`--channel-labels=email_address=${alertEmail}`];
  return [
    {
      title: `Has alerts sent to ${alertEmail}`,
      hint,
      do: 'ensure',
      probe: { command: find, saveAs: 'OLD_CHANNEL' },
      make: channels('create', `--display-name=${channelName}`, '--type=email', ...labels),
      change: channels('update', '{{OLD_CHANNEL}}', `--update-channel-labels=email_address=${alertEmail}`),
    },
    { title: 'Looks up where alerts are sent', hint, do: 'run', run: find, saveAs: 'CHANNEL' },
    ...alerts.flatMap((alert) => createAlert(alert, options)),
  ];
}

function createAlert(alert: Alert, { project, alertEmail }: DeployOptions): Step[] {
  const metric = `studio-${alert.id}`;
  const metrics = (verb: string, ...args: string[]) =>
    gcloud(project, 'logging', 'metrics', verb, metric, ...args);
  const policies = (...args: string[]) => gcloud(project, 'alpha', 'monitoring', 'policies', ...args);
  const metricArgs = [`--description=${alert.title}`, `--log-filter=${alert.filter}`];
  const policy = `--policy=${JSON.stringify(toPolicy(alert, metric, alertEmail ? ['{{CHANNEL}}'] : []))}`;
  return [
    {
      title: `Counts: ${alert.title}`,
      hint,
      do: 'ensure',
      probe: { command: metrics('describe', '--format=value(name)') },
      make: metrics('create', ...metricArgs),
      change: metrics('update', ...metricArgs),
    },
    {
      title: `Tells of it: ${alert.title}`,
      hint: `${hint} A new metric can take some minutes to be known: run the deploy again.`,
      do: 'ensure',
      retry: true,
      probe: {
        command: policies(
          'list',
          `--filter=userLabels.studio="${alert.id}"`,
          '--limit=1',
          '--format=value(name)',
        ),
        saveAs: 'POLICY',
      },
      make: policies('create', policy),
      change: policies('update', '{{POLICY}}', policy),
    },
  ];
}

/** A policy as Cloud Monitoring's API has it. */
export function toPolicy(
  { id, title, condition, runbook }: Alert,
  metric: string,
  notificationChannels: string[],
) {
  return {
    displayName: title,
    userLabels: { studio: id },
    documentation: { content: runbook, mimeType: 'text/markdown' },
    combiner: 'OR',
    conditions: [
      {
        displayName: title,
        conditionThreshold: {
          filter: `metric.type="logging.googleapis.com/user/${metric}" AND resource.type="cloud_run_revision"`,
          ...toThreshold(condition),
        },
      },
    ],
    notificationChannels,
  };
}

/** When it goes off. A metric of the log may say 0 where there are no lines, or nothing at all: both are none. */
function toThreshold(condition: Condition) {
  const sumOver = (minutes: number) => [
    {
      alignmentPeriod: `${minutes * 60}s`,
      perSeriesAligner: 'ALIGN_DELTA',
      crossSeriesReducer: 'REDUCE_SUM',
    },
  ];
  return 'noneForMinutes' in condition
    ? {
        comparison: 'COMPARISON_LT',
        thresholdValue: 1,
        // What is missing counts only where the state has to last.
        duration: '60s',
        evaluationMissingData: 'EVALUATION_MISSING_DATA_ACTIVE',
        aggregations: sumOver(condition.noneForMinutes),
      }
    : {
        comparison: 'COMPARISON_GT',
        thresholdValue: condition.count,
        duration: '0s',
        aggregations: sumOver(condition.minutes),
      };
}
