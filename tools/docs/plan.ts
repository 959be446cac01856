/** Plans what puts a folder's documents in order, and does it. */
import {
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { planGenerated } from './generated.ts';
import { rewriteLinks } from './links.ts';
import { readDocument } from './markdown.ts';
import { createRelocation, planMoves } from './moves.ts';
import { git, type Tree } from './tree.ts';

export type Plan = {
  /** New paths by old ones. */
  moves: Map<string, string>;
  /** How many links change in each document, by its old path. */
  rewrites: Map<string, number>;
  /** The whole text of each document that is new or changes, by its new path. */
  texts: Map<string, string>;
  /** Documents whose generated part is missing or outdated. */
  generated: string[];
  /** A line for each document that cannot be put in order. */
  problems: string[];
};

export function createPlan(tree: Tree): Plan {
  const { moves, problems } = planMoves(tree);
  const relocate = createRelocation(tree, moves);
  const plan: Plan = { moves, rewrites: new Map(), texts: new Map(), generated: [], problems };
  const documents = new Map(
    [...tree.documents].map(([path, document]) => {
      const to = moves.get(path) ?? path;
      const { text, count } = rewriteLinks(document, to, relocate);
      if (count > 0) {
        plan.rewrites.set(path, count);
        plan.texts.set(to, text);
      }
      return [to, readDocument(to, text)];
    }),
  );
  const files = [...tree.files].map((file) => moves.get(file) ?? file);
  const generated = planGenerated(tree.folder, files, documents);
  for (const [path, text] of generated.texts) plan.texts.set(path, text);
  plan.generated.push(...generated.texts.keys());
  problems.push(...generated.problems);
  return plan;
}

/**
 * Overwrites no file, except documents by their own new text.
 * @throws {Error} if a name was taken since the plan was made. Every document is then at its old or its new path.
 */
export function applyPlan(tree: Tree, { moves, texts }: Plan): void {
  const at = (path: string) => join(tree.folder, path);
  for (const [path, to] of moves) {
    mkdirSync(dirname(at(to)), { recursive: true });
    copyFileSync(at(path), at(to), constants.COPYFILE_EXCL);
    unlinkSync(at(path));
    removeEmptyFolders(tree.folder, posix.dirname(path));
  }
  const moved = new Set(moves.values());
  for (const [path, text] of texts) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text, { flag: moved.has(path) || tree.files.has(path) ? 'w' : 'wx' });
  }
  // In the index, so that git can undo the new paths too.
  const touched = [...moves.keys(), ...moved, ...texts.keys()].join('\0');
  if (tree.isKept && moves.size > 0)
    git(tree.folder, ['update-index', '--add', '--remove', '-z', '--stdin'], touched);
}

/** git keeps no empty folders. */
function removeEmptyFolders(root: string, folder: string): void {
  if (folder === '.' || readdirSync(join(root, folder)).length > 0) return;
  rmdirSync(join(root, folder));
  removeEmptyFolders(root, posix.dirname(folder));
}

/** The arguments with which git undoes a run. Only Markdown is affected; git rejects a pattern without a match. */
export function undoArguments({ moves, texts }: Plan): string[] {
  const touched = [...moves.keys(), ...moves.values(), ...texts.keys()];
  const patterns = new Set(touched.map((path) => `*${extname(path)}`));
  return ['restore', '--source=HEAD', '--staged', '--worktree', '--', ...patterns];
}
