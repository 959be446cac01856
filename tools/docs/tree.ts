/** Reads a folder as git sees it: its files, except those that git ignores, and the documents among them. */
import { isUtf8 } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { type Document, readDocument } from './markdown.ts';
import { isLeftAlone, isMarkdown } from './shelves.ts';

export type Tree = {
  /** An absolute path. */
  folder: string;
  /** True if the folder is in a git repository that does not ignore it. */
  isKept: boolean;
  /** Every file, as a path relative to the folder, with `/`. */
  files: Set<string>;
  /** Every readable Markdown document by its path, sorted. */
  documents: Map<string, Document>;
  /** Markdown that must not move, and why. */
  untouchable: Map<string, string>;
};

/** @throws {Error} if git is not installed. */
export function readTree(folder: string): Tree {
  const isKept = runGit(folder, ['check-ignore', '--quiet', '.']).status === 1;
  const paths = isKept ? splitPaths(git(folder, [...listing, '--cached'])) : listWithoutRepository(folder);
  const tree: Tree = { folder, isKept, files: new Set(), documents: new Map(), untouchable: new Map() };
  const linkTargets: string[] = [];
  for (const path of paths.sort()) {
    const entry = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (!entry?.isFile() && !entry?.isSymbolicLink()) continue;
    tree.files.add(path);
    if (entry.isSymbolicLink())
      linkTargets.push(posix.join(posix.dirname(path), readlinkSync(join(folder, path))));
    else if (isMarkdown(path) && !isLeftAlone(path)) {
      const bytes = readFileSync(join(folder, path));
      if (isUtf8(bytes)) tree.documents.set(path, readDocument(path, bytes.toString('utf8')));
      else tree.untouchable.set(path, 'it is not UTF-8');
    }
  }
  for (const target of linkTargets)
    if (tree.documents.has(target)) tree.untouchable.set(target, 'a symbolic link leads to it');
  return tree;
}

function runGit(folder: string, args: string[], input = '') {
  // A git hook sets these for its own repository.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, ...env } = process.env;
  const result = spawnSync('git', ['-C', folder, ...args], {
    env,
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 28,
  });
  if (result.error) throw new Error(`git is needed and does not start: ${result.error.message}`);
  return result;
}

/** @throws {Error} with the output of git if it fails. */
export function git(folder: string, args: string[], input = ''): string {
  const { status, stdout, stderr } = runGit(folder, args, input);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const listing = ['ls-files', '-z', '--others', '--exclude-standard'];
const splitPaths = (output: string) => [...new Set(output.split('\0'))].filter((path) => path !== '');

/** Lists what git would list if the folder were a repository. */
function listWithoutRepository(folder: string): string[] {
  const repository = mkdtempSync(join(tmpdir(), 'nano-banana-docs-'));
  try {
    git(repository, ['init', '--quiet', '--bare']);
    return splitPaths(git(folder, [`--git-dir=${repository}`, '--work-tree=.', ...listing]));
  } finally {
    rmSync(repository, { recursive: true });
  }
}

/** Returns those of the paths that git would ignore if they existed. */
export function findIgnored({ folder, isKept }: Tree, paths: string[]): string[] {
  if (!isKept) return [];
  return splitPaths(runGit(folder, ['check-ignore', '--no-index', '-z', '--stdin'], paths.join('\0')).stdout);
}

/** Returns the Markdown files that differ from the last commit. */
export function findUncommitted(folder: string): string[] {
  const options = ['--porcelain', '--no-renames', '-uall', '-z'];
  const output = git(folder, ['status', ...options, '--', ':(icase)*.md', ':(icase)*.markdown']);
  return splitPaths(output).map((line) => line.slice(3));
}

/** Returns every folder that contains one of the files; '' is the root. */
export function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set(['']);
  for (const file of files)
    for (let end = file.indexOf('/'); end !== -1; end = file.indexOf('/', end + 1))
      folders.add(file.slice(0, end));
  return folders;
}
