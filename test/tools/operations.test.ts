/** The runbook names what the log really has: every event, and every code of a service's fault. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { geminiFaults } from '../../shared/imagegen/geminiFailures.ts';
import { storeFaults } from '../../shared/images/cloudinaryFailures.ts';

const runbook = readFileSync('docs/deployment/operations.md', 'utf8');

/** The words in backquotes of a table's column, from the header row on. */
function readColumn(header: string, column: number): string[] {
  const table =
    runbook
      .slice(runbook.indexOf(`\n| ${header}`))
      .trimStart()
      .split('\n\n')[0] ?? '';
  const cells = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[column] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, word = '']) => word)).sort();
}

it('lists the events that the code logs, and no other', () => {
  const sources = globSync('{functions,shared}/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const logged = sources.flatMap((source) =>
    [...source.matchAll(/\bevent: (?:[^,\n']*\? )?'(\w+)'(?: : '(\w+)')?/g)].flatMap(([, ...names]) =>
      names.filter((name) => name !== undefined),
    ),
  );
  expect(logged.length).toBeGreaterThan(5);
  expect(readColumn('`event` | meaning', 1)).toEqual([...new Set(logged)].sort());
});

it('lists the codes of the faults of Cloudinary and Gemini, and no other', () => {
  const codes = [...Object.keys(storeFaults), ...geminiFaults.map(({ code }) => code)];
  expect(readColumn('service | codes', 2)).toEqual(codes.sort());
});

it('names no event elsewhere that the table does not have', () => {
  const named = [...runbook.matchAll(/jsonPayload\.event="(\w+)"/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(readColumn('`event` | meaning', 1)).toEqual(expect.arrayContaining(named));
});
