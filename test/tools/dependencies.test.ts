/** docs/completed/dependencies.md says why each direct dependency is there. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
  Object.keys(manifest[kind]),
);
const page = readFileSync('docs/completed/dependencies.md', 'utf8');
const [packages = ''] = page.split('## Versions');
const explained = [...packages.matchAll(/`((?:@[\w-]+\/)?[\w-]+)`/g)].map(([, name]) => name ?? '');

it('every direct dependency is explained once', () => {
  const times = names.map((name) => [name, explained.filter((other) => other === name).length]);
  expect(times.filter(([, count]) => count !== 1)).toEqual([]);
});

it('every package in the tables is a dependency', () => {
  const rows = packages.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''),
  );
  expect(listed.length).toBeGreaterThan(30);
  expect(listed.filter((name) => !names.includes(name))).toEqual([]);
});
