/** The steps that make what the functions stand on: APIs, service accounts and their rights, secrets, the database. */
import { accountOf, type Deployed, manifest, type Secret } from './manifest.ts';
import type { DeployOptions } from './options.ts';
import type { Command, Step } from './steps.ts';

export const databaseId = '(default)';
/** The accounts that call, beside those that the functions run as; before their `@`. */
export const schedulerAccount = 'studio-scheduler';
export const eventarcAccount = 'studio-eventarc';

export const addressOf = (account: string, project: string) =>
  `${account}@${project}.iam.gserviceaccount.com`;

// Not the Generative Language API: with it, a browser key of this project that nobody has restricted could
// be used for Gemini. The key of the Gemini API is better off in a project of its own.
const apis = [
  'apikeys',
  'artifactregistry',
  'cloudbuild',
  'cloudresourcemanager',
  'cloudscheduler',
  'eventarc',
  'eventarcpublishing',
  'firebase',
  'firebasehosting',
  'firebaserules',
  'firestore',
  'iam',
  'identitytoolkit',
  'logging',
  'monitoring',
  'pubsub',
  'run',
  'secretmanager',
];

export const gcloud = (project: string, ...args: string[]): Command => [
  'gcloud',
  ...args,
  `--project=${project}`,
];

/** The project's number, which addresses need, and the APIs. */
export function openProject({ project, vertexAi }: DeployOptions): Step[] {
  const wanted = [...apis, ...(vertexAi ? ['aiplatform'] : [])].map((api) => `${api}.googleapis.com`);
  return [
    {
      says: `Looks up the project ${project}`,
      ifItFails: 'Sign in with `gcloud auth login`. The project must exist, and you must be its owner.',
      do: 'run',
      run: ['gcloud', 'projects', 'describe', project, '--format=value(projectNumber)'],
      keepAs: 'PROJECT_NUMBER',
    },
    {
      says: 'Enables the APIs',
      ifItFails: 'Link a billing account to the project: https://console.cloud.google.com/billing/projects',
      do: 'run',
      run: gcloud(project, 'services', 'enable', ...wanted),
    },
  ];
}

/** A service account for each function, and one each for Scheduler and Eventarc; then what they may do. */
export function makeAccounts({ project, vertexAi }: DeployOptions): Step[] {
  const of = Object.entries(manifest);
  const accounts = [
    ...of.map(([target]) => [accountOf(target), `The function ${target}`] as const),
    [schedulerAccount, 'Calls the scheduled functions'] as const,
    [eventarcAccount, 'Brings accountWritten its events'] as const,
  ];
  const made = accounts.map(
    ([account, name]): Step => ({
      says: `Makes the service account ${account}`,
      ifItFails: 'You need the role roles/iam.serviceAccountAdmin.',
      do: 'ensure',
      there: {
        command: gcloud(
          project,
          'iam',
          'service-accounts',
          'describe',
          addressOf(account, project),
          '--format=value(email)',
        ),
      },
      make: gcloud(project, 'iam', 'service-accounts', 'create', account, `--display-name=${name}`),
    }),
  );
  const granted = of.flatMap(([target, deployed]) =>
    rolesOf(deployed, vertexAi).map((role) => grantRole(project, accountOf(target), role)),
  );
  return [...made, ...granted, grantRole(project, eventarcAccount, 'roles/eventarc.eventReceiver')];
}

/** On Vertex AI it is a right that opens Gemini, and no key. */
function rolesOf({ roles, secrets }: Deployed, vertexAi: boolean): string[] {
  return [...roles, ...(vertexAi && secrets.includes('GEMINI_API_KEY') ? ['roles/aiplatform.user'] : [])];
}

export const getSecrets = ({ secrets }: Deployed, vertexAi: boolean): Secret[] =>
  secrets.filter((secret) => !(vertexAi && secret === 'GEMINI_API_KEY'));

