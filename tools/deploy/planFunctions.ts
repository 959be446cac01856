/** The steps that make the functions: one image, a service of it for each, and what calls them. */
import { accountOf, type Deployed, manifest, serviceOf } from './manifest.ts';
import type { DeployOptions } from './options.ts';
import {
  addressOf,
  databaseId,
  eventarcAccount,
  gcloud,
  getSecrets,
  schedulerAccount,
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
      says: 'Makes the repository for images',
      ifItFails: 'You need the role roles/artifactregistry.admin.',
      do: 'ensure',
      there: { command: repositories('describe', '--format=value(name)') },
      make: repositories('create', '--repository-format=docker'),
    },
    {
      says: 'Builds the image',
      ifItFails:
        'The log of the build is above. Where it was not allowed to begin, give the role roles/cloudbuild.builds.builder to the account that it names.',
      do: 'run',
      run: gcloud(project, 'builds', 'submit', 'dist', `--pack=image=${image}`),
    },
    {
      says: 'Looks up its digest',
      ifItFails: `There should be an image ${image}:latest.`,
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
      keepAs: 'IMAGE',
    },
  ];
}

/** What Scheduler's tokens are for. The functions know it by SCHEDULER_AUDIENCE; nobody calls it. */
const audienceOf = (project: string) => `https://${project}.web.app/scheduler`;

/** The environment of a function: the studio's settings are the same for all. */
export function environmentOf(target: string, { project, settings }: DeployOptions): Record<string, string> {
  return {
    NODE_ENV: 'production',
    ...settings,
    FUNCTION_TARGET: target,
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_DATABASE_ID: databaseId,
    SCHEDULER_AUDIENCE: audienceOf(project),
    SCHEDULER_SERVICE_ACCOUNT: addressOf(schedulerAccount, project),
  };
}

/** A separator that no value has, as gcloud wants it told; a comma stands in several values. */
function joined(values: Record<string, string>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const separator = ['|', '#', ';', '~', '@@'].find((one) => !pairs.some((pair) => pair.includes(one)));
  if (!separator) throw new Error('The settings have every separator there is');
  return `^${separator}^${pairs.join(separator)}`;
}

/** A service for each function. The code knows its callers, so all but the one for events are open to any. */
export function deployFunctions(options: DeployOptions): Step[] {
  return Object.entries(manifest).map(
    ([target, deployed]): Step => ({
      says: `Deploys ${target}`,
      ifItFails: `What it said at its start: gcloud run services logs read ${serviceOf(target)} --project=${options.project} --region=${options.region}. The earlier revision goes on serving.`,
      do: 'run',
      run: gcloud(options.project, 'run', 'deploy', serviceOf(target), ...flagsOf(target, deployed, options)),
    }),
  );
}

function flagsOf(target: string, deployed: Deployed, options: DeployOptions): string[] {
  const { project, region, vertexAi } = options;
  const { kind } = deployed.trigger;
  const secrets = getSecrets(deployed, vertexAi).map((secret) => `${secret}=${secret}:latest`);
  return [
    `--region=${region}`,
    '--image={{IMAGE}}',
    `--service-account=${addressOf(accountOf(target), project)}`,
    `--set-env-vars=${joined(environmentOf(target, options))}`,
    secrets.length > 0 ? `--set-secrets=${secrets.join(',')}` : '--clear-secrets',
    `--memory=${deployed.memoryMiB}Mi`,
    `--cpu=${deployed.cpu}`,
    `--concurrency=${deployed.concurrency}`,
    `--timeout=${deployed.timeoutSeconds}`,
    `--min-instances=${deployed.minInstances}`,
    `--max-instances=${deployed.maxInstances}`,
    '--execution-environment=gen2',
    '--cpu-boost',
    deployed.cpuAlways ? '--no-cpu-throttling' : '--cpu-throttling',
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
export function bringEvents({ project, region, location }: DeployOptions): Step[] {
  const member = `--member=serviceAccount:${addressOf(eventarcAccount, project)}`;
  return Object.entries(manifest).flatMap(([target, { trigger }]): Step[] => {
    if (trigger.kind !== 'document') return [];
    const service = serviceOf(target);
    const triggers = (...args: string[]) =>
      gcloud(project, 'eventarc', 'triggers', ...args, `--location=${eventLocations[location] ?? location}`);
    const to = [
      `--destination-run-service=${service}`,
      `--destination-run-region=${region}`,
      `--service-account=${addressOf(eventarcAccount, project)}`,
    ];
    return [
      {
        says: `Lets Eventarc call ${target}`,
        ifItFails: 'You need the role roles/run.admin.',
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
        says: `Sends ${target} each write of ${trigger.pattern}`,
        ifItFails:
          'Eventarc may need some minutes after its API was enabled: run the deploy again. The location of the trigger must be that of the database.',
        do: 'ensure',
        retry: true,
        there: { command: triggers('describe', service, '--format=value(name)') },
        make: triggers(
          'create',
          service,
          ...to,
          '--event-filters=type=google.cloud.firestore.document.v1.written.withAuthContext',
          `--event-filters=database=${databaseId}`,
          `--event-filters-path-pattern=document=${trigger.pattern}`,
          '--event-data-content-type=application/protobuf',
        ),
        change: triggers('update', service, ...to),
      },
    ];
  });
}

/** Cloud Scheduler's calls, each with a token for the functions' audience. */
export function scheduleJobs({ project, region }: DeployOptions): Step[] {
  return Object.entries(manifest).flatMap(([target, { trigger, timeoutSeconds }]): Step[] => {
    if (trigger.kind !== 'schedule') return [];
    const service = serviceOf(target);
    const jobs = (verb: string, ...args: string[]) =>
      gcloud(project, 'scheduler', 'jobs', verb, ...args, `--location=${region}`);
    const how = [
      service,
      `--schedule=${trigger.cron}`,
      '--time-zone=Etc/UTC',
      `--uri=https://${service}-{{PROJECT_NUMBER}}.${region}.run.app/`,
      '--http-method=POST',
      `--oidc-service-account-email=${addressOf(schedulerAccount, project)}`,
      `--oidc-token-audience=${audienceOf(project)}`,
      // Longer than the function may take, so that it is the function that answers.
      `--attempt-deadline=${timeoutSeconds + 20}s`,
    ];
    return [
      {
        says: `Calls ${target} at ${trigger.cron} (UTC)`,
        ifItFails: 'Cloud Scheduler must have this region: gcloud scheduler locations list.',
        do: 'ensure',
        there: { command: jobs('describe', service, '--format=value(name)') },
        make: jobs('create', 'http', ...how),
        change: jobs('update', 'http', ...how),
      },
    ];
  });
}
