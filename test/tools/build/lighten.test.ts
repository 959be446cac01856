/** The replacement of a vendor's file never silently does nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { lighten } from '../../../tools/build/lighten.ts';
import type { Rule } from '../../../tools/build/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'nano-banana-lighten-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// TypeScript compiles `import * as vendor` to this.
const namespaceImport = `const importStar = (mod) => (mod && mod.__esModule ? mod : { ...mod, default: mod });
const vendor = importStar(require('vendor'));`;

let bundles = 0;

/** Bundles a program that uses a package `vendor`, with one rule for that package. @returns the program's exports. */
async function bundleProgram(rule: object, program: string, vendor = 'exports.answer = () => 42;') {
  bundles += 1;
  const at = (name: string) => join(folder, String(bundles), name);
  for (const [name, text] of Object.entries({
    'node_modules/vendor/index.js': vendor,
    'program.js': program,
  })) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  }
  await build({
    entryPoints: [at('program.js')],
    outfile: at('out.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    plugins: [lighten([{ file: 'vendor/index.js', why: 'a test', ...rule } as Rule])],
    logLevel: 'silent',
  });
  return (await import(pathToFileURL(at('out.mjs')).href)) as { default: Record<string, () => unknown> };
}

const refusal = (name: string) => `vendor/index.js: ${name} is used, but tools/build/rules.ts left it out`;

describe('a stub', () => {
  it.each([
    ['require', `const vendor = require('vendor');`],
    ['a namespace import compiled to CommonJS', namespaceImport],
  ])('throws an error with its name when it is used through %s', async (_how, load) => {
    const { default: program } = await bundleProgram(
      { stub: true },
      `${load} module.exports = { read: () => vendor.answer, look: () => 'answer' in vendor };`,
    );
    expect(() => program.read?.()).toThrow(refusal('answer'));
    expect(() => program.look?.()).toThrow('left it out');
  });

  it('throws an error with its name when a module imports from it by name', async () => {
    const { default: program } = await bundleProgram(
      { stub: true },
      `import { answer } from 'vendor'; import * as all from 'vendor'; import one from 'vendor';
       export default { named: () => answer(), all: () => all.answer(), one: () => one.answer() };`,
    );
    for (const name of ['named', 'all']) expect(() => program[name]?.()).toThrow(refusal('answer'));
    expect(() => program.one?.()).toThrow(refusal('default'));
  });
});

describe('a lazy file', () => {
  const vendor = `globalThis.vendorsLoaded = (globalThis.vendorsLoaded ?? 0) + 1; exports.answer = () => 42;`;

  it.each([
    ['require', `const vendor = require('vendor'); module.exports = { answer: () => vendor.answer() };`],
    [
      'a namespace import compiled to CommonJS',
      `${namespaceImport} module.exports = { answer: () => vendor.answer() };`,
    ],
    ['a name', `import { answer } from 'vendor'; export default { answer: () => answer() };`],
    ['the default', `import vendor from 'vendor'; export default { answer: () => vendor.answer() };`],
  ])('loads at its first use, and only once, through %s', async (_how, program) => {
    const counts = globalThis as { vendorsLoaded?: number };
    counts.vendorsLoaded = 0;
    const { default: made } = await bundleProgram({ lazy: true }, program, vendor);
    expect(counts.vendorsLoaded).toBe(0);
    expect([made.answer?.(), made.answer?.()]).toEqual([42, 42]);
    expect(counts.vendorsLoaded).toBe(1);
  });
});

describe('a rule', () => {
  it('replaces a file with its own code', async () => {
    const { default: program } = await bundleProgram(
      { replacement: 'exports.answer = () => 43;' },
      `module.exports = { answer: () => require('vendor').answer() };`,
    );
    expect(program.answer?.()).toBe(43);
  });

  it('that matches no file fails the build', async () => {
    const moved = bundleProgram({ file: 'vendor/lib/moved.js', lazy: true }, `require('vendor');`);
    await expect(moved).rejects.toThrow('A rule of the bundle matches no file: vendor/lib/moved.js');
  });
});
