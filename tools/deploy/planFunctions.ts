/** The steps for the functions: the image, a service for each function, and their callers. */
import {
  type FunctionSpec,
  manifest,
  paymentJob,
  toAccountName,
  toErasureBucket,
  toServiceName,
} from './manifest.ts';
import type { DeployOptions } from './options.ts';
import {
  databaseId,
  eventarcAccount,
  gcloud,
  getSecrets,
  schedulerAccount,
  toAccountEmail,
} from './planProject.ts';
import type { Step } from './steps.ts';

const repository = 'studio';

/** Builds one image of dist/ with Google's buildpacks. All services run it, by its digest. */
export function buildImage({ project, region }: DeployOptions): Step[] {
  const image = `${region}-docker.pkg.dev/${project}/${repository}/functions`;
  const repositories = (...args: string[]) =>
    gcloud(project, 'artifacts', 'repositories', ...args, repository, `--location=${region}`);
  return [
    {
      title: 'Create the image repository',
      hint: 'You need the role roles/artifactregistry.admin.',
      do: 'ensure',
      probe: { command: repositories('describe', '--format=value(name)') },
      make: repositories('create', '--repository-format=docker'),
    },
    {
      title: 'Build the image',
      hint: 'The log of the build is above. If the build lacks permission, grant the role roles/cloudbuild.builds.builder to the account in the log.',
      do: 'run',
      run: gcloud(
        project,
        ...['builds', 'submit', 'dist', `--pack=image=${image}`],
        // Only roles/viewer may read a log in the default bucket, and without the log gcloud calls the build a failure.
        `--gcs-log-dir=gs://${project}_cloudbuild/logs`,
      ),
    },
    {
      title: "Find the image's digest",
      hint: `The image ${image}:latest must exist.`,
      do: 'run',
      run: gcloud(
        project,
        'artifacts',
        'docker',
        'images',
        'describe',
        `${image}:latest`,
        '--format=value(image_summary.fully_qualified_digest)',
      ),
      saveAs: 'IMAGE',
    },
  ];
}

/** The audience of Scheduler's tokens, which the functions get as SCHEDULER_AUDIENCE. Nothing serves this address. */
const getSchedulerAudience = (project: string) => `https://${project}.web.app/scheduler`;

/** The environment of a function. Only FUNCTION_TARGET differs between functions. */
export function createEnvironment(
  target: string,
  { project, settings }: DeployOptions,
): Record<string, string> {
  return {
    NODE_ENV: 'production',
    ...settings,
    FUNCTION_TARGET: target,
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_DATABASE_ID: databaseId,
    ERASURE_LOG_BUCKET: toErasureBucket(project),
    SCHEDULER_AUDIENCE: getSchedulerAudience(project),
    SCHEDULER_SERVICE_ACCOUNT: toAccountEmail(schedulerAccount, project),
  };
}

/** Joins variables with a separator that no value contains, in gcloud's syntax. Several values contain commas. */
function joinVariables(values: Record<string, string>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const separator = ['|', '#', ';', '~', '@@'].find((one) => !pairs.some((pair) => pair.includes(one)));
  if (!separator) throw new Error('The settings contain every possible separator');
  return `^${separator}^${pairs.join(separator)}`;
}

/** Deploys a service for each function. All but the one for events accept any caller, because the code checks tokens. */
export function deployFunctions(options: DeployOptions): Step[] {
  return Object.entries(manifest).map(
    ([target, spec]): Step => ({
      title: `Deploy ${target}`,
      hint: `Read its log: gcloud run services logs read ${toServiceName(target)} --project=${options.project} --region=${options.region}. The earlier revision still serves requests.`,
      do: 'run',
      run: gcloud(
        options.project,
        'run',
        'deploy',
        toServiceName(target),
        ...getDeployFlags(target, spec, options),
      ),
    }),
  );
}

