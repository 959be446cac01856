/** npm run docs on made-up trees: nothing is lost, nothing dies, and it can be done twice, or undone. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { apply, undoing } from '../../../tools/docs/apply.ts';
import { linkFaults } from '../../../tools/docs/checks/links.ts';
import { planOf } from '../../../tools/docs/plan.ts';
import { readTree } from '../../../tools/docs/tree.ts';
import { type MadeUp, type MadeUpTree, madeUpTree, textOf } from './madeUpTree.ts';
import { createFolders, git, snapshot } from './support.ts';

const folders = createFolders();
afterAll(folders.end);

const plant = ({ documents, files }: MadeUpTree): string =>
  folders.committed({
    ...Object.fromEntries(documents.map((document) => [document.path, textOf(document)])),
    ...Object.fromEntries(files.map((path) => [path, path])),
  });

const index = /(?:\r?\n)*<!-- index: made by npm run docs -->[\s\S]*?<!-- end of index -->(?:\r?\n)*/;

/** What is expected to stay of a document: all but its destinations, and what the command itself makes. */
function matched(document: MadeUp, text: string): string[] {
  const quoted = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const own = index.test(textOf(document)) ? text : text.replace(index, '\n');
  let source = '';
  for (const piece of document.chunks)
    source += typeof piece === 'string' ? quoted(piece) : '([^\\s"\'<>()]*?)';
  const withIndex = source.replace(
    /<!-- index: made by npm run docs -->[\s\S]*?<!-- end of index -->/,
    '<!-- index: made by npm run docs -->[\\s\\S]*?<!-- end of index -->',
  );
  const ending = withIndex.replace(/(?:\r?\n)*$/, '');
  const match = new RegExp(`^${ending}(?:\\r?\\n)*$`).exec(own);
  expect(match, `${document.path} is still there byte for byte:\n${own}\n${ending}`).not.toBeNull();
  if (own === text) expect(text.endsWith('\n')).toBe(/\n$/.test(textOf(document)));
  return match?.slice(1) ?? [];
}

/** Where a destination leads from a document, told without the code under test. */
function leadsTo(path: string, written: string): { target: string; suffix: string } {
  const [, encoded = '', suffix = ''] = /^([^#]*)(.*)$/.exec(written) ?? [];
  const decoded = decodeURIComponent(encoded);
  const joined = decoded.startsWith('/') ? decoded.slice(1) : posix.join(posix.dirname(path), decoded);
  const target = posix.normalize(joined || '.').replace(/\/$/, '');
  return { target: target === '.' ? '' : target, suffix };
}

/** Every document is there once, whole, and leads to where it led. */
function expectInOrder(
  { documents, files }: MadeUpTree,
  folder: string,
  after: Record<string, string>,
): void {
  const placeOf = new Map<string, string>();
  for (const { path, id } of documents) {
    const holders = Object.keys(after).filter((file) => after[file]?.includes(`# Title of ${id}`));
    expect(holders, `who holds what was ${path}`).toHaveLength(1);
    placeOf.set(path, holders[0] ?? '');
  }
  for (const file of files) expect(after[file]).toBe(file);
  for (const document of documents) {
    const path = placeOf.get(document.path) ?? '';
    const found = matched(document, after[path] ?? '');
    const meant = document.chunks.filter((piece) => typeof piece !== 'string');
    expect(found).toHaveLength(meant.length);
    for (const [number, { target, suffix, written }] of meant.entries()) {
      const now = leadsTo(path, found[number] ?? '');
      const why = `${document.path}, now ${path}: ${written}, now ${found[number]}`;
      expect(now.suffix, why).toBe(suffix);
      const expected = placeOf.get(target) ?? target;
      const gone = !existsSync(join(folder, expected));
      // A folder whose last document went is gone: what led to it leads to a shelf, or to all of them.
      if (gone) expect(now.target, why).toMatch(/^docs\/(?:README\.md|\w+)$/);
      else expect(now.target, why).toBe(expected);
      expect(existsSync(join(folder, now.target)), why).toBe(true);
    }
  }
}

/** How many links are dead, those of indexes aside, which are made anew. */
const deadIn = (folder: string) =>
  linkFaults(readTree(folder)).filter((fault) => !fault.includes('old.md')).length;

function expectEverything(tree: MadeUpTree): void {
  const folder = plant(tree);
  const before = snapshot(folder);
  const deadBefore = deadIn(folder);
  const plan = planOf(readTree(folder));
  expect(snapshot(folder), 'planning writes nothing').toEqual(before);

  apply(readTree(folder), plan);
  const after = snapshot(folder);
  expectInOrder(tree, folder, after);
  expect(deadIn(folder)).toBe(deadBefore);
  for (const { path } of plan.conflicts) expect(after).toHaveProperty([path]);

  const again = planOf(readTree(folder));
  expect({ moves: [...again.moves], texts: [...again.texts] }, 'a second run').toEqual({
    moves: [],
    texts: [],
  });
  expect(again.conflicts).toEqual(plan.conflicts);
  expect(again.unsorted).toEqual(plan.unsorted);

  if (plan.moves.size === 0) return;
  git(folder, ...undoing(plan));
  // Indexes made where there were none are new files too, and in git's index by then.
  expect(snapshot(folder), 'undone').toEqual(before);
  expect(git(folder, 'status', '--porcelain')).toBe('');
}

describe('a made-up tree', () => {
  it('of 150 documents is put in order: nothing lost, no link dead, a second run does nothing, git undoes it', () => {
    const tree = madeUpTree(1, 150);
    const folder = plant(tree);
    const plan = planOf(readTree(folder));
    // The tree is worth trying it on.
    expect(plan.moves.size).toBeGreaterThan(50);
    expect(plan.conflicts.length).toBeGreaterThan(1);
    expect(plan.unsorted.length).toBeGreaterThan(3);
    expect([...plan.rewrites.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(200);
    expectEverything(tree);
  }, 120_000);

  it('of any kind is too', () => {
    const seeds = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(seeds, ({ seed, count }) => expectEverything(madeUpTree(seed, count))),
      { numRuns: 15, seed: 7 },
    );
  }, 120_000);
});
