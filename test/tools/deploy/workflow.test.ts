/** What GitHub runs for us: the checks, the deploy, the nightly runs and the development container. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseOptions } from '../../../tools/deploy/options.ts';

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = {
  needs?: string[];
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  steps: Step[];
};
type TestProject = { test: { name: string } };
type Workflow = { permissions: unknown; concurrency?: unknown; jobs: Record<string, Job> };

const read = (file: string) => readFileSync(file, 'utf8');
const readWorkflow = (name: string) => parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const workflows = { ci: readWorkflow('ci'), nightly: readWorkflow('nightly') };
const setup = parse(read('.github/actions/setup/action.yml')) as { runs: { steps: Step[] } };
const sources = globSync('.github/**/*.yml').map((file) => [file, read(file)] as const);

const jobs = Object.values(workflows).flatMap((workflow) => Object.entries(workflow.jobs));
const steps = [...jobs.flatMap(([, job]) => job.steps), ...setup.runs.steps];
const toCommands = (of: Step[]) => of.flatMap(({ run }) => (run === undefined ? [] : [run]));
const { jobs: ciJobs } = workflows.ci;
const ciCommands = toCommands([...Object.values(ciJobs).flatMap((job) => job.steps), ...setup.runs.steps]);
/** The test projects that each job runs. */
const projects = { unit: ['unit', 'slow'], emulator: ['emulator'], browser: ['browser'] };

describe('the workflows', () => {
  it('run every command of .ci/run and every test project, and look for known vulnerabilities', async () => {
    const local = read('.ci/run')
      .split('\n')
      .filter((line) => line.startsWith('npm '));
    expect(local).toEqual(['npm ci', 'npm run check', 'npm test', 'npm run build']);
    for (const command of local.filter((line) => line !== 'npm test')) expect(ciCommands).toContain(command);
    for (const [job, names] of Object.entries(projects)) {
      const options = names.map((name) => ` --project ${name}`).join('');
      expect(toCommands(ciJobs[job]?.steps ?? [])).toEqual([`npx vitest run${options}`]);
    }
    const config = await import('../../../vitest.config.ts');
    const names = config.default.test?.projects?.map((project) => (project as TestProject).test.name);
    expect(names?.sort()).toEqual(Object.values(projects).flat().sort());
    expect(ciCommands).toContain('npm audit --omit=dev');
  });

  it('deploy only after every other job', () => {
    const others = Object.keys(ciJobs).filter((name) => name !== 'deploy');
    expect(ciJobs.deploy?.needs).toEqual(others);
    expect(others).toEqual(['check', ...Object.keys(projects)]);
  });

  it('set up every job in the same way', () => {
    for (const [name, job] of jobs) {
      const used = job.steps.slice(0, 2).map(({ uses }) => uses?.split('@')[0]);
      expect(used).toEqual(['actions/checkout', './.github/actions/setup']);
      // Only the jobs with the test of two versions need the history.
      const history = ['unit', 'histories'].includes(name) ? { 'fetch-depth': 0 } : {};
      expect(job.steps[0]?.with).toEqual({ 'persist-credentials': false, ...history });
    }
  });

  it('pin each action to a commit and name its full version', () => {
    const lines = sources.flatMap(([, text]) =>
      [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action),
    );
    const foreign = lines.filter((action) => action !== './.github/actions/setup');
    expect(foreign.length).toBeGreaterThan(10);
    for (const action of foreign) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/);
    }
    expect(lines.length).toBe(steps.filter(({ uses }) => uses !== undefined).length);
    // One version of each action everywhere.
    const names = new Set(foreign.map((action) => action?.split('@')[0]));
    expect(new Set(foreign).size).toBe(names.size);
  });

  it('have the least permissions, and a limit of time for each job', () => {
    for (const workflow of Object.values(workflows)) {
      expect(workflow.permissions).toEqual({ contents: 'read' });
      expect(workflow.concurrency).toBeDefined();
    }
    for (const [name, job] of jobs) {
      expect(job['timeout-minutes']).toBeLessThanOrEqual(60);
      const permissions = name === 'deploy' ? { contents: 'read', 'id-token': 'write' } : undefined;
      expect(job.permissions).toEqual(permissions);
    }
  });

  it('deploy with an identity and without a key', () => {
    expect(read('.github/workflows/ci.yml')).toContain('workload_identity_provider:');
    for (const [, text] of sources) expect(text).not.toMatch(/secrets\.|credentials_json|FIREBASE_TOKEN/);
  });

  it('put nothing that others can choose into a shell line', () => {
    const shell = toCommands(steps);
    expect(shell.length).toBeGreaterThan(10);
    for (const text of shell) expect(text).not.toContain('${{');
  });

  it('deploy with options that the deploy accepts', () => {
    const command = toCommands(ciJobs.deploy?.steps ?? []).join('\n');
    const options = command.match(/npm run deploy -- (.*)/)?.[1] ?? '';
    const values: Record<string, string> = {
      PROJECT: 'my-studio',
      REGION: 'us-central1',
      LOCATION: 'nam5',
      ALERT_EMAIL: 'ops@example.com',
    };
    const args = options.split(' ').map((one) => values[one.replace(/[$"]/g, '')] ?? one);
    expect(parseOptions(args, () => 'SIGNUP_CREDITS=1\n')).toMatchObject({
      location: 'nam5',
      // Without it the alerts would lose their recipient.
      alertEmail: 'ops@example.com',
    });
  });

  it('run the long checks every night', () => {
    const nightly = Object.values(workflows.nightly.jobs).flatMap((job) => toCommands(job.steps));
    expect(nightly).toEqual([
      'npm run test:histories -- --count 5000',
      'npx vitest run --project unit --project slow',
      'npm run test:crash',
      'npm run test:mutants',
      'npm run bench -- --runs 5',
      'npm run bench -- load',
    ]);
  });

  it('call only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const names = toCommands(steps).flatMap((text) =>
      [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ''),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('the container', () => {
  it('has the Node of package.json, a Java that the emulators accept, and the ports of a local run', () => {
    const container = JSON.parse(read('.devcontainer/devcontainer.json'));
    const { 'ghcr.io/devcontainers/features/node:1': node, 'ghcr.io/devcontainers/features/java:1': java } =
      container.features;
    const { engines } = JSON.parse(read('package.json'));
    expect(`>=${node.version}`).toBe(engines.node);
    expect(Number(java.version)).toBeGreaterThanOrEqual(21);
    expect(container.forwardPorts).toEqual([8080, 8085, 9099]);
    expect(container.postCreateCommand).toContain('npm ci');
  });
});
