/** The steps for the page: Firebase, the web app, sign-in, the browser's key, rules and indexes, Hosting. */
import { createFirebaseConfig } from './hosting.ts';
import type { DeployOptions } from './options.ts';
import { databaseId, gcloud } from './planProject.ts';
import type { Command, Step } from './steps.ts';

const appName = 'Studio';
const configFile = 'dist/firebase.json';

const firebase = (project: string, ...args: string[]): Command => [
  'npx',
  'firebase',
  ...args,
  `--project=${project}`,
  '--non-interactive',
];

/** The APIs that the page calls. Without this limit, the browser's key works for every API of the project. */
const browserApis = ['identitytoolkit', 'securetoken', 'firestore'];

/** Adds Firebase to the project; creates the web app and the Hosting site. */
export function setUpFirebase({ project }: DeployOptions): Step[] {
  const apiKeys = (...args: string[]) => gcloud(project, 'services', 'api-keys', ...args);
  const signIn = "Sign in with `npx firebase login`. Accept Firebase's terms once, in its console.";
  return [
    {
      title: 'Add Firebase to the project',
      hint: signIn,
      do: 'ensure',
      probe: { command: firebase(project, 'apps:list', '--json'), contains: '"success"' },
      make: ['npx', 'firebase', 'projects:addfirebase', project, '--non-interactive'],
    },
    {
      title: 'Create the web app',
      hint: signIn,
      do: 'ensure',
      probe: { command: firebase(project, 'apps:list', 'WEB', '--json'), contains: '"appId"' },
      make: firebase(project, 'apps:create', 'WEB', appName),
    },
    {
      title: 'Create the Hosting site',
      hint: 'Another project may own a site of that name. Create a site in the Firebase console, and name it in firebase.json.',
      do: 'ensure',
      probe: { command: firebase(project, 'hosting:sites:get', project, '--json'), contains: '"success"' },
      make: firebase(project, 'hosting:sites:create', project),
    },
    {
      title: "Find the browser's key",
      hint: "Firebase creates the key some minutes after the web app. Until it is restricted, it works for every API of the project. If there is none, create one named 'Browser key': https://console.cloud.google.com/apis/credentials",
      do: 'run',
      retry: true,
      run: apiKeys('list', '--filter=displayName~"^Browser key"', '--limit=1', '--format=value(uid)'),
      saveAs: 'BROWSER_KEY',
    },
    {
      title: "Restrict the browser's key to the APIs that the page calls",
      hint: 'You need the role roles/serviceusage.apiKeysAdmin.',
      do: 'run',
      // Do not restrict by referrer, because the page sends none.
      run: apiKeys(
        'update',
        '{{BROWSER_KEY}}',
        ...browserApis.map((api) => `--api-target=service=${api}.googleapis.com`),
      ),
    },
  ];
}

/** Writes the Firebase CLI's configuration for this region, with copies of the rules and indexes next to it. */
export function writeFirebaseConfig({ project, region, supportEmail }: DeployOptions): Step[] {
  const config = createFirebaseConfig({ region, publicDir: 'hosting' });
  const auth = {
    providers: {
      emailPassword: true,
      googleSignIn: {
        oAuthBrandDisplayName: appName,
        supportEmail,
        authorizedRedirectUris: [`https://${project}.firebaseapp.com/__/auth/handler`],
      },
    },
  };
  const text = JSON.stringify({ ...config, ...(supportEmail && { auth }) }, null, 2);
  const hint = 'dist/ must exist and be writable.';
  return [
    {
      title: 'Write the configuration of the Firebase CLI',
      hint,
      do: 'write',
      path: configFile,
      text: `${text}\n`,
    },
    {
      title: 'Copy the rules and indexes next to it',
      hint,
      do: 'run',
      run: ['cp', 'firestore.rules', 'firestore.indexes.json', 'dist/'],
    },
  ];
}

const deploy = (project: string, what: string) =>
  firebase(project, 'deploy', `--config=${configFile}`, `--only=${what}`);

/** Deploys rules, indexes and TTL before the code that needs them; and the ways to sign in, with --support-email. */
export function deployRules({ project, supportEmail }: DeployOptions): Step[] {
  return [
    {
      title: supportEmail
        ? 'Deploy rules, indexes, TTL and the ways to sign in'
        : 'Deploy rules, indexes and TTL',
      hint: 'The message above names an index that Firestore refuses. Indexes are in firestore.indexes.json.',
      do: 'run',
      run: deploy(project, supportEmail ? 'firestore,auth' : 'firestore'),
    },
    {
      title: 'Wait until every index is ready',
      hint: 'See https://console.cloud.google.com/firestore/databases/-default-/indexes',
      do: 'wait',
      whilePrints: gcloud(
        project,
        ...['firestore', 'indexes', 'composite', 'list', `--database=${databaseId}`],
        ...['--filter=state=CREATING', '--format=value(name)'],
      ),
    },
  ];
}

/** Deploys the page with its routes to the services, and checks that the studio answers. */
export function deployPage({ project }: DeployOptions): Step[] {
  return [
    {
      title: 'Deploy the page and its routes',
      hint: 'The service of each route must exist in its region.',
      do: 'run',
      run: deploy(project, 'hosting'),
    },
    {
      title: 'Check that the studio answers',
      hint: 'The functions and the page are deployed. Try the address again in a minute.',
      do: 'run',
      retry: true,
      run: ['curl', '--fail', '--silent', '--show-error', `https://${project}.web.app/health`],
    },
  ];
}
