/** Code named by its path, in code spans: `shared/generation/hold.ts`, `docs/{api,setup}/`, `test/bench/*.ts`. */
import { matchesGlob } from 'node:path';
import { shelfOfPath } from '../shelves.ts';
import { foldersOf, type Tree } from '../tree.ts';

export function mentionFaults(tree: Tree): string[] {
  const folders = foldersOf(tree.files);
  const there = [...tree.files, ...folders].filter((path) => path !== '');
  const tops = new Set([...folders].filter((folder) => folder !== '' && !folder.includes('/')));
  const documents = [...tree.documents.values()];
  return (
    documents
      // A plan may speak of what is not there yet.
      .filter(({ path }) => shelfOfPath(path) !== 'newfeature')
      .flatMap(({ path, codeSpans }) =>
        codeSpans.flatMap(({ text, line }) =>
          pathsIn(text, tops)
            .filter((mentioned) => !there.some((existing) => isNamed(existing, mentioned)))
            .map((mentioned) => `${path}:${line}: \`${mentioned}\` is not there`),
        ),
      )
  );
}

/** The paths that a code span stands for: none, unless it begins with a folder of the root. */
export function pathsIn(code: string, tops: Set<string>): string[] {
  const path = /^(?:\.\/)?([\w.@{},*/[\]-]+?)(?::\d+(?::\d+)?)?$/.exec(code)?.[1];
  if (!path?.includes('/')) return [];
  return expandBraces(path).filter(
    (expanded) => tops.has(expanded.split('/')[0] ?? '') && !/[{}]/.test(expanded),
  );
}

/** `{a,b}/c` is `a/c` and `b/c`; braces without a comma are a placeholder, and stay. */
export function expandBraces(path: string): string[] {
  const match = /\{([^{}]*,[^{}]*)\}/.exec(path);
  if (!match) return [path];
  const [before, after] = [path.slice(0, match.index), path.slice(match.index + match[0].length)];
  return (match[1] ?? '').split(',').flatMap((choice) => expandBraces(before + choice + after));
}

function isNamed(existing: string, mentioned: string): boolean {
  const path = mentioned.replace(/\/+$/, '');
  return existing === path || (path.includes('*') && matchesGlob(existing, path));
}
