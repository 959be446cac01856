/** Links that lead nowhere. What git does not have is not there: a clone would not have it either. */
import { decodePath, resolveDestination } from '../destination.ts';
import { readmeOf } from '../indexes.ts';
import type { Destination, Document } from '../markdown.ts';
import { foldersOf, type Tree } from '../tree.ts';

export function linkFaults(tree: Tree): string[] {
  const folders = foldersOf(tree.files);
  return [...tree.documents.values()].flatMap((document) =>
    document.destinations.flatMap((destination) => {
      const fault = faultOf(tree, folders, document, destination);
      return fault ? [`${document.path}:${destination.line}: ${destination.url} ${fault}`] : [];
    }),
  );
}

function faultOf(tree: Tree, folders: Set<string>, from: Document, { url }: Destination): string | undefined {
  if (url.startsWith('#')) return anchorFault(from, url);
  const resolved = resolveDestination(url, from.path);
  if (!resolved) return undefined;
  const { target, suffix } = resolved;
  if (target === '..' || target.startsWith('../')) return 'leads out of the folder';
  const isFolder = folders.has(target);
  if (!isFolder && !tree.files.has(target)) return 'leads to nothing';
  if (!isFolder && resolved.slash) return 'leads to a file as if it were a folder';
  const document = tree.documents.get(isFolder ? readmeOf(tree.documents, target || '.') : target);
  const anchor = suffix.replace(/^[^#]*/, '');
  return document && anchorFault(document, anchor);
}

/** A browser takes the empty anchor and `top` for the beginning. */
function anchorFault({ anchors }: Document, anchor: string): string | undefined {
  const id = decodePath(anchor.slice(1));
  return id === '' || id === 'top' || anchors.has(id) ? undefined : 'leads to a heading that is not there';
}
