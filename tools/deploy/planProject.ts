/** The steps for everything the functions need: APIs, service accounts and their roles, secrets, the database. */
import { type FunctionSpec, manifest, type Secret, toAccountName, userDeleterRole } from './manifest.ts';
import type { DeployOptions } from './options.ts';
import { connectWebhook } from './planStripe.ts';
import type { Command, Step } from './steps.ts';

export const databaseId = '(default)';
/** The service accounts that call functions: the part before the `@`. */
export const schedulerAccount = 'studio-scheduler';
export const eventarcAccount = 'studio-eventarc';

export const toAccountEmail = (account: string, project: string) =>
  `${account}@${project}.iam.gserviceaccount.com`;

// Never add the Generative Language API: an unrestricted browser key of this project could then call Gemini. Keep the
// key of the Gemini API in a separate project.
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
  'iamcredentials',
  'identitytoolkit',
  'logging',
  'monitoring',
  'pubsub',
  'run',
  'secretmanager',
  'storage',
];

export const gcloud = (project: string, ...args: string[]): Command => [
  'gcloud',
  ...args,
  `--project=${project}`,
];

/** Looks up the project's number, which addresses contain, and enables the APIs. */
export function setUpProject({ project, vertexAi, monthlyBudget }: DeployOptions): Step[] {
  const services = [
    ...apis,
    ...(vertexAi ? ['aiplatform'] : []),
    ...(monthlyBudget > 0 ? ['billingbudgets', 'cloudbilling'] : []),
  ].map((api) => `${api}.googleapis.com`);
  return [
    {
      title: `Find the project ${project}`,
      hint: 'Sign in with `gcloud auth login`. The project must exist, and you must be its owner.',
      do: 'run',
      run: ['gcloud', 'projects', 'describe', project, '--format=value(projectNumber)'],
      saveAs: 'PROJECT_NUMBER',
    },
    {
      title: 'Enable the APIs',
      hint: 'Link a billing account to the project: https://console.cloud.google.com/billing/projects',
      do: 'run',
      run: gcloud(project, 'services', 'enable', ...services),
    },
  ];
}

/** Creates a service account for each function, for Scheduler and for Eventarc; then grants their roles. */
export function createAccounts({ project, vertexAi }: DeployOptions): Step[] {
  const functions = Object.entries(manifest);
  const accounts = [
    ...functions.map(([target]) => [toAccountName(target), `The function ${target}`] as const),
    [schedulerAccount, 'Calls the scheduled functions'] as const,
    [eventarcAccount, 'Brings accountWritten its events'] as const,
  ];
  const createSteps = accounts.map(
    ([account, name]): Step => ({
      title: `Create the service account ${account}`,
      hint: 'You need the role roles/iam.serviceAccountAdmin.',
      do: 'ensure',
      probe: {
        command: gcloud(
          project,
          'iam',
          'service-accounts',
          'describe',
          toAccountEmail(account, project),
          '--format=value(email)',
        ),
      },
      make: gcloud(project, 'iam', 'service-accounts', 'create', account, `--display-name=${name}`),
    }),
  );
  const grantSteps = functions.flatMap(([target, spec]) =>
    getRoles(spec, vertexAi).map((role) => grantRole(project, toAccountName(target), role)),
  );
  return [
    ...createSteps,
    createUserDeleterRole(project),
    ...grantSteps,
    grantRole(project, eventarcAccount, 'roles/eventarc.eventReceiver'),
  ];
}

/** Google's own role that deletes users may also make somebody an admin. */
const createUserDeleterRole = (project: string): Step => ({
  title: `Create the role ${userDeleterRole}`,
  hint: 'You need the role roles/iam.roleAdmin.',
  do: 'ensure',
  probe: { command: gcloud(project, 'iam', 'roles', 'describe', userDeleterRole, '--format=value(name)') },
  make: gcloud(
    project,
    'iam',
    'roles',
    'create',
    userDeleterRole,
    '--title=Deletes users who close their account',
    '--permissions=firebaseauth.users.delete',
    '--stage=GA',
  ),
});

/** The roles of a function. On Vertex AI, a role gives access to Gemini instead of a key. */
function getRoles({ roles, secrets }: FunctionSpec, vertexAi: boolean): string[] {
  return [...roles, ...(vertexAi && secrets.includes('GEMINI_API_KEY') ? ['roles/aiplatform.user'] : [])];
}

/** The deploy generates its first value. A second value would make every user somebody new. */
const generatedSecret = 'IDENTITY_HASH_KEY';

/** The secrets that a function needs in this deployment. Each parses the whole configuration, of which the generated one is a part. */
export const getSecrets = (
  { secrets }: FunctionSpec,
  { vertexAi, payments }: Pick<DeployOptions, 'vertexAi' | 'payments'>,
): Secret[] => [
  ...secrets.filter((secret) => (secret === 'GEMINI_API_KEY' ? !vertexAi : payments || !isStripe(secret))),
  generatedSecret,
];

