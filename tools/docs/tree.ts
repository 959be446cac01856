/** Reads a folder as git sees it: its files, except those that git ignores, and the documents among them. */
import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Document, readDocument } from './markdown.ts';
import { isLeftAlone, isMarkdown } from './shelves.ts';

/**
 * `folder` is absolute; all other paths are relative to it, with `/`. `documents` has all UTF-8 Markdown, sorted;
 * `unreadable` has other Markdown, and `linkTargets` the targets of symbolic links.
 */
export type Tree = {
  folder: string;
  files: Set<string>;
  documents: Map<string, Document>;
  unreadable: Set<string>;
  linkTargets: Set<string>;
};

/** @throws {Error} if the folder is not in a git repository: nothing could be undone. */
export function readTree(folder: string): Tree {
  const paths = git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0');
  const [files, unreadable, linkTargets] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const documents = new Map<string, Document>();
  for (const path of paths.sort()) {
    const entry = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (!entry?.isFile() && !entry?.isSymbolicLink()) continue;
    files.add(path);
    if (entry.isSymbolicLink())
      linkTargets.add(posix.join(posix.dirname(path), readlinkSync(join(folder, path))));
    else if (isMarkdown(path) && !isLeftAlone(path)) {
      const bytes = readFileSync(join(folder, path));
      if (isUtf8(bytes)) documents.set(path, readDocument(path, bytes.toString('utf8')));
      else unreadable.add(path);
    }
  }
  return { folder, files, documents, unreadable, linkTargets };
}

/** @throws {Error} with the output of git if it fails. */
export function git(folder: string, ...args: string[]): string {
  // A git hook sets these for its own repository.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, ...env } = process.env;
  const options = { env, encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 28 } as const;
  return execFileSync('git', ['--literal-pathspecs', '-C', folder, ...args], options);
}

/** Returns every folder that contains one of the files; '' is the root. */
export function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set(['']);
  for (const file of files)
    for (let end = file.indexOf('/'); end !== -1; end = file.indexOf('/', end + 1))
      folders.add(file.slice(0, end));
  return folders;
}
