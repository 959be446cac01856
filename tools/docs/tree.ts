/** Reads a folder as git sees it: its files, except those that git ignores, and the documents among them. */
import { isUtf8 } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Document, readDocument } from './markdown.ts';
import { isLeftAlone, isMarkdown } from './shelves.ts';

/**
 * `folder` is absolute; all other paths are relative to it, with `/`. `documents` has all readable Markdown, sorted;
 * `untouchable` has Markdown that must not move, and why.
 */
export type Tree = {
  folder: string;
  files: Set<string>;
  documents: Map<string, Document>;
  untouchable: Map<string, string>;
};

/** @throws {Error} if git does not keep the folder: nothing could be undone. */
export function readTree(folder: string): Tree {
  if (runGit(folder, ['check-ignore', '--quiet', '.']).status !== 1)
    throw new Error(`git does not keep ${folder}, so it could not undo anything there`);
  const paths = splitPaths(git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']));
  const tree: Tree = { folder, files: new Set(), documents: new Map(), untouchable: new Map() };
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
  const options = { env, encoding: 'utf8', input, maxBuffer: 2 ** 28 } as const;
  const result = spawnSync('git', ['-C', folder, ...args], options);
  if (result.error) throw new Error(`git is needed and does not start: ${result.error.message}`);
  return result;
}

/** @throws {Error} with the output of git if it fails. */
export function git(folder: string, args: string[], input = ''): string {
  const { status, stdout, stderr } = runGit(folder, args, input);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const splitPaths = (output: string) => [...new Set(output.split('\0'))].filter((path) => path !== '');

/** Returns those of the paths that git would ignore if they existed. */
export const findIgnored = ({ folder }: Tree, paths: string[]) =>
  splitPaths(runGit(folder, ['check-ignore', '--no-index', '-z', '--stdin'], paths.join('\0')).stdout);

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