const isStripe = (secret: Secret) => secret.startsWith('STRIPE_');

function grantRole(project: string, account: string, role: string): Step {
  return {
    title: `Grant ${role} to ${account}`,
    hint: 'You need the role roles/resourcemanager.projectIamAdmin.',
    do: 'run',
    retry: true,
    run: [
      ...(['gcloud', 'projects', 'add-iam-policy-binding', project] as const),
      `--member=serviceAccount:${toAccountEmail(account, project)}`,
      `--role=${role.startsWith('roles/') ? role : `projects/${project}/roles/${role}`}`,
      '--condition=None',
      '--format=none',
    ],
  };
}

/** Creates the secrets with their first values, and lets the functions read them. */
export function createSecrets(options: DeployOptions): Step[] {
  const { project, secretFiles } = options;
  const readers = Object.entries(manifest).flatMap(([target, spec]) =>
    getSecrets(spec, options).map((secret) => ({ target, secret })),
  );
  const secrets = [...new Set(readers.map(({ secret }) => secret))];
  const secretManager = 'You need the role roles/secretmanager.admin.';
  const versions = (...args: string[]) => gcloud(project, 'secrets', 'versions', ...args);
  const storeSecret = (secret: Secret): Step => ({
    title: `Store the value of ${secret}`,
    hint: `${secretManager} The value must be one that the functions accept. Without a terminal to ask for it, pass it in a file.`,
    do: 'secret',
    secret,
    file: secretFiles[secret],
    isGenerated: secret === generatedSecret,
    probe: {
      command: versions(
        'list',
        secret,
        // A generated value is never replaced, even if somebody has disabled it.
        ...(secret === generatedSecret ? [] : ['--filter=state=ENABLED']),
        '--limit=1',
        '--format=value(name)',
      ),
    },
    make: versions('add', secret, '--data-file=-'),
  });
  return [
    ...secrets.flatMap((secret): Step[] => [
      {
        title: `Create the secret ${secret}`,
        hint: secretManager,
        do: 'ensure',
        probe: { command: gcloud(project, 'secrets', 'describe', secret, '--format=value(name)') },
        make: gcloud(project, 'secrets', 'create', secret, '--replication-policy=automatic'),
      },
      secret === 'STRIPE_WEBHOOK_SECRET' ? connectWebhook(options) : storeSecret(secret),
    ]),
    ...readers.map(
      ({ target, secret }): Step => ({
        title: `Allow ${toAccountName(target)} to read ${secret}`,
        hint: secretManager,
        do: 'run',
        retry: true,
        run: gcloud(
          project,
          'secrets',
          'add-iam-policy-binding',
          secret,
          `--member=serviceAccount:${toAccountEmail(toAccountName(target), project)}`,
          '--role=roles/secretmanager.secretAccessor',
          '--format=none',
        ),
      }),
    ),
  ];
}

/** Creates the database: protected from deletion, recoverable to any minute of the last week, with backups. */
export function createDatabase({ project, location }: DeployOptions): Step[] {
  const databases = (...args: string[]) =>
    gcloud(project, 'firestore', 'databases', ...args, `--database=${databaseId}`);
  const schedules = (...args: string[]) =>
    gcloud(project, 'firestore', 'backups', 'schedules', ...args, `--database=${databaseId}`);
  const backup = (recurrence: string, retention: string, ...more: string[]): Step => ({
    title: `Back up the database, ${recurrence}, and keep each backup for ${retention}`,
    hint: 'You need the role roles/datastore.owner.',
    do: 'ensure',
    probe: { command: schedules('list', '--format=json'), contains: `"${recurrence}Recurrence"` },
    make: schedules('create', `--recurrence=${recurrence}`, `--retention=${retention}`, ...more),
  });
  const protection = ['--delete-protection', '--enable-pitr'];
  return [
    {
      title: `Create the database in ${location}, with delete protection and point-in-time recovery`,
      hint: 'The location can never be changed. See https://firebase.google.com/docs/firestore/locations',
      do: 'ensure',
      probe: { command: databases('describe', '--format=value(name)') },
      make: databases('create', `--location=${location}`, '--type=firestore-native', ...protection),
      change: databases('update', ...protection),
    },
    {
      title: `Check that the database is in ${location}`,
      hint: 'The database is in another location and cannot be moved. Pass its location with --location, which its events need.',
      do: 'check',
      probe: { command: databases('describe', '--format=value(locationId)'), contains: location },
    },
    backup('daily', '7d'),
    backup('weekly', '14w', '--day-of-week=SUN'),
  ];
}
