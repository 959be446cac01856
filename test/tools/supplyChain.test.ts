/** The lockfile check finds the problems that it is for. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findFaults, type LockedPackage, type Packages } from '../../tools/supplyChain.ts';

const integrity = `sha512-${'a'.repeat(86)}==`;
const good: LockedPackage = { version: '1.0.0', license: 'MIT', integrity };
const faults = (lockedPackage: LockedPackage) => findFaults({ '': {}, 'node_modules/x': lockedPackage });

it('finds no problem in our lockfile', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Packages };
  expect(findFaults(packages)).toEqual([]);
});

it.each<[string, LockedPackage]>([
  ['a licence that requires more than attribution', { ...good, license: 'GPL-3.0-only' }],
  ['a deployed package with a licence for development', { ...good, license: 'MPL-2.0' }],
  ['an unknown licence', { version: '1.0.0', integrity }],
  ['a package with one forbidden licence of two', { ...good, license: 'MIT AND GPL-3.0-only' }],
  ['no hash', { ...good, integrity: '' }],
  ['a weak hash', { ...good, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
  ['another registry', { ...good, resolved: 'https://registry.example.com/x.tgz' }],
  ['a deprecated package', { ...good, deprecated: 'use y' }],
  ['a link', { ...good, link: true }],
  ['a binary for another platform without a hash', { ...good, dev: true, integrity: '' }],
])('reports %s', (_what, lockedPackage) => {
  expect(faults(lockedPackage)).toHaveLength(1);
});

it.each<[string, LockedPackage]>([
  ['a choice of licences', { ...good, license: '(GPL-2.0 OR MIT)' }],
  ["a tool's licence", { ...good, license: 'MPL-2.0', dev: true }],
  ['the registry', { ...good, resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz' }],
])('accepts %s', (_what, lockedPackage) => {
  expect(faults(lockedPackage)).toEqual([]);
});
