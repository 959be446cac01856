/** The roles that the documents list for the deploying account are those that its commands need, and no more. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DeployOptions, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import type { Step } from '../../../tools/deploy/steps.ts';
import { listCommands } from './plans.ts';

/** The roles for each group of commands: the longest group that a command begins with counts. */
const rolesOf: Record<string, string[]> = {
  // Each of the other roles has resourcemanager.projects.get.
  'gcloud projects describe': [],
  'gcloud billing projects describe': [],
  'gcloud projects add-iam-policy-binding': ['resourcemanager.projectIamAdmin'],
  'gcloud services enable': ['serviceusage.serviceUsageAdmin'],
  'gcloud services api-keys': ['serviceusage.apiKeysAdmin'],
  'gcloud iam service-accounts': ['iam.serviceAccountAdmin'],
  'gcloud iam roles describe': ['iam.roleViewer'],
  'gcloud iam roles create': ['iam.roleAdmin'],
  'gcloud secrets': ['secretmanager.admin'],
  'gcloud firestore': ['datastore.owner'],
  'gcloud storage buckets': ['storage.admin'],
  'gcloud artifacts': ['artifactregistry.admin'],
  // The sources and the log are in a bucket, and the build runs as a service account.
  'gcloud builds submit': ['cloudbuild.builds.editor', 'storage.admin', 'iam.serviceAccountUser'],
  'gcloud run deploy': ['run.admin', 'iam.serviceAccountUser'],
  'gcloud run services add-iam-policy-binding': ['run.admin'],
  'gcloud eventarc triggers': ['eventarc.admin', 'iam.serviceAccountUser'],
  'gcloud scheduler jobs': ['cloudscheduler.admin', 'iam.serviceAccountUser'],
  'gcloud logging metrics': ['logging.configWriter'],
  'gcloud alpha monitoring policies': ['monitoring.alertPolicyEditor'],
  'gcloud beta monitoring channels': ['monitoring.notificationChannelEditor'],
  'gcloud billing budgets': ['billing.costsManager'],
  'npx firebase projects:addfirebase': ['firebase.admin'],
  'npx firebase apps:create': ['firebase.admin'],
  'npx firebase apps:list': ['firebasehosting.admin'],
  'npx firebase hosting:sites:get': ['firebasehosting.admin'],
  'npx firebase hosting:sites:create': ['firebasehosting.admin'],
  'npx firebase deploy --config=dist/firebase.json --only=firestore': [
    'datastore.owner',
    'firebaserules.admin',
  ],
  'npx firebase deploy --config=dist/firebase.json --only=firestore,auth': [
    'datastore.owner',
    'firebaserules.admin',
    'firebase.admin',
  ],
  'npx firebase deploy --config=dist/firebase.json --only=hosting': ['firebasehosting.admin', 'run.admin'],
  // They run here. Those of Stripe read and write a secret.
  'npm run build': [],
  'npm run --silent stripe': ['secretmanager.admin'],
  'cp ': [],
  'curl ': [],
};

const groups = Object.keys(rolesOf).sort((a, b) => b.length - a.length);
const findGroup = (line: string) => groups.find((group) => `${line} `.startsWith(group));
const args = ['--project', 'my-studio', '--region', 'europe-west1', '--alert-email', 'ops@example.com'];
const settings = 'CREDIT_PACKS=starter=price_1:100\n';
const parse = (...more: string[]) =>
  parseOptions([...args, '--settings', 'settings', ...more], () => settings);
const first = parse('--support-email', 'help@example.com');
/** A deploy from GitHub, when everything exists. */
const later = parse('--monthly-budget', '0');
const onVertexAi: DeployOptions = { ...first, vertexAi: true };

/** The commands of a step when what it creates exists. */
const withoutMake = (step: Step): Step => {
  if (step.do !== 'ensure') return step;
  const { make: _, ...rest } = step;
  return rest;
};
const toLines = (steps: Step[]) => listCommands(steps).map((command) => command.join(' '));
const findRoles = (steps: Step[]) =>
  [...new Set(toLines(steps).flatMap((line) => rolesOf[findGroup(line) ?? ''] ?? []))].sort();

const readme = readFileSync('docs/deployment/README.md', 'utf8');
const [, everyDeploy = '', firstDeploy = ''] = readme.split(
  /### The deploying account|Only for the first deploy/,
);
const listRoles = (text: string) =>
  [...text.matchAll(/^\| `roles\/([\w.]+)` \|/gm)].map(([, role = '']) => role).sort();

