/** The deploy is repeatable, stops at a failure and shows no secret. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { type DeployOptions, parseOptions } from '../../../tools/deploy/options.ts';
import { createPlan } from '../../../tools/deploy/plan.ts';
import { runScript } from '../../../tools/deploy/run.ts';
import { toShellScript } from '../../../tools/deploy/steps.ts';
import { summarize } from '../../../tools/deploy/summary.ts';
import { type FakeProject, runInFake } from './fakePrograms.ts';

const secret = 'AIza-not-a-real-key';
const stripeKey = 'rk_test_51NotARealKey';
const args = ['--project', 'my-studio', '--region', 'europe-west1', '--alert-email', 'ops@example.com'];
let folder: string;
let keyFile: string;
let cloudinaryFile: string;
let stripeFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-deploy-'));
  [keyFile, cloudinaryFile] = [join(folder, 'key'), join(folder, 'cloudinary')];
  stripeFile = join(folder, 'stripe');
  writeFileSync(stripeFile, `${stripeKey}\n`);
  writeFileSync(join(folder, 'settings'), 'CREDIT_PACKS=starter=price_1:100\n');
  writeFileSync(keyFile, `${secret}\n`);
  writeFileSync(cloudinaryFile, 'cloudinary://1:s3cret@cloud\r\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = (): DeployOptions => ({
  ...parseOptions([...args, '--settings', join(folder, 'settings'), '--stripe-key-file', stripeFile]),
  secretFiles: { GEMINI_API_KEY: keyFile, CLOUDINARY_URL: cloudinaryFile, STRIPE_SECRET_KEY: stripeFile },
});
const deploy = (fake: FakeProject, deployOptions = options()) =>
  runInFake(toShellScript(createPlan(deployOptions)), folder, fake);

describe('a deploy', () => {
  it('creates everything in an empty project, and only updates it the next time', () => {
    const [empty, full] = [deploy({}), deploy({ isThere: true })];
    expect([empty.ok, full.ok]).toEqual([true, true]);
    const making =
      /\b(service-accounts|secrets|databases|schedules|repositories|triggers|http|metrics|policies|channels|budgets|apps:|sites:)[: ]?create\b|create http/;
    expect(empty.commands.filter((line) => making.test(line)).length).toBeGreaterThan(25);
    expect(full.commands.filter((line) => making.test(line))).toEqual([]);
    const deployed = full.commands.filter((line) => line.startsWith('gcloud run deploy'));
    expect(deployed).toHaveLength(Object.keys(manifest).length);
    expect(full.commands.filter((line) => line.includes('scheduler jobs update http'))).toHaveLength(5);
  });

  it('prints each step and each command, with the variables from earlier steps', () => {
    const { output, commands } = deploy({});
    for (const { title } of createPlan(options())) expect(output).toContain(title);
    expect(commands.filter((line) => !output.includes(`  $ ${line}\n`))).toEqual([]);
    expect(output).toContain('--image=found-out');
    expect(output).toContain('https://sweep-holds-found-out.europe-west1.run.app/');
    expect(output).not.toContain('{{');
  });

  it('passes secrets on without printing them, and without their line break', () => {
    const { commands, inputs, output } = deploy({});
    const [identityKey = ''] = inputs;
    expect(inputs).toEqual([identityKey, secret, 'cloudinary://1:s3cret@cloud', stripeKey]);
    expect(identityKey).toMatch(/^[0-9a-f]{64}$/);
    const everything = [...commands, output, toShellScript(createPlan(options()))].join('\n');
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(stripeKey);
    expect(everything).not.toContain('s3cret');
    expect(everything).not.toContain(identityKey);
  });

  it("keeps a secret's value, and asks for a missing one", () => {
    const noFiles = { ...options(), secretFiles: {} };
    expect(deploy({ isThere: true }, noFiles).inputs).toEqual([]);

    const answers = [` ${secret} `, 'cloudinary://1:2@c', stripeKey];
    const typed = deploy({ input: `${answers.join('\n')}\n` }, noFiles);
    expect(typed.inputs.slice(1)).toEqual([secret, 'cloudinary://1:2@c', stripeKey]);
    const withoutTerminal = deploy({}, noFiles);
    expect(withoutTerminal.ok).toBe(false);
    expect(withoutTerminal.output).toMatch(/Failed: .*GEMINI_API_KEY[\s\S]*pass it in a file/);
    expect(withoutTerminal.inputs).toHaveLength(1);
  });

  it('stops, and generates no second key, if it cannot see whether there is one', () => {
    const { ok, inputs, output } = deploy({ isThere: true, fails: { part: 'list IDENTITY_HASH_KEY' } });
    expect(ok).toBe(false);
    expect(output).toMatch(/Failed: .*IDENTITY_HASH_KEY/);
    expect(inputs).toEqual([]);
  });

  it('refuses a secret that the functions would refuse, without printing it', () => {
    writeFileSync(cloudinaryFile, 'https://s3cret.example.com');
    const refused = () => parseOptions([...args, '--cloudinary-file', cloudinaryFile]);
    expect(refused).toThrow('CLOUDINARY_URL');
    expect(refused).not.toThrow('s3cret');

    const typed = deploy({ input: 'key\nhttps://s3cret.example.com\n' }, { ...options(), secretFiles: {} });
    expect(typed.output).toMatch(/Failed: .*CLOUDINARY_URL/);
    expect(typed.output).not.toContain('s3cret');
    expect(typed.inputs).toHaveLength(2);
  });

  it('stops at the first failed step, and says what to do', () => {
    const { ok, commands, output } = deploy({ fails: { part: 'run deploy gallery' } });
    expect(ok).toBe(false);
    expect(output).toMatch(/Failed: .*Deploy gallery\.\n.*services logs read gallery/);
    expect(commands.at(-1)).toContain('run deploy gallery');
  });

  it('stops if the database is not in the location of its events', () => {
    const elsewhere = deploy({ isThere: true }, { ...options(), location: 'nam5' });
    expect(elsewhere.output).toMatch(/Failed: [\s\S]*--location/);
    expect(elsewhere.commands.some((line) => line.includes('run deploy'))).toBe(false);
  });

  it('stops if it cannot see whether an index is ready', () => {
    const { ok, commands } = deploy({ fails: { part: 'indexes composite list' } });
    expect(ok).toBe(false);
    expect(commands.some((line) => line.includes('run deploy'))).toBe(false);
  });

  it('retries a step that depends on a new resource', () => {
    const { ok, commands, pauses } = deploy({ fails: { part: 'eventReceiver', times: 3 } });
    expect(ok).toBe(true);
    expect(commands.filter((line) => line.includes('eventReceiver'))).toHaveLength(4);
    expect(pauses).toEqual(['5', '10', '20']);
  });

  it("waits for the browser's key, and fails if there is none, because it would work for every API", () => {
    const late = deploy({ fails: { part: 'api-keys list', times: 2 } });
    expect(late.ok).toBe(true);
    expect(late.commands.some((line) => line.includes('api-keys update found-out --api-target'))).toBe(true);
    const missing = deploy({ fails: { part: 'api-keys list' } });
    expect(missing.ok).toBe(false);
    expect(missing.output).toMatch(/Failed: .*Find the browser's key\.\n.*console\.cloud\.google\.com/);
    expect(missing.commands.some((line) => line.includes('run deploy'))).toBe(false);
  });
});

describe('runScript', () => {
  it('resolves to whether the script succeeded', async () => {
    expect(await runScript('true')).toBe(true);
    expect(await runScript('exit 3')).toBe(false);
  });
});

describe('the dry run of the documents', () => {
  const readme = readFileSync('docs/deployment/README.md', 'utf8');
  const [command = ''] = /^npm run deploy -- .*--dry-run.*$/m.exec(readme) ?? [];
  const run = (line: string) =>
    spawnSync('bash', ['-c', line], { encoding: 'utf8', env: { ...process.env, CI: 'true' } });

  it('writes a script of commands for Google Cloud and Firebase, and nothing else', () => {
    const file = join(folder, 'deploy.sh');
    const line = command
      .replace('PROJECT', 'my-studio')
      .replace('REGION', 'europe-west1')
      .replace('deploy.sh', file);
    expect(line).toContain(`--out ${file}`);
    const { status, stderr } = run(line);
    expect([status, stderr]).toEqual([0, '']);
    execFileSync('bash', ['-n', file]);
    const script = readFileSync(file, 'utf8');
    const plain = parseOptions(['--project', 'my-studio', '--region', 'europe-west1']);
    const steps = createPlan(plain);
    expect(script).toBe(toShellScript(steps, summarize(plain, steps)));
    expect(script).toContain('\n# Alerts reach nobody');
    const { commands, ok } = runInFake(script, folder, { isThere: true });
    expect(ok).toBe(true);
    const programs = commands.map((one) => one.replace(/^(npm run \w+|npx \w+|\w+)( .*)?$/s, '$1'));
    expect([...new Set(programs)].sort()).toEqual(['curl', 'gcloud', 'npm run build', 'npx firebase']);
  });

  it('writes no script without --dry-run', () => {
    const file = join(folder, 'deploy.sh');
    expect(() => parseOptions([...args, '--out', file])).toThrow('--dry-run');
    expect(existsSync(file)).toBe(false);
  });

  it('is the same every time', () => {
    expect(toShellScript(createPlan(options()))).toBe(toShellScript(createPlan(options())));
  });
});
