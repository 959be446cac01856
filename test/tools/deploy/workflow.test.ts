/** The GitHub workflow, which checks and deploys, and the development container. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../tools/deploy/options.ts';

const workflow = readFileSync('.github/workflows/ci.yml', 'utf8');
const container = JSON.parse(readFileSync('.devcontainer/devcontainer.json', 'utf8'));
const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));

describe('the workflow', () => {
  it('runs the same checks as developers do, and checks for known vulnerabilities', () => {
    expect(workflow).toContain('run: bash .ci/run');
    expect(workflow).toContain('run: npm audit --omit=dev');
  });

  it('pins each action to a full version', () => {
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
  });

  it('deploys with an identity and without a key', () => {
    expect(workflow).toContain('workload_identity_provider:');
    expect(workflow).toContain('id-token: write');
    expect(workflow).not.toMatch(/secrets\.|credentials_json|FIREBASE_TOKEN/);
  });

  it('puts no value that others control into a shell line', () => {
    const shell = [...workflow.matchAll(/run: \|?((?:\n {10}.*)+|.*)/g)].map(([, text]) => text ?? '');
    expect(shell.length).toBeGreaterThan(3);
    for (const text of shell) expect(text).not.toContain('${{');
  });

  it('deploys with valid options', () => {
    const options = workflow.match(/npm run deploy -- (.*)/)?.[1] ?? '';
    const values: Record<string, string> = { PROJECT: 'my-studio', REGION: 'us-central1', LOCATION: 'nam5' };
    const args = options.split(' ').map((one) => values[one.replace(/[$"]/g, '')] ?? one);
    expect(parseOptions(args, () => 'SIGNUP_CREDITS=1\n')).toMatchObject({ location: 'nam5' });
  });
});

describe('the container', () => {
  it("has package.json's Node, a Java for the emulators, and the ports of a local run", () => {
    const { 'ghcr.io/devcontainers/features/node:1': node, 'ghcr.io/devcontainers/features/java:1': java } =
      container.features;
    expect(`>=${node.version}`).toBe(engines.node);
    expect(Number(java.version)).toBeGreaterThanOrEqual(21);
    expect(container.forwardPorts).toEqual([8080, 8085, 9099]);
    expect(container.postCreateCommand).toContain('npm ci');
  });
});