describe('the deploying account', () => {
  it('needs roles that are known for every command', () => {
    const lines = [first, later, onVertexAi].flatMap((options) => toLines(createPlan(options)));
    expect(lines.filter((line) => findGroup(line) === undefined)).toEqual([]);
    const unused = groups.filter((group) => !lines.some((line) => findGroup(line) === group));
    // Without --support-email the rules are deployed alone.
    expect(unused).toEqual([]);
  });

  it('has in the documents the roles that the first deploy needs, and no other', () => {
    expect(listRoles(firstDeploy).length).toBe(3);
    expect([...listRoles(everyDeploy), ...listRoles(firstDeploy)].sort()).toEqual(
      [...new Set([...findRoles(createPlan(first)), 'iam.roleViewer'])].sort(),
    );
  });

  it('needs fewer when everything exists', () => {
    expect(findRoles(createPlan(later).map(withoutMake))).toEqual(listRoles(everyDeploy));
  });

  it('gets these roles from the commands for GitHub, and may grant only those that the plan grants', () => {
    const [, loop = ''] = /for ROLE in (.*?)\ndo/s.exec(readme) ?? [];
    expect(
      [...loop.replaceAll('\\', '').trim().split(/\s+/), 'resourcemanager.projectIamAdmin'].sort(),
    ).toEqual(listRoles(everyDeploy));
    const [, condition = ''] = /hasOnly\(\[(.*?)\]\)/s.exec(readme) ?? [];
    const granted = toLines(createPlan(onVertexAi)).flatMap(
      (line) => /^gcloud projects add-iam-policy-binding .*--role=(\S+)/.exec(line)?.[1] ?? [],
    );
    expect(
      [...condition.matchAll(/'([^']+)'/g)].map(([, role]) => role?.replace('$P', 'my-studio')).sort(),
    ).toEqual([...new Set(granted)].sort());
    expect(readme).not.toContain('--role=roles/owner');
  });

  it('reads in a hint no role that the documents do not list', () => {
    const hints = [first, later].flatMap((options) => createPlan(options).map(({ hint }) => hint)).join('\n');
    const named = new Set(
      [...hints.matchAll(/You need the roles? ([^.]*(?:\.\w[^.]*)*)/g)].flatMap(([, text = '']) =>
        [...text.matchAll(/roles\/([\w.]*\w)/g)].map(([, role = '']) => role),
      ),
    );
    expect(named.size).toBeGreaterThan(5);
    const known = [...listRoles(everyDeploy), ...listRoles(firstDeploy)];
    expect([...named].filter((role) => !known.includes(role))).toEqual([]);
  });
});

describe('spending', () => {
  const readEnvironment = (options: DeployOptions) =>
    toLines(createPlan(options)).find((line) => line.startsWith('gcloud run deploy generate ')) ?? '';
  const findBudget = (options: DeployOptions) =>
    toLines(createPlan(options)).find((line) => line.includes('budgets create')) ?? '';

  it('has a ceiling a day unless the settings name another, or none', () => {
    expect(readEnvironment(first)).toMatch(/MAX_SPEND_PER_DAY_USD=20\W/);
    const other = (text: string) => readEnvironment(parseOptions([...args, '--settings', 's'], () => text));
    expect(other('MAX_SPEND_PER_DAY_USD=7')).toMatch(/MAX_SPEND_PER_DAY_USD=7\W/);
    expect(other('MAX_SPEND_PER_DAY_USD=')).toMatch(/MAX_SPEND_PER_DAY_USD=\W/);
  });

  it('has a budget for the project, with alerts to the address', () => {
    expect(findBudget(first)).toMatch(/--budget-amount=100 --filter-projects=projects\/my-studio /);
    expect(findBudget(first)).toContain('--threshold-rule=percent=0.5 --threshold-rule=percent=0.9');
    expect(findBudget(first)).toContain('notification-channels={{CHANNEL}}');
    expect(findBudget({ ...first, alertEmail: undefined })).not.toContain('CHANNEL');
    expect(findBudget(parse('--monthly-budget', '250'))).toContain('--budget-amount=250 ');
    expect(findBudget(later)).toBe('');
    expect(() => parse('--monthly-budget', '1.5')).toThrow('--monthly-budget');
  });

  it('shows users the address of --support-email, unless the settings name another', () => {
    expect(readEnvironment(first)).toMatch(/SUPPORT_EMAIL=help@example\.com\W/);
    expect(readEnvironment(later)).not.toContain('SUPPORT_EMAIL');
    const both = parseOptions(
      [...args, '--settings', 's', '--support-email', 'help@example.com'],
      () => 'SUPPORT_EMAIL=other@example.com',
    );
    expect(readEnvironment(both)).toMatch(/SUPPORT_EMAIL=other@example\.com\W/);
  });
});
