/** Moves documents to their shelves, and rewrites the links in them and to them. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { rewriteLinks } from './links.ts';
import { findPlace, isMarkdown } from './shelves.ts';
import { foldersOf, git, type Tree } from './tree.ts';

/** Some file systems distinguish names neither by case nor by Unicode composition. */
const toKey = (path: string) => path.normalize('NFC').toLowerCase();

/**
 * `moves` has new paths by old ones, in an order in which each new path is free when its turn comes. `problems`
 * has a line for each document that should move and cannot.
 */
export function planMoves(tree: Tree): { moves: Map<string, string>; problems: string[] } {
  const problems: string[] = [];
  const waiting = new Map<string, string>();
  for (const path of [...tree.documents.keys(), ...tree.unreadable]) {
    const place = findPlace(path, tree.documents.get(path)?.front);
    if ('unsorted' in place) problems.push(`${path}: ${place.unsorted}`);
    else if (place.path !== path) waiting.set(path, place.path);
  }
  const files = new Map([...tree.files].map((file) => [toKey(file), file]));
  const folders = new Set([...foldersOf(tree.files)].map(toKey));
  const whyNot = (path: string, to: string): string | undefined => {
    if (tree.unreadable.has(path)) return 'it is not UTF-8';
    if (tree.linkTargets.has(path)) return 'a symbolic link leads to it';
    const rivals = [...waiting].filter(([other, target]) => other !== path && toKey(target) === toKey(to));
    if (rivals.length > 0) return `${rivals.map(([other]) => other).join(', ')} would be ${to} too`;
    // A file can also have the name of one of the folders on the way.
    const holder = [to, ...foldersOf([to])].map((name) => files.get(toKey(name))).find((name) => name);
    return holder || folders.has(toKey(to)) ? `${holder ?? to} has the name already` : undefined;
  };
  const moves = new Map<string, string>();
  // A move may free the name that another one needs, so repeat until nothing moves.
  for (let moved = -1; moved !== moves.size; ) {
    moved = moves.size;
    for (const [path, to] of waiting) {
      if (whyNot(path, to)) continue;
      files.delete(toKey(path));
      files.set(toKey(to), to);
      waiting.delete(path);
      moves.set(path, to);
    }
  }
  for (const [path, to] of waiting) problems.push(`${path}: cannot move: ${whyNot(path, to)}`);
  return { moves, problems };
}

/**
 * Moves the documents with `git mv`, which git can undo as long as no Markdown has other changes.
 * @throws {Error} if a document is not committed; then nothing is written.
 */
export function moveDocuments({ folder, files, documents }: Tree, moves: Map<string, string>): void {
  if (moves.size === 0) return;
  const status = git(folder, 'status', '--porcelain', '--no-renames', '-uall', '-z', '--', '.').split('\0');
  const uncommitted = status.map((line) => line.slice(3)).filter(isMarkdown);
  if (uncommitted.length > 0)
    throw new Error(`Nothing was written. Commit these documents first:\n  ${uncommitted.join('\n  ')}`);
  for (const [path, to] of moves) {
    fs.mkdirSync(dirname(join(folder, to)), { recursive: true });
    git(folder, 'mv', '--', path, to);
  }
  const vanished = foldersOf(files).difference(foldersOf([...files].map((file) => moves.get(file) ?? file)));
  for (const path of [...vanished].toSorted().reverse())
    if (fs.readdirSync(join(folder, path)).length === 0) fs.rmdirSync(join(folder, path));
  // Links to a folder that vanished lead to the index of all shelves.
  const relocate = (target: string) =>
    moves.get(target) ?? (vanished.has(target) ? 'docs/README.md' : target);
  for (const document of documents.values()) {
    const to = moves.get(document.path) ?? document.path;
    const text = rewriteLinks(document, to, relocate);
    if (text !== document.text) fs.writeFileSync(join(folder, to), text);
  }
}
