/** The steps that make the page: Firebase, its web app, sign-in, the browser's key, rules and indexes, Hosting. */
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

/** Only what the page calls: without this the key would open every API of the project that takes keys. */
const browserApis = ['identitytoolkit', 'securetoken', 'firestore'];

/** Firebase in the project, the studio's web app, its site. */
export function setUpFirebase({ project }: DeployOptions): Step[] {
  const signIn = "Sign in with `npx firebase login`. Firebase's terms must be accepted once, in its console.";
  return [
    {
      title: 'Adds Firebase to the project',
      hint: signIn,
      do: 'ensure',
      probe: { command: firebase(project, 'apps:list', '--json'), contains: '"success"' },
      make: ['npx', 'firebase', 'projects:addfirebase', project, '--non-interactive'],
    },
    {
      title: 'Makes the web app',
      hint: signIn,
      do: 'ensure',
      probe: { command: firebase(project, 'apps:list', 'WEB', '--json'), contains: '"appId"' },
      make: firebase(project, 'apps:create', 'WEB', appName),
    },
    {
      title: 'Makes the Hosting site',
      hint: "A site of that name may be somebody else's: make one in the Firebase console, and name it in firebase.json.",
      do: 'ensure',
      probe: { command: firebase(project, 'hosting:sites:get', project, '--json'), contains: '"success"' },
      make: firebase(project, 'hosting:sites:create', project),
    },
    {
      title: "Restricts the browser's key to what the page calls",
      hint: 'Do it by hand: https://console.cloud.google.com/apis/credentials',
      do: 'ensure',
      probe: {
        command: gcloud(
          project,
          ...[
            'services',
            'api-keys',
            'list',
            '--filter=displayName~"^Browser key"',
            '--limit=1',
            '--format=value(uid)',
          ],
        ),
        saveAs: 'BROWSER_KEY',
      },
      // Not by referrer: the page sends none.
      change: gcloud(
        project,
        ...['services', 'api-keys', 'update', '{{BROWSER_KEY}}'],
        ...browserApis.map((api) => `--api-target=service=${api}.googleapis.com`),
      ),
    },
  ];
}

/** What the Firebase CLI is told, with this deploy's region, beside copies of what it names. */
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
  const hint = 'dist/ must be there, and not be write-protected.';
  return [
    {
      title: 'Writes the configuration of the Firebase CLI',
      hint,
      do: 'write',
      path: configFile,
      text: `${text}\n`,
    },
    {
      title: 'Puts the rules and indexes beside it',
      hint,
      do: 'run',
      run: ['cp', 'firestore.rules', 'firestore.indexes.json', 'dist/'],
    },
  ];
}

const deploy = (project: string, what: string) =>
  firebase(project, 'deploy', `--config=${configFile}`, `--only=${what}`);

/** Rules, indexes and TTL, before any code that relies on them; with the ways to sign in, where they are asked for. */
export function deployRules({ project, supportEmail }: DeployOptions): Step[] {
  return [
    {
      title: supportEmail
        ? 'Deploys rules, indexes, TTL and the ways to sign in'
        : 'Deploys rules, indexes and TTL',
      hint: 'An index that Firestore refuses is named above; they are in firestore.indexes.json.',
      do: 'run',
      run: deploy(project, supportEmail ? 'firestore,auth' : 'firestore'),
    },
    {
      title: 'Waits until every index is there',
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

/** The page and its routes to the services, and a look whether it all answers. */
export function deployPage({ project }: DeployOptions): Step[] {
  return [
    {
      title: 'Deploys the page and its routes',
      hint: 'Each route names a service and its region, which must be there.',
      do: 'run',
      run: deploy(project, 'hosting'),
    },
    {
      title: 'Asks the studio how it is',
      hint: 'The functions and the page are deployed. Try the address again in a minute.',
      do: 'run',
      retry: true,
      run: ['curl', '--fail', '--silent', '--show-error', `https://${project}.web.app/health`],
    },
  ];
}
