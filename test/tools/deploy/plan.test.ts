/** The deploy's commands, checked without a network or an account. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { jobTimeoutMs } from '../../../shared/database/jobs.ts';
import { alerts } from '../../../tools/deploy/alerts.ts';
import { createFirebaseConfig, defaultRegion } from '../../../tools/deploy/hosting.ts';
import { checkTimeouts, manifest, toAccountName, toServiceName } from '../../../tools/deploy/manifest.ts';
import { type DeployOptions, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { createEnvironment } from '../../../tools/deploy/planFunctions.ts';
import type { Step } from '../../../tools/deploy/steps.ts';
import { formatCommand } from '../../../tools/deploy/steps.ts';
import { pageHeaders } from '../../../web/securityPolicy.ts';
import { findUnknown, gcloudTree } from './gcloudTree.ts';
import { findDeployment, listCommands } from './plans.ts';

const args = ['--project', 'my-studio', '--region', 'europe-west1'];
const options = parseOptions(args);
const everything = parseOptions([
  ...args,
  '--alert-email',
  'ops@example.com',
  '--support-email',
  'help@example.com',
]);
const onVertexAi: DeployOptions = {
  ...options,
  settings: { GOOGLE_GENAI_USE_VERTEXAI: 'true' },
  vertexAi: true,
};

const lines = (plan: readonly Step[]) => listCommands(plan).map((command) => formatCommand(command));
const findLine = (plan: readonly Step[], part: string) =>
  lines(plan).findIndex((line) => line.includes(part));

const getDeployment = (target: string, plan = createPlan(options)) => findDeployment(target, plan);

describe('the manifest', () => {
  it('has every function, with the trigger for its callers', async () => {
    const kinds = await Promise.all(
      Object.entries(functions).map(async ([name, module]) => {
        if ('event' in module) return [name, 'document'];
        const { access } = (await module()).spec;
        return [name, access === 'scheduler' ? 'schedule' : 'http'];
      }),
    );
    expect(Object.fromEntries(kinds)).toEqual(
      Object.fromEntries(Object.entries(manifest).map(([name, { trigger }]) => [name, trigger.kind])),
    );
  });

  it("gives generate a timeout between its own and its hold's deadline, and jobs the timeout they expect", () => {
    expect(() => checkTimeouts(parseConfig({ GOOGLE_CLOUD_PROJECT: 'p' }))).not.toThrow();
    expect(() => checkTimeouts({ generateTimeoutMs: 150_000, holdGraceMs: 60_000 })).toThrow('150000');
    expect(() => checkTimeouts({ generateTimeoutMs: 120_000, holdGraceMs: 30_000 })).toThrow('150000');
    const jobs = Object.values(manifest).filter(({ trigger }) => trigger.kind === 'schedule');
    expect(jobs.map(({ timeoutSeconds }) => timeoutSeconds * 1000)).toEqual(jobs.map(() => jobTimeoutMs));
  });

  it('has valid names for Cloud Run and IAM', () => {
    for (const target of Object.keys(manifest)) {
      expect(toServiceName(target)).toMatch(/^[a-z][a-z0-9-]{0,47}[a-z0-9]$/);
      expect(toAccountName(target)).toMatch(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/);
    }
  });

  it('lets only generate and enhance read the Gemini key, and only eleven functions read users', () => {
    const namesWith = (part: (one: (typeof manifest)[string]) => readonly string[], what: string) =>
      Object.entries(manifest).flatMap(([name, one]) => (part(one).includes(what) ? [name] : []));
    expect(namesWith(({ secrets }) => secrets, 'GEMINI_API_KEY')).toEqual(['enhance', 'generate']);
    expect(namesWith(({ secrets }) => secrets, 'CLOUDINARY_URL')).toEqual([
      'generate',
      'deleteGeneration',
      'share',
      'takedown',
      'resolveReport',
      'sweepHolds',
    ]);
    expect(namesWith(({ roles }) => roles, 'roles/firebaseauth.viewer')).toEqual([
      'takedown',
      'reports',
      'resolveReport',
      'suspend',
      'adminOverview',
      'adminAccounts',
      'adminAccount',
      'grant',
      'audit',
      'reconcile',
      'accountWritten',
    ]);
    expect(namesWith(({ roles }) => roles, 'studioUserDeleter')).toEqual(['closeAccount', 'sweepHolds']);
    expect(manifest.health?.roles).toEqual([]);
  });
});

describe('the plan', () => {
  it('deploys every function once, from one image by its digest, with its own service account', () => {
    for (const [target, { timeoutSeconds, trigger }] of Object.entries(manifest)) {
      const { flags, env } = getDeployment(target);
      expect(flags.get('--image')).toBe('{{IMAGE}}');
      expect(flags.get('--service-account')).toBe(
        `${toAccountName(target)}@my-studio.iam.gserviceaccount.com`,
      );
      expect(flags.get('--timeout')).toBe(String(timeoutSeconds));
      expect(flags.has('--invoker-iam-check')).toBe(trigger.kind === 'document');
      expect(flags.has('--no-invoker-iam-check')).toBe(trigger.kind !== 'document');
      expect(flags.get('--ingress')).toBe(trigger.kind === 'http' ? 'all' : 'internal');
      expect(env).toEqual(createEnvironment(target, options));
      expect(env).toMatchObject({ FUNCTION_TARGET: target, GOOGLE_CLOUD_PROJECT: 'my-studio' });
    }
    const deploys = lines(createPlan(options)).filter((line) => line.startsWith('gcloud run deploy '));
    expect(deploys).toHaveLength(Object.keys(functions).length);
    expect(lines(createPlan(options)).filter((line) => line.includes('builds submit'))).toHaveLength(1);
  });

  it('gives every function a valid environment', () => {
    for (const target of Object.keys(manifest)) {
      expect(() =>
        parseConfig({
          ...getDeployment(target).env,
          K_SERVICE: toServiceName(target),
          IDENTITY_HASH_KEY: '0'.repeat(64),
        }),
      ).not.toThrow();
    }
  });

  it('gives every function the key of the identities, and its service account may read it', () => {
    const text = lines(createPlan(options)).join('\n');
    for (const target of Object.keys(manifest)) {
      expect(getDeployment(target).flags.get('--set-secrets')).toContain('IDENTITY_HASH_KEY');
    }
    const bindings = text.match(/add-iam-policy-binding IDENTITY_HASH_KEY/g);
    expect(bindings).toHaveLength(Object.keys(manifest).length);
  });

  it('creates the erasure log, which only the sweep adds to and nobody can delete from', () => {
    const bucket = 'gs://my-studio-studio-erasures';
    const own = lines(createPlan(options)).filter((line) => line.includes(bucket));
    expect(own.filter((line) => line.includes('create'))).toEqual([
      expect.stringContaining('--public-access-prevention --retention-period=100d'),
    ]);
    expect(own.filter((line) => line.includes('add-iam-policy-binding'))).toEqual([
      expect.stringMatching(/studio-sweep-holds@.*--role=roles\/storage\.objectCreator/),
    ]);
    expect(getDeployment('sweepHolds').env.ERASURE_LOG_BUCKET).toBe('my-studio-studio-erasures');
    const role = lines(createPlan(options)).filter((line) => line.includes('--permissions='));
    expect(role).toEqual([expect.stringContaining('--permissions=firebaseauth.users.delete ')]);
  });

  it('passes on a setting unchanged, with any characters', () => {
    const settings = { IMAGEGEN_FALLBACK_MODEL_IDS: 'a,b', PROMPT_MODEL_ID: 'x|y', ALLOWED_ORIGINS: '' };
    const { env } = getDeployment('generate', createPlan({ ...options, settings }));
    expect(env).toMatchObject(settings);
  });

  it('has Scheduler call with the token that the functions expect', () => {
    const { env } = getDeployment('sweepHolds');
    const jobs = lines(createPlan(options)).filter((line) => line.includes('scheduler jobs create http'));
    expect(jobs).toHaveLength(4);
    for (const job of jobs) {
      expect(job).toContain(`--oidc-token-audience=${env.SCHEDULER_AUDIENCE}`);
      expect(job).toContain(`--oidc-service-account-email=${env.SCHEDULER_SERVICE_ACCOUNT}`);
    }
    expect(jobs.find((job) => job.includes(' sweep-holds '))).toMatch(
      /"--uri=https:\/\/sweep-holds-\$\{PROJECT_NUMBER\}\.europe-west1\.run\.app\/"/,
    );
  });

  it.each([
    ['finds the project before creating anything in it', 'projects describe', 'services enable'],
    ['enables APIs before using them', 'services enable', 'service-accounts create'],
    [
      'creates service accounts before granting them roles',
      'create studio-audit',
      'projects add-iam-policy-binding',
    ],
    [
      'creates a secret before storing its value',
      'secrets create CLOUDINARY_URL',
      'versions add CLOUDINARY_URL',
    ],
    ['allows services to read secrets before deploying them', 'secrets add-iam-policy-binding', 'run deploy'],
    ['creates the database before its rules', 'databases create', '--only=firestore'],
    ['waits for indexes before deploying the code that needs them', 'indexes composite list', 'run deploy'],
    ['builds the page before deploying it', 'npm run build', '--only=hosting'],
    ['builds the image before finding its digest', 'builds submit', 'images describe'],
    ["finds the image's digest before deploying services", 'images describe', 'run deploy'],
    [
      'allows Eventarc to call before creating its trigger',
      'services add-iam-policy-binding account-written',
      'triggers create',
    ],
    [
      'deploys services before the jobs that call them',
      'run deploy sweep-holds',
      'scheduler jobs create http sweep-holds',
    ],
    ['deploys services before the routes to them', 'run deploy account-written', '--only=hosting'],
    [
      'creates a metric before the policy that watches it',
      'logging metrics create',
      'monitoring policies create',
    ],
  ])('%s', (_, before, after) => {
    const plan = createPlan(options);
    expect(findLine(plan, before)).toBeGreaterThan(-1);
    expect(findLine(plan, after)).toBeGreaterThan(findLine(plan, before));
  });

  it("uses Eventarc's region for the events of a multi-region database", () => {
    const plan = createPlan({ ...options, location: 'eur3' });
    const trigger = lines(plan).find((line) => line.includes('triggers create')) ?? '';
    expect(trigger).toContain('--location=europe-west4');
    expect(trigger).toContain('--destination-run-region=europe-west1');
    expect(trigger).toContain("'--event-filters-path-pattern=document=accounts/{uid}'");
  });

  it('protects the database and schedules backups', () => {
    const text = lines(createPlan(options)).join('\n');
    expect(text).toContain('--delete-protection --enable-pitr');
    expect(text).toContain('--recurrence=daily --retention=7d');
    expect(text).toContain('--recurrence=weekly --retention=14w');
  });

  it('never enables the API with which a browser key could call Gemini, and restricts that key', () => {
    const text = lines(createPlan(everything)).join('\n');
    expect(text).not.toContain('generativelanguage');
    expect(text).toContain('--api-target=service=identitytoolkit.googleapis.com');
  });

  it('needs no Gemini key on Vertex AI, and grants the role instead', () => {
    const text = lines(createPlan(onVertexAi)).join('\n');
    expect(text).not.toContain('GEMINI_API_KEY');
    expect(text).toContain('aiplatform.googleapis.com');
    expect(text.match(/--role=roles\/aiplatform.user/g)).toHaveLength(2);
    const { flags } = getDeployment('enhance', createPlan(onVertexAi));
    expect(flags.get('--set-secrets')).toBe('IDENTITY_HASH_KEY=IDENTITY_HASH_KEY:latest');
  });

  it('creates every alert, and sends alerts to the address if there is one', () => {
    const text = lines(createPlan(everything)).join('\n');
    for (const { id } of alerts) expect(text).toContain(`metrics create studio-${id} `);
    expect(text).toContain('email_address=ops@example.com');
    expect(text).toMatch(/\$\{CHANNEL\}/);
    expect(lines(createPlan(options)).join('\n')).not.toContain('CHANNEL');
  });

  it('has a title and a hint for every step', () => {
    for (const step of createPlan(everything)) {
      expect(step.title.length).toBeGreaterThan(10);
      expect(step.hint.length).toBeGreaterThan(10);
    }
  });
});

describe('the commands', () => {
  const plans = [options, everything, onVertexAi].flatMap(createPlan);

  it('and their flags exist in gcloud', () => {
    const tree = gcloudTree();
    if (!tree) {
      process.stdout.write('NOT CHECKED: this machine has no gcloud with which to check the commands.\n');
      return;
    }
    const commands = listCommands(plans).filter(([program]) => program === 'gcloud');
    expect(commands.flatMap((command) => findUnknown(tree, command))).toEqual([]);
    expect(findUnknown(tree, ['gcloud', 'run', 'deploy', 'x', '--no-such-flag', '--memory'])).toHaveLength(2);
  });

  it('and their flags exist in the Firebase CLI', () => {
    const firebase = createRequire(import.meta.url)('firebase-tools');
    const commands = listCommands(plans).filter(([program]) => program === 'npx');
    expect(commands.length).toBeGreaterThan(5);
    const everywhere: string[] = firebase.cli.options.map(({ long }: { long: string }) => long);
    for (const [, , name = '', ...rest] of commands) {
      const command = firebase.getCommand(name);
      expect(command, name).toBeDefined();
      const own = JSON.stringify(command.options);
      for (const flag of rest.filter((one) => one.startsWith('--')).map((one) => one.split('=')[0] ?? '')) {
        expect(everywhere.includes(flag) || own.includes(flag), `${name} ${flag}`).toBe(true);
      }
    }
  });
});

/** The firebase.json that a deploy writes. */
const readFirebaseConfig = (deployOptions: DeployOptions) =>
  JSON.parse(createPlan(deployOptions).flatMap((step) => (step.do === 'write' ? [step.text] : []))[0] ?? '');

