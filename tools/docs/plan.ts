/** Plans what puts a folder's documents in order, and does it. */
import * as fs from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { planGenerated } from './generated.ts';
import { rewriteLinks } from './links.ts';
import { type Document, readDocument } from './markdown.ts';
import { createRelocation, planMoves } from './moves.ts';
import { git, type Tree } from './tree.ts';

/**
 * `moves` has new paths by old ones, `rewrites` the number of changed links by old paths, `texts` each new or changed
 * document by its new path, `generated` the documents with outdated parts, `problems` a line for each that stays.
 */
export type Plan = {
  moves: Map<string, string>;
  rewrites: Map<string, number>;
  texts: Map<string, string>;
  generated: string[];
  problems: string[];
};

export function createPlan(tree: Tree): Plan {
  const { moves, problems } = planMoves(tree);
  const relocate = createRelocation(tree, moves);
  const rewrites = new Map<string, number>();
  const texts = new Map<string, string>();
  const documents = new Map<string, Document>();
  for (const [path, document] of tree.documents) {
    const to = moves.get(path) ?? path;
    const { text, count } = rewriteLinks(document, to, relocate);
    if (count > 0) rewrites.set(path, count);
    if (count > 0) texts.set(to, text);
    documents.set(to, readDocument(to, text));
  }
  const files = [...tree.files].map((file) => moves.get(file) ?? file);
  const generated = planGenerated(tree.folder, files, documents);
  for (const [path, text] of generated.texts) texts.set(path, text);
  problems.push(...generated.problems);
  return { moves, rewrites, texts, generated: [...generated.texts.keys()], problems };
}

/**
 * Overwrites no file, except documents by their own new text.
 * @throws {Error} if a name was taken since the plan was made. Every document is then at its old or its new path.
 */
export function applyPlan(tree: Tree, { moves, texts }: Plan): void {
  const at = (path: string) => join(tree.folder, path);
  for (const [path, to] of moves) {
    fs.mkdirSync(dirname(at(to)), { recursive: true });
    fs.copyFileSync(at(path), at(to), fs.constants.COPYFILE_EXCL);
    fs.unlinkSync(at(path));
    removeEmptyFolders(tree.folder, posix.dirname(path));
  }
  const moved = new Set(moves.values());
  for (const [path, text] of texts) {
    fs.mkdirSync(dirname(at(path)), { recursive: true });
    fs.writeFileSync(at(path), text, { flag: moved.has(path) || tree.files.has(path) ? 'w' : 'wx' });
  }
  // In the index, so that git can undo the new paths too.
  const touched = [...moves.keys(), ...moved, ...texts.keys()].join('\0');
  if (moves.size > 0) git(tree.folder, ['update-index', '--add', '--remove', '-z', '--stdin'], touched);
}

/** git keeps no empty folders. */
function removeEmptyFolders(root: string, folder: string): void {
  if (folder === '.' || fs.readdirSync(join(root, folder)).length > 0) return;
  fs.rmdirSync(join(root, folder));
  removeEmptyFolders(root, posix.dirname(folder));
}

/** The arguments with which git undoes a run. Only Markdown is affected; git rejects a pattern without a match. */
export function undoArguments({ moves, texts }: Plan): string[] {
  const touched = [...moves.keys(), ...moves.values(), ...texts.keys()];
  const patterns = new Set(touched.map((path) => `*${extname(path)}`));
  return ['restore', '--source=HEAD', '--staged', '--worktree', '--', ...patterns];
}
