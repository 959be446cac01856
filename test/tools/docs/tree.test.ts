/** npm run docs on generated trees: it loses no byte, kills no link, does nothing twice, and git undoes it. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { linkFaults } from '../../../tools/docs/links.ts';
import { planMoves } from '../../../tools/docs/moves.ts';
import { readTree } from '../../../tools/docs/tree.ts';
import { fc } from '../../support/properties.ts';
import { type MadeUp, type MadeUpTree, madeUpTree, textOf } from './madeUpTree.ts';
import { createFolders, git, runDocs, snapshot } from './support.ts';

const folders = createFolders();
afterAll(folders.end);

const plant = ({ documents, files }: MadeUpTree): string =>
  folders.committed({
    ...Object.fromEntries(documents.map((document) => [document.path, textOf(document)])),
    ...Object.fromEntries(files.map((path) => [path, path])),
  });

const index = /(?:\r?\n)*<!-- index: made by npm run docs -->[\s\S]*?<!-- end of index -->(?:\r?\n)*/;

/** Expects every byte of a document except destinations and generated parts. Returns the destinations. */
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

/** Where a destination leads from a document, computed without the code under test. */
function leadsTo(path: string, written: string): { target: string; suffix: string } {
  const [, encoded = '', suffix = ''] = /^([^#]*)(.*)$/.exec(written) ?? [];
  const decoded = decodeURIComponent(encoded);
  const joined = decoded.startsWith('/') ? decoded.slice(1) : posix.join(posix.dirname(path), decoded);
  const target = posix.normalize(joined || '.').replace(/\/$/, '');
  return { target: target === '.' ? '' : target, suffix };
}

/** Expects each document once, whole, with links to the same documents as before. */
function expectInOrder(
  { documents, files }: MadeUpTree,
  folder: string,
  after: Record<string, string>,
): void {
  const placeOf = new Map<string, string>();
  for (const { path, id } of documents) {
    const holders = Object.keys(after).filter((file) => after[file]?.includes(`# Title of ${id}`));
    expect(holders, `holders of the former ${path}`).toHaveLength(1);
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
      // An empty folder is removed: links to it lead to a shelf, or to the index of all shelves.
      if (gone) expect(now.target, why).toMatch(/^docs\/(?:README\.md|\w+)$/);
      else expect(now.target, why).toBe(expected);
      expect(existsSync(join(folder, now.target)), why).toBe(true);
    }
  }
}

/** Counts dead links, except those in generated indexes. */
const countDead = async (folder: string) =>
  (await linkFaults(readTree(folder))).filter((fault) => !fault.includes('old.md')).length;

async function expectEverything(tree: MadeUpTree): Promise<void> {
  const folder = plant(tree);
  const before = snapshot(folder);
  const deadBefore = await countDead(folder);
  const { moves, problems } = planMoves(readTree(folder));
  await runDocs(folder, '--check');
  expect(snapshot(folder), 'a check writes nothing').toEqual(before);

  const { said } = await runDocs(folder);
  for (const move of moves) expect(said).toContain(`${move.join(' → ')}\n`);
  const after = snapshot(folder);
  expectInOrder(tree, folder, after);
  expect(await countDead(folder)).toBe(deadBefore);
  for (const problem of problems) expect(after).toHaveProperty([problem.split(': ')[0] ?? '']);

  const again = await runDocs(folder);
  expect(again.said, 'a second run').toContain('Moves: 0. Generated: 0. ');
  expect(snapshot(folder), 'a second run').toEqual(after);
  for (const problem of problems) expect(again.said).toContain(`${problem}\n`);

  git(folder, 'restore', '--staged', '--worktree', '.');
  // New indexes are in git's index too, so git removes them.
  expect(snapshot(folder), 'undone').toEqual(before);
  expect(git(folder, 'status', '--porcelain')).toBe('');
}

describe('a generated tree', () => {
  it('of 150 documents is put in order: no byte lost, no link dead, a second run does nothing, git undoes it', async () => {
    const tree = madeUpTree(2, 150);
    const folder = plant(tree);
    const before = readTree(folder);
    const { moves, problems } = planMoves(before);
    // The tree has enough of everything.
    expect(moves.size).toBeGreaterThan(50);
    const conflicts = problems.filter((problem) => problem.includes('cannot move'));
    expect(conflicts.length).toBeGreaterThan(1);
    expect(problems.length - conflicts.length).toBeGreaterThan(3);
    await runDocs(folder);
    const urls = ({ documents }: typeof before) =>
      new Map([...documents].map(([path, { destinations }]) => [path, destinations.map(({ url }) => url)]));
    const [old, now] = [urls(before), urls(readTree(folder))];
    const rewritten = [...old].flatMap(([path, links]) => {
      const moved = now.get(moves.get(path) ?? path) ?? [];
      return links.filter((url, number) => url !== moved[number]);
    });
    expect(rewritten.length).toBeGreaterThan(200);
    await expectEverything(tree);
  }, 120_000);

  it('of any kind is put in order too', async () => {
    const seeds = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 30 }) });
    await fc.assert(
      fc.asyncProperty(seeds, ({ seed, count }) => expectEverything(madeUpTree(seed, count))),
      { numRuns: 15 },
    );
  }, 120_000);
});
