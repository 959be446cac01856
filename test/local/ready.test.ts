/** `npm start`, `npm run dev` and `npm test` say which command is missing, on any version of Node. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nano-banana-ready-test-'));
  cpSync('local/ready.mjs', join(root, 'local/ready.mjs'));
});
afterEach(() => rmSync(root, { recursive: true }));

const writeLock = (path: string, packages: Record<string, object>) => {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify({ packages: { '': { name: 'root' }, ...packages } }));
};
const install = (packages: Record<string, object>) => writeLock('node_modules/.package-lock.json', packages);
const lock = (packages: Record<string, object>) => writeLock('package-lock.json', packages);

/** @param pretended replaces properties of `process`. @returns what the check says; empty if it lets the start go on */
function check(pretended: object = {}, node = process.execPath): Promise<string> {
  const preload = join(root, 'preload.cjs');
  const code = `for (const [name, value] of Object.entries(${JSON.stringify(pretended)}))
    Object.defineProperty(process, name, { value });`;
  writeFileSync(preload, code);
  return new Promise((resolve) => {
    execFile(node, ['--require', preload, join(root, 'local/ready.mjs')], (error, _stdout, stderr) =>
      resolve(error ? stderr : ''),
    );
  });
}

const linux = { platform: 'linux', arch: 'x64' };
const mac = { platform: 'darwin', arch: 'arm64' };
const old = { versions: { node: '20.20.2' } };

describe('without the packages', () => {
  it('npm ci is the command, also with an old Node where the packages bring their own', async () => {
    const words = 'The packages are not installed.\n  npm ci\n';
    expect(await check(linux)).toBe(words);
    expect(await check({ ...linux, ...old })).toBe(words);
    expect(await check(mac)).toBe(words);
  });

  it('an old Node is named where the packages bring none', async () => {
    expect(await check({ ...mac, ...old })).toBe(
      'The packages are not installed. This project needs Node 24 or newer. This is Node 20.20.2.\n' +
        '  nvm install 24\n  npm ci\n',
    );
  });
});

describe('with the packages', () => {
  const [one, two] = [{ version: '1.0.0' }, { version: '2.0.0' }];
  const optional = { version: '1.0.0', optional: true };

  it('there is nothing to say', async () => {
    lock({ a: one, b: two, c: optional });
    install({ a: one, b: two });
    expect(await check()).toBe('');
  });

  it.each([
    ['another version', { a: two }],
    ['a missing one', {}],
  ])('%s is installed by npm ci', async (_, installed) => {
    lock({ a: one });
    install(installed);
    expect(await check()).toBe('The installed packages are not those of package-lock.json.\n  npm ci\n');
  });

  it('those of another package manager are left alone', async () => {
    lock({ a: one });
    expect(await check()).toBe('');
  });

  it('an old Node is named', async () => {
    lock({});
    install({});
    const words = 'This project needs Node 24 or newer. This is Node 20.20.2.\n';
    expect(await check({ ...linux, ...old })).toBe(`${words}  npm ci\n`);
    expect(await check({ ...mac, ...old })).toBe(`${words}  nvm install 24\n  npm ci\n`);
  });
});

it('Windows runs it in WSL', async () => {
  expect(await check({ platform: 'win32' })).toContain('WSL');
});

const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find(existsSync);

it.skipIf(!oldNode)('the Node of this machine runs the check', async () => {
  expect(await check({}, oldNode)).toContain('npm ci');
});

it('the three commands check first', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const name of ['start', 'dev', 'test']) expect(scripts[name]).toMatch(/^node local\/ready\.mjs && /);
});
