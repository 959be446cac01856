/** The bundle contains the functions, shared/ and production packages; nothing else, and nothing about this machine. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../../tools/build/bundle.ts';

const outdir = mkdtempSync(join(tmpdir(), 'nano-banana-bundle-'));
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let sources: string[];
let files: { name: string; text: string }[];

beforeAll(async () => {
  sources = Object.keys((await bundleFunctions(outdir)).inputs);
  files = readdirSync(outdir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => ({ name, text: readFileSync(join(outdir, name), 'utf8') }));
});
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

/** The package folder of a file, such as `node_modules/a/node_modules/b`. */
const getPackage = (source: string) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? '';
const getNames = (paths: string[]) =>
  [...new Set(paths.map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)))].sort();

describe('the bundle', () => {
  it('contains functions/, shared/ and packages, and no other source', () => {
    const own = sources.filter((source) => !source.startsWith('node_modules/'));
    const outside = own.filter((source) => !/^(functions|shared)\//.test(source));
    // The replacement for Node's `domain`.
    expect(outside).toEqual(['tools/build/noDomain.ts']);
    // Every function is there: each is loaded by its own import.
    const functions = readdirSync('functions')
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `functions/${file}`);
    expect(own.filter((source) => source.startsWith('functions/')).sort()).toEqual(functions.sort());
  });

  it('contains no development package', () => {
    const bundled = [...new Set(sources.map(getPackage).filter((path) => path !== ''))];
    expect(bundled.length).toBeGreaterThan(20);
    expect(bundled.filter((path) => packages[path]?.dev)).toEqual([]);
    expect(bundled.filter((path) => packages[path] === undefined)).toEqual([]);
  });

  it('contains all production packages of package.json', () => {
    const { dependencies } = packages[''];
    const bundled = getNames(sources.map(getPackage).filter((path) => path !== ''));
    expect(Object.keys(dependencies).filter((name) => !bundled.includes(name))).toEqual([]);
  });

  it('loads the long list of throw-away addresses only when it is needed', () => {
    const [list, ...others] = files.filter(({ text }) => text.includes('mailinator.com'));
    expect(others).toEqual([]);
    const importers = files.filter(({ text }) => text.includes(`/${list?.name.split('/').at(-1)}`));
    for (const { text } of importers) {
      expect(text).not.toMatch(new RegExp(`^import[^(;]*"[^"]*${list?.name.split('/').at(-1)}"`, 'm'));
    }
    expect(importers.length).toBeGreaterThan(0);
  });

  it.each<[string, RegExp]>([
    ['a key of Google', /AIza[\w-]{35}/],
    ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)*[A-Za-z0-9+/]{40}/],
    ['a token', /\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\./],
    ['an account of Cloudinary', /cloudinary:\/\/\d+:\w+@\w/],
    ['a key of AWS or GitHub', /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36})\b/],
    ['a fake', /http:\/\/fake|Fake Heading|demo-[a-z]+-project/],
  ])('does not contain %s', (_what, pattern) => {
    for (const { name, text } of files) expect(`${name} ${pattern.exec(text)?.[0] ?? ''}`).toBe(`${name} `);
  });

  it('contains no path or name of this machine, and no source map', () => {
    const words = [
      process.cwd(),
      homedir(),
      outdir,
      hostname(),
      `/${userInfo().username}/`,
      'sourceMappingURL=',
    ];
    for (const { name, text } of files) {
      // Ignore short names, which occur by chance.
      const found = words.filter((word) => word.length > 5 && text.includes(word));
      expect([name, ...found]).toEqual([name]);
    }
  });
});
