/** The steps that make the alerts: for each a metric of the log and a policy that watches it. */
import { type Alert, alerts, type Condition } from './alerts.ts';
import type { DeployOptions } from './options.ts';
import { gcloud } from './planProject.ts';
import type { Step } from './steps.ts';

const channelName = 'Studio';
const ifItFails =
  'You need the roles roles/logging.configWriter and roles/monitoring.editor, and gcloud its parts `alpha` and `beta`.';

/** Whoever is to be told, then every alert. */
export function watchLogs(options: DeployOptions): Step[] {
  const { project, alertEmail } = options;
  if (!alertEmail) return alerts.flatMap((alert) => watch(alert, options));
  const channels = (...args: string[]) => gcloud(project, 'beta', 'monitoring', 'channels', ...args);
  const find = channels('list', `--filter=displayName="${channelName}"`, '--limit=1', '--format=value(name)');
  const labels = [`--channel-labels=email_address=${alertEmail}`];
  return [
    {
      says: `Has alerts sent to ${alertEmail}`,
      ifItFails,
      do: 'ensure',
      there: { command: find, keepAs: 'OLD_CHANNEL' },
      make: channels('create', `--display-name=${channelName}`, '--type=email', ...labels),
      change: channels('update', '{{OLD_CHANNEL}}', `--update-channel-labels=email_address=${alertEmail}`),
    },
    { says: 'Looks up where alerts are sent', ifItFails, do: 'run', run: find, keepAs: 'CHANNEL' },
    ...alerts.flatMap((alert) => watch(alert, options)),
  ];
}

function watch(alert: Alert, { project, alertEmail }: DeployOptions): Step[] {
  const metric = `studio-${alert.id}`;
  const metrics = (verb: string, ...args: string[]) =>
    gcloud(project, 'logging', 'metrics', verb, metric, ...args);
  const policies = (...args: string[]) => gcloud(project, 'alpha', 'monitoring', 'policies', ...args);
  const counted = [`--description=${alert.title}`, `--log-filter=${alert.filter}`];
  const policy = `--policy=${JSON.stringify(policyOf(alert, metric, alertEmail ? ['{{CHANNEL}}'] : []))}`;
  return [
    {
      says: `Counts: ${alert.title}`,
      ifItFails,
      do: 'ensure',
      there: { command: metrics('describe', '--format=value(name)') },
      make: metrics('create', ...counted),
      change: metrics('update', ...counted),
    },
    {
      says: `Tells of it: ${alert.title}`,
      ifItFails: `${ifItFails} A new metric can take some minutes to be known: run the deploy again.`,
      do: 'ensure',
      retry: true,
      there: {
        command: policies(
          'list',
          `--filter=userLabels.studio="${alert.id}"`,
          '--limit=1',
          '--format=value(name)',
        ),
        keepAs: 'POLICY',
      },
      make: policies('create', policy),
      change: policies('update', '{{POLICY}}', policy),
    },
  ];
}

/** A policy as Cloud Monitoring's API has it. */
export function policyOf(
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
          ...limitOf(condition),
        },
      },
    ],
    notificationChannels,
  };
}

/** When it goes off. A metric of the log may say 0 where there are no lines, or nothing at all: both are none. */
function limitOf(condition: Condition) {
  const summed = (minutes: number) => [
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
        aggregations: summed(condition.noneForMinutes),
      }
    : {
        comparison: 'COMPARISON_GT',
        thresholdValue: condition.count,
        duration: '0s',
        aggregations: summed(condition.minutes),
      };
}
