/** A folder as git sees it, or would see it: its files but those it ignores, and the documents among them. */
import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { type Document, readDocument } from './markdown.ts';
import { isLeftAlone, isMarkdown } from './shelves.ts';

export type Tree = {
  /** Absolute. */
  folder: string;
  /** Whether git keeps it, so that what is done to it can be undone. */
  kept: boolean;
  /** Every file, by its path from the folder with `/`. */
  files: Set<string>;
  /** Every Markdown document that can be read; by path, in order. */
  documents: Map<string, Document>;
  /** Markdown that must stay as it is, and why. */
  untouchable: Map<string, string>;
};

/** @throws {Error} where the folder is none, or git is missing. */
export function readTree(folder: string): Tree {
  const kept = isKept(folder);
  const paths = kept ? list(folder) : listWithoutGit(folder);
  const tree: Tree = { folder, kept, files: new Set(), documents: new Map(), untouchable: new Map() };
  const linkTargets = new Set<string>();
  for (const path of paths.sort()) {
    const entry = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) {
      tree.files.add(path);
      linkTargets.add(posix.join(posix.dirname(path), readlinkSync(join(folder, path))));
    }
    if (!entry?.isFile()) continue;
    tree.files.add(path);
    if (!isMarkdown(path) || isLeftAlone(path)) continue;
    const bytes = readFileSync(join(folder, path));
    if (isUtf8(bytes)) tree.documents.set(path, readDocument(path, bytes.toString('utf8')));
    else tree.untouchable.set(path, 'it is not UTF-8');
  }
  for (const target of linkTargets)
    if (tree.documents.has(target)) tree.untouchable.set(target, 'a symbolic link leads to it');
  return tree;
}

export function git(folder: string, args: string[], input = ''): string {
  // A hook of git's tells its children of its own repository.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, ...env } = process.env;
  return execFileSync('git', ['-C', folder, ...args], {
    env,
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
}

function isKept(folder: string): boolean {
  try {
    if (git(folder, ['rev-parse', '--is-inside-work-tree']).trim() !== 'true') return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('git is needed, and not installed');
    return false;
  }
  // A folder that the repository around it ignores is not kept by it.
  return !isIgnored(folder);
}

function isIgnored(folder: string): boolean {
  try {
    git(folder, ['check-ignore', '--quiet', '.']);
    return true;
  } catch {
    return false;
  }
}

/** Which of the paths git would ignore if they existed. */
export function ignoredOf({ folder, kept }: Tree, paths: string[]): Set<string> {
  if (!kept || paths.length === 0) return new Set();
  try {
    const output = git(folder, ['check-ignore', '--no-index', '-z', '--stdin'], paths.join('\0'));
    return new Set(pathsIn(output));
  } catch {
    // Its way to say: none of them.
    return new Set();
  }
}

const listing = ['ls-files', '-z', '--others', '--exclude-standard'];
const list = (folder: string) => pathsIn(git(folder, [...listing, '--cached']));
const pathsIn = (output: string) => [...new Set(output.split('\0'))].filter((path) => path !== '');

/** What git would list, if the folder were a repository of its own. */
function listWithoutGit(folder: string): string[] {
  const repository = mkdtempSync(join(tmpdir(), 'nano-banana-docs-'));
  try {
    git(repository, ['init', '--quiet', '--bare']);
    return pathsIn(git(folder, [`--git-dir=${repository}`, '--work-tree=.', ...listing]));
  } finally {
    rmSync(repository, { recursive: true });
  }
}

/** Markdown whose present state git does not have. */
export function uncommitted(folder: string): string[] {
  const output = git(folder, [
    'status',
    '--porcelain',
    '--no-renames',
    '-uall',
    '-z',
    '--',
    ...markdownSpecs,
  ]);
  return output
    .split('\0')
    .filter(Boolean)
    .map((line) => line.slice(3));
}

/** All Markdown in the folder, as git is asked for it. */
export const markdownSpecs = [':(icase)*.md', ':(icase)*.markdown'];

/** Every folder that holds one of the files, '' for the root. */
export function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set(['']);
  for (const file of files) {
    const segments = file.split('/');
    for (let depth = 1; depth < segments.length; depth += 1) folders.add(segments.slice(0, depth).join('/'));
  }
  return folders;
}