describe('firebase.json', () => {
  const checkedIn = JSON.parse(readFileSync('firebase.json', 'utf8'));

  it('matches the manifest and the page', () => {
    expect(checkedIn).toEqual(createFirebaseConfig({ region: defaultRegion, publicDir: 'dist/hosting' }));
  });

  it.each([
    ['the repository', checkedIn],
    ['a deploy', readFirebaseConfig(everything)],
  ])('of %s is valid for the Firebase CLI', (_, config) => {
    const path = createRequire(import.meta.url).resolve('firebase-tools/schema/firebase-config.json');
    const validate = new Ajv({ strict: false, allErrors: true }).compile(
      JSON.parse(readFileSync(path, 'utf8')),
    );
    validate(config);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('routes each function for users, and no other, to its service', () => {
    const routes = checkedIn.hosting.rewrites.map(({ source }: { source: string }) => source);
    const httpFunctions = Object.entries(manifest).filter(([, { trigger }]) => trigger.kind === 'http');
    const toPath = (target: string) => (target === 'sharedImage' ? '/i/**' : `/${target}`);
    expect(routes).toEqual([...httpFunctions.map(([target]) => toPath(target)), '/studio/desk']);
  });

  it("sets the page's security headers", () => {
    const policy = Object.fromEntries(
      checkedIn.hosting.headers[0].headers.map(({ key, value }: Record<string, string>) => [key, value]),
    );
    expect(policy).toEqual(pageHeaders());
  });
});
