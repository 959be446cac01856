/** Does what was planned. Nothing is ever overwritten but a document by its own new text. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import type { Plan } from './plan.ts';
import { git, type Tree } from './tree.ts';

/**
 * @throws {Error} where a name has been taken since the plan was made; what was done until then stands, and
 * every document is at its old or at its new path.
 */
export function apply(tree: Tree, plan: Plan): void {
  const at = (path: string) => join(tree.folder, path);
  for (const [path, to] of plan.moves) {
    const text = plan.texts.get(to);
    mkdirSync(dirname(at(to)), { recursive: true });
    writeFileSync(at(to), text ?? readFileSync(at(path)), { flag: 'wx', mode: lstatSync(at(path)).mode });
    unlinkSync(at(path));
    removeEmptyFolders(tree.folder, posix.dirname(path));
  }
  const moved = new Set(plan.moves.values());
  for (const [path, text] of plan.texts) {
    if (moved.has(path)) continue;
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text, tree.files.has(path) ? {} : { flag: 'wx' });
  }
  // In the index, so that git knows of the new paths when it is asked to undo them.
  if (tree.kept && plan.moves.size > 0) {
    const touched = [...plan.moves.keys(), ...plan.moves.values(), ...plan.texts.keys()];
    git(tree.folder, ['update-index', '--add', '--remove', '-z', '--stdin'], touched.join('\0'));
  }
}

/** git keeps no empty folders, so a folder whose last document went is gone. */
function removeEmptyFolders(root: string, folder: string): void {
  if (folder === '.' || readdirSync(join(root, folder)).length > 0) return;
  rmdirSync(join(root, folder));
  removeEmptyFolders(root, posix.dirname(folder));
}

/**
 * What git has to be told to undo a run, if all Markdown was committed before it: nothing but Markdown is
 * touched. A pattern that matches nothing is an error to git, so only those that do are named.
 */
export function undoing({ moves, texts }: Plan): string[] {
  const touched = [...moves.keys(), ...moves.values(), ...texts.keys()];
  const patterns = new Set(touched.map((path) => `*${extname(path)}`));
  return ['restore', '--source=HEAD', '--staged', '--worktree', '--', ...patterns];
}
