/** The steps that make the functions: one image, a service of it for each, and what calls them. */
import { type FunctionSpec, manifest, toAccountName, toServiceName } from './manifest.ts';
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

/** One image of dist/, by Google's buildpacks; all services run it, by its digest. */
export function buildImage({ project, region }: DeployOptions): Step[] {
  const image = `${region}-docker.pkg.dev/${project}/${repository}/functions`;
  const repositories = (...args: string[]) =>
    gcloud(project, 'artifacts', 'repositories', ...args, repository, `--location=${region}`);
  return [
    {
      title: 'Makes the repository for images',
      hint: 'You need the role roles/artifactregistry.admin.',
      do: 'ensure',
      probe: { command: repositories('describe', '--format=value(name)') },
      make: repositories('create', '--repository-format=docker'),
    },
    {
      title: 'Builds the image',
      hint: 'The log of the build is above. Where it was not allowed to begin, give the role roles/cloudbuild.builds.builder to the account that it names.',
      do: 'run',
      run: gcloud(project, 'builds', 'submit', 'dist', `--pack=image=${image}`),
    },
    {
      title: 'Looks up its digest',
      hint: `There should be an image ${image}:latest.`,
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

/** What Scheduler's tokens are for. The functions know it by SCHEDULER_AUDIENCE; nobody calls it. */
const getSchedulerAudience = (project: string) => `https://${project}.web.app/scheduler`;

/** The environment of a function: the studio's settings are the same for all. */
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
    SCHEDULER_AUDIENCE: getSchedulerAudience(project),
    SCHEDULER_SERVICE_ACCOUNT: toAccountEmail(schedulerAccount, project),
  };
}

/** A separator that no value has, as gcloud wants it told; a comma stands in several values. */
function joinVariables(values: Record<string, string>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const separator = ['|', '#', ';', '~', '@@'].find((one) => !pairs.some((pair) => pair.includes(one)));
  if (!separator) throw new Error('The settings have every separator there is');
  return `^${separator}^${pairs.join(separator)}`;
}

/** A service for each function. The code knows its callers, so all but the one for events are open to any. */
export function deployFunctions(options: DeployOptions): Step[] {
  return Object.entries(manifest).map(
    ([target, spec]): Step => ({
      title: `Deploys ${target}`,
      hint: `What it said at its start: gcloud run services logs read ${toServiceName(target)} --project=${options.project} --region=${options.region}. The earlier revision goes on serving.`,
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
  const { project, region, vertexAi } = options;
  const { kind } = spec.trigger;
  const secrets = getSecrets(spec, vertexAi).map((secret) => `${secret}=${secret}:latest`);
  return [
    `--region=${region}`,
    '--image={{IMAGE}}',
    `--service-account=${toAccountEmail(toAccountName(target), project)}`,
    `--set-env-vars=${joinVariables(createEnvironment(target, options))}`,
    secrets.length > 0 ? `--set-secrets=${secrets.join(',')}` : '--clear-secrets',
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
    // Where Cloud Run checks a token it takes the signature off, and the code could not check it any more.
    kind === 'document' ? '--invoker-iam-check' : '--no-invoker-iam-check',
    '--quiet',
  ];
}

/** Where Eventarc has Firestore's multi-regions: https://cloud.google.com/firestore/docs/eventarc#eventarc_and_locations */
const eventLocations: Record<string, string> = { nam5: 'us-central1', eur3: 'europe-west4' };

/** Firestore's events, which name who wrote, to the functions that take them. */
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
        title: `Lets Eventarc call ${target}`,
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
        title: `Sends ${target} each write of ${trigger.pattern}`,
        hint: 'Eventarc may need some minutes after its API was enabled: run the deploy again. The location of the trigger must be that of the database.',
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

/** Cloud Scheduler's calls, each with a token for the functions' audience. */
export function scheduleJobs({ project, region }: DeployOptions): Step[] {
  return Object.entries(manifest).flatMap(([target, { trigger, timeoutSeconds }]): Step[] => {
    if (trigger.kind !== 'schedule') return [];
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
      // Longer than the function may take, so that it is the function that answers.
      `--attempt-deadline=${timeoutSeconds + 20}s`,
    ];
    return [
      {
        title: `Calls ${target} at ${trigger.cron} (UTC)`,
        hint: 'Cloud Scheduler must have this region: gcloud scheduler locations list.',
        do: 'ensure',
        probe: { command: jobs('describe', service, '--format=value(name)') },
        make: jobs('create', 'http', ...jobArgs),
        change: jobs('update', 'http', ...jobArgs),
      },
    ];
  });
}
