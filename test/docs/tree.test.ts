/** npm run docs on made-up trees: nothing is lost, nothing dies, and it can be done twice, or undone. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { apply, undoing } from '../../local/docs/apply.ts';
import { linkFaults } from '../../local/docs/checks/links.ts';
import { planOf } from '../../local/docs/plan.ts';
import { readTree } from '../../local/docs/tree.ts';
import { type MadeUp, type MadeUpTree, madeUpTree, textOf } from './madeUpTree.ts';

const temporary = mkdtempSync(join(tmpdir(), 'nano-banana-docs-test-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  });

/** Writes the tree into a new folder, all of it committed. */
function plant({ documents, files }: MadeUpTree): string {
  const folder = mkdtempSync(join(temporary, 'tree-'));
  const contents = [
    ...documents.map((document) => [document.path, textOf(document)] as const),
    ...files.map((path) => [path, path] as const),
  ];
  for (const [path, text] of contents) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  git(folder, 'init', '-q');
  git(folder, 'config', 'core.autocrlf', 'false');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'everything');
  return folder;
}

/** Every file and its contents. */
function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files
      .map((file) => file.slice(folder.length + 1))
      .filter((path) => !path.startsWith('.git/'))
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
}

const index = /(?:\r?\n)*<!-- index: made by npm run docs -->[\s\S]*?<!-- end of index -->(?:\r?\n)*/;

/** What is expected to stay of a document: all but its destinations, and what the command itself makes. */
function matched(document: MadeUp, text: string): string[] {
  const quoted = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const own = index.test(textOf(document)) ? text : text.replace(index, '\n');
  let source = '';
  for (const piece of document.pieces)
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
    const meant = document.pieces.filter((piece) => typeof piece !== 'string');
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

const linkless = (fault: string) => !/old\.md/.test(fault);

function expectEverything(tree: MadeUpTree): void {
  const folder = plant(tree);
  const before = snapshot(folder);
  const plan = planOf(readTree(folder));
  expect(snapshot(folder), 'planning writes nothing').toEqual(before);

  apply(readTree(folder), plan);
  const after = snapshot(folder);
  expectInOrder(tree, folder, after);
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
    const dead = linkFaults(readTree(folder)).filter(linkless).length;
    expectEverything(tree);
    apply(readTree(folder), plan);
    expect(linkFaults(readTree(folder)).filter(linkless)).toHaveLength(dead);
  }, 120_000);

  it('of any kind is too', () => {
    const seeds = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(seeds, ({ seed, count }) => expectEverything(madeUpTree(seed, count))),
      { numRuns: 25, seed: 7 },
    );
  }, 120_000);
});