function getDeployFlags(target: string, spec: FunctionSpec, options: DeployOptions): string[] {
  const { project, region } = options;
  const { kind } = spec.trigger;
  const secrets = getSecrets(spec, options).map((secret) => `${secret}=${secret}:latest`);
  return [
    `--region=${region}`,
    '--image={{IMAGE}}',
    `--service-account=${toAccountEmail(toAccountName(target), project)}`,
    `--set-env-vars=${joinVariables(createEnvironment(target, options))}`,
    `--set-secrets=${secrets.join(',')}`,
    `--memory=${spec.memoryMiB}Mi`,
    `--cpu=${spec.cpu}`,
    `--concurrency=${spec.concurrency}`,
    `--timeout=${spec.timeoutSeconds}`,
    `--min-instances=${spec.minInstances}`,
    `--max-instances=${spec.maxInstances}`,
    '--execution-environment=gen2',
    '--cpu-boost',
    spec.cpuAlways ? '--no-cpu-throttling' : '--cpu-throttling',
    `--ingress=${kind === 'http' ? 'all' : 'internal'}`,
    '--no-allow-unauthenticated',
    // If Cloud Run checks a token, it removes the signature, and then the code cannot check the token.
    kind === 'document' ? '--invoker-iam-check' : '--no-invoker-iam-check',
    '--quiet',
  ];
}

/** Eventarc's regions for Firestore's multi-regions: https://cloud.google.com/firestore/docs/eventarc#eventarc_and_locations */
const eventLocations: Record<string, string> = { nam5: 'us-central1', eur3: 'europe-west4' };

/** Sends Firestore's events to the functions that handle them. The events name the writer. */
export function createTriggers({ project, region, location }: DeployOptions): Step[] {
  const member = `--member=serviceAccount:${toAccountEmail(eventarcAccount, project)}`;
  return Object.entries(manifest).flatMap(([target, { trigger }]): Step[] => {
    if (trigger.kind !== 'document') return [];
    const service = toServiceName(target);
    const triggers = (...args: string[]) =>
      gcloud(project, 'eventarc', 'triggers', ...args, `--location=${eventLocations[location] ?? location}`);
    const destinationArgs = [
      `--destination-run-service=${service}`,
      `--destination-run-region=${region}`,
      `--service-account=${toAccountEmail(eventarcAccount, project)}`,
    ];
    return [
      {
        title: `Allow Eventarc to call ${target}`,
        hint: 'You need the role roles/run.admin.',
        do: 'run',
        retry: true,
        run: gcloud(
          project,
          'run',
          'services',
          'add-iam-policy-binding',
          service,
          `--region=${region}`,
          member,
          '--role=roles/run.invoker',
          '--format=none',
        ),
      },
      {
        title: `Send each write of ${trigger.pattern} to ${target}`,
        hint: 'Eventarc can need some minutes after its API is enabled. Then run the deploy again. The trigger must have the location of the database.',
        do: 'ensure',
        retry: true,
        probe: { command: triggers('describe', service, '--format=value(name)') },
        make: triggers(
          'create',
          service,
          ...destinationArgs,
          '--event-filters=type=google.cloud.firestore.document.v1.written.withAuthContext',
          `--event-filters=database=${databaseId}`,
          `--event-filters-path-pattern=document=${trigger.pattern}`,
          '--event-data-content-type=application/protobuf',
        ),
        change: triggers('update', service, ...destinationArgs),
      },
    ];
  });
}

/** Creates Cloud Scheduler's jobs. Each call has a token for the functions' audience. */
export function scheduleJobs({ project, region, payments }: DeployOptions): Step[] {
  return Object.entries(manifest).flatMap(([target, { trigger, timeoutSeconds }]): Step[] => {
    if (trigger.kind !== 'schedule' || (target === paymentJob && !payments)) return [];
    const service = toServiceName(target);
    const jobs = (verb: string, ...args: string[]) =>
      gcloud(project, 'scheduler', 'jobs', verb, ...args, `--location=${region}`);
    const jobArgs = [
      service,
      `--schedule=${trigger.cron}`,
      '--time-zone=Etc/UTC',
      `--uri=https://${service}-{{PROJECT_NUMBER}}.${region}.run.app/`,
      '--http-method=POST',
      `--oidc-service-account-email=${toAccountEmail(schedulerAccount, project)}`,
      `--oidc-token-audience=${getSchedulerAudience(project)}`,
      // Longer than the function's timeout, so that the function itself answers.
      `--attempt-deadline=${timeoutSeconds + 20}s`,
    ];
    return [
      {
        title: `Call ${target} at ${trigger.cron} (UTC)`,
        hint: 'Cloud Scheduler must be available in this region: gcloud scheduler locations list.',
        do: 'ensure',
        probe: { command: jobs('describe', service, '--format=value(name)') },
        make: jobs('create', 'http', ...jobArgs),
        change: jobs('update', 'http', ...jobArgs),
      },
    ];
  });
}
