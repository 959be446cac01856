/** The steps for the alerts and the budget. Each alert has a log-based metric and a policy that watches it. */
import { type Alert, alerts, type Condition, paymentAlerts } from './alerts.ts';
import type { DeployOptions } from './options.ts';
import { gcloud } from './planProject.ts';
import type { Step } from './steps.ts';

const channelName = 'Studio';
const hint =
  'You need the roles roles/logging.configWriter, roles/monitoring.alertPolicyEditor and roles/monitoring.notificationChannelEditor, and the gcloud components `alpha` and `beta`.';

/** Creates the notification channel, if there is an address, and then every alert. */
export function createAlerts(options: DeployOptions): Step[] {
  const { project, alertEmail, payments } = options;
  const alertSteps = [...alerts, ...(payments ? paymentAlerts : [])].flatMap((alert) =>
    createAlert(alert, options),
  );
  if (!alertEmail) return alertSteps;
  const channels = (...args: string[]) => gcloud(project, 'beta', 'monitoring', 'channels', ...args);
  const find = channels('list', `--filter=displayName="${channelName}"`, '--limit=1', '--format=value(name)');
  const labels = [`--channel-labels=email_address=${alertEmail}`];
  return [
    {
      title: `Send alerts to ${alertEmail}`,
      hint,
      do: 'ensure',
      probe: { command: find, saveAs: 'OLD_CHANNEL' },
      make: channels('create', `--display-name=${channelName}`, '--type=email', ...labels),
      change: channels('update', '{{OLD_CHANNEL}}', `--update-channel-labels=email_address=${alertEmail}`),
    },
    { title: 'Find the notification channel', hint, do: 'run', run: find, saveAs: 'CHANNEL' },
    ...alertSteps,
  ];
}

/** Creates a budget for the project. One that exists is kept, because its owner may have changed it. */
export function createBudget({ project, alertEmail, monthlyBudget }: DeployOptions): Step[] {
  if (monthlyBudget === 0) return [];
  const displayName = `Studio ${project}`;
  const budgets = (verb: string, ...args: string[]) =>
    gcloud(
      project,
      ...[
        'billing',
        'budgets',
        verb,
        '--billing-account={{BILLING_ACCOUNT}}',
        `--billing-project=${project}`,
      ],
      ...args,
    );
  return [
    {
      title: 'Find the billing account',
      hint: 'Link a billing account to the project: https://console.cloud.google.com/billing/projects',
      do: 'run',
      run: ['gcloud', 'billing', 'projects', 'describe', project, '--format=value(billingAccountName)'],
      saveAs: 'BILLING_ACCOUNT',
    },
    {
      title: `Create a monthly budget of ${monthlyBudget}`,
      hint: 'Everything else is deployed. You need the role roles/billing.costsManager on the billing account. Or pass --monthly-budget 0.',
      do: 'ensure',
      retry: true,
      probe: {
        command: budgets(
          'list',
          `--filter=displayName="${displayName}"`,
          '--limit=1',
          '--format=value(name)',
        ),
      },
      make: budgets(
        'create',
        `--display-name=${displayName}`,
        `--budget-amount=${monthlyBudget}`,
        `--filter-projects=projects/${project}`,
        ...['percent=0.5', 'percent=0.9', 'percent=1.0'].map((rule) => `--threshold-rule=${rule}`),
        ...(alertEmail ? ['--notifications-rule-monitoring-notification-channels={{CHANNEL}}'] : []),
      ),
    },
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
      title: `Create the metric: ${alert.title}`,
      hint,
      do: 'ensure',
      probe: { command: metrics('describe', '--format=value(name)') },
      make: metrics('create', ...metricArgs),
      change: metrics('update', ...metricArgs),
    },
    {
      title: `Create the alert: ${alert.title}`,
      hint: `${hint} A new metric can take some minutes to appear. Then run the deploy again.`,
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

/** A policy in the form of Cloud Monitoring's API. */
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

/** The threshold of an alert. If there are no lines, a log-based metric may be 0 or have no data: both mean none. */
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
        // Missing data counts only with a duration.
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
