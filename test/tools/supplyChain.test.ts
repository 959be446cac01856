/** The check of the lockfile notices what it is there for. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findFaults, type LockedPackage, type Packages } from '../../tools/supplyChain.ts';

const integrity = `sha512-${'a'.repeat(86)}==`;
const good: LockedPackage = { version: '1.0.0', license: 'MIT', integrity };
const faults = (lockedPackage: LockedPackage, path = 'node_modules/x') =>
  findFaults({ '': {}, [path]: lockedPackage });

it('the lockfile as it is has no fault', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Packages };
  expect(findFaults(packages)).toEqual([]);
});

it.each<[string, LockedPackage, string?]>([
  ['a licence that asks for more', { ...good, license: 'GPL-3.0-only' }],
  ['a licence for tools, deployed', { ...good, license: 'MPL-2.0' }],
  ['a licence that nobody knows', { version: '1.0.0', integrity }],
  ['one licence of two', { ...good, license: 'MIT AND GPL-3.0-only' }],
  ['no hash', { ...good, integrity: '' }],
  ['a weak hash', { ...good, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
  ['another registry', { ...good, resolved: 'https://registry.example.com/x.tgz' }],
  ['a deprecated package', { ...good, deprecated: 'use y' }],
  ['a link', { ...good, link: true }],
  [
    'a hash that was written by hand and has come',
    { ...good, dev: true },
    'node_modules/@biomejs/cli-win32-x64',
  ],
  ['a deployed package without one', { ...good, integrity: '' }, 'node_modules/@biomejs/cli-win32-x64'],
])('%s is one', (_what, lockedPackage, path) => {
  expect(faults(lockedPackage, path)).toHaveLength(1);
});

it.each<[string, LockedPackage]>([
  ['a choice of licences', { ...good, license: '(GPL-2.0 OR MIT)' }],
  ["a tool's licence", { ...good, license: 'MPL-2.0', dev: true }],
  ['the registry', { ...good, resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz' }],
])('%s is none', (_what, lockedPackage) => {
  expect(faults(lockedPackage)).toEqual([]);
});