function grantRole(project: string, account: string, role: string): Step {
  return {
    says: `Lets ${account} be ${role}`,
    ifItFails: 'You need the role roles/resourcemanager.projectIamAdmin.',
    do: 'run',
    retry: true,
    run: [
      ...(['gcloud', 'projects', 'add-iam-policy-binding', project] as const),
      `--member=serviceAccount:${addressOf(account, project)}`,
      `--role=${role}`,
      '--condition=None',
      '--format=none',
    ],
  };
}

/** Each secret with a first value, and who may read it. */
export function keepSecrets({ project, vertexAi, secretFiles }: DeployOptions): Step[] {
  const readers = Object.entries(manifest).flatMap(([target, deployed]) =>
    getSecrets(deployed, vertexAi).map((secret) => ({ target, secret })),
  );
  const secrets = [...new Set(readers.map(({ secret }) => secret))];
  const secretManager = 'You need the role roles/secretmanager.admin.';
  return [
    ...secrets.flatMap((secret): Step[] => [
      {
        says: `Makes the secret ${secret}`,
        ifItFails: secretManager,
        do: 'ensure',
        there: { command: gcloud(project, 'secrets', 'describe', secret, '--format=value(name)') },
        make: gcloud(project, 'secrets', 'create', secret, '--replication-policy=automatic'),
      },
      {
        says: `Keeps a value of ${secret}`,
        ifItFails: secretManager,
        do: 'secret',
        secret,
        file: secretFiles[secret],
        there: {
          command: gcloud(
            project,
            'secrets',
            'versions',
            'list',
            secret,
            '--filter=state=ENABLED',
            '--limit=1',
            '--format=value(name)',
          ),
        },
        make: gcloud(project, 'secrets', 'versions', 'add', secret, '--data-file=-'),
      },
    ]),
    ...readers.map(
      ({ target, secret }): Step => ({
        says: `Lets ${accountOf(target)} read ${secret}`,
        ifItFails: secretManager,
        do: 'run',
        retry: true,
        run: gcloud(
          project,
          'secrets',
          'add-iam-policy-binding',
          secret,
          `--member=serviceAccount:${addressOf(accountOf(target), project)}`,
          '--role=roles/secretmanager.secretAccessor',
          '--format=none',
        ),
      }),
    ),
  ];
}

/** The database: protected, recoverable to any minute of a week, backed up; then its rules, indexes and TTL. */
export function makeDatabase({ project, location }: DeployOptions): Step[] {
  const databases = (...args: string[]) =>
    gcloud(project, 'firestore', 'databases', ...args, `--database=${databaseId}`);
  const schedules = (...args: string[]) =>
    gcloud(project, 'firestore', 'backups', 'schedules', ...args, `--database=${databaseId}`);
  const backup = (recurrence: string, retention: string, ...more: string[]): Step => ({
    says: `Backs the database up, ${recurrence}, and keeps that for ${retention}`,
    ifItFails: 'You need the role roles/datastore.owner.',
    do: 'ensure',
    there: { command: schedules('list', '--format=json'), contains: `"${recurrence}Recurrence"` },
    make: schedules('create', `--recurrence=${recurrence}`, `--retention=${retention}`, ...more),
  });
  const isProtected = ['--delete-protection', '--enable-pitr'];
  return [
    {
      says: `Makes the database in ${location}, protected against deletion, with point-in-time recovery`,
      ifItFails:
        'The location can never be changed: https://firebase.google.com/docs/firestore/locations lists them.',
      do: 'ensure',
      there: { command: databases('describe', '--format=value(name)') },
      make: databases('create', `--location=${location}`, '--type=firestore-native', ...isProtected),
      change: databases('update', ...isProtected),
    },
    {
      says: `Checks that the database is in ${location}`,
      ifItFails:
        'The database is somewhere else, and will stay there: name its place with --location, so that its events are looked for there.',
      do: 'check',
      there: { command: databases('describe', '--format=value(locationId)'), contains: location },
    },
    backup('daily', '7d'),
    backup('weekly', '14w', '--day-of-week=SUN'),
  ];
}
