/** What others run for us: GitHub's checks and deploys, the container to develop in. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../tools/deploy/options.ts';

const workflow = readFileSync('.github/workflows/ci.yml', 'utf8');
const container = JSON.parse(readFileSync('.devcontainer/devcontainer.json', 'utf8'));
const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));

describe('the workflow', () => {
  it('runs what everybody runs, and looks for known holes', () => {
    expect(workflow).toContain('run: bash .ci/run');
    expect(workflow).toContain('run: npm audit --omit=dev');
  });

  it('names each action by its full version', () => {
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
  });

  it('deploys by an identity and no key', () => {
    expect(workflow).toContain('workload_identity_provider:');
    expect(workflow).toContain('id-token: write');
    expect(workflow).not.toMatch(/secrets\.|credentials_json|FIREBASE_TOKEN/);
  });

  it('puts nothing that others can choose into a shell line', () => {
    const shell = [...workflow.matchAll(/run: \|?((?:\n {10}.*)+|.*)/g)].map(([, text]) => text ?? '');
    expect(shell.length).toBeGreaterThan(3);
    for (const text of shell) expect(text).not.toContain('${{');
  });

  it('deploys with options that the deploy takes', () => {
    const options = workflow.match(/npm run deploy -- (.*)/)?.[1] ?? '';
    const values: Record<string, string> = { PROJECT: 'my-studio', REGION: 'us-central1', LOCATION: 'nam5' };
    const args = options.split(' ').map((one) => values[one.replace(/[$"]/g, '')] ?? one);
    expect(parseOptions(args, () => 'SIGNUP_CREDITS=1\n')).toMatchObject({ location: 'nam5' });
  });
});

describe('the container', () => {
  it('has the Node of package.json, a Java that the emulators take, and the ports of a local run', () => {
    const { 'ghcr.io/devcontainers/features/node:1': node, 'ghcr.io/devcontainers/features/java:1': java } =
      container.features;
    expect(`>=${node.version}`).toBe(engines.node);
    expect(Number(java.version)).toBeGreaterThanOrEqual(21);
    expect(container.forwardPorts).toEqual([8080, 8085, 9099]);
    expect(container.postCreateCommand).toContain('npm ci');
  });
});
