/** Resolves links, rewrites them after moves, and finds dead ones. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import remarkValidateLinks from 'remark-validate-links';
import { visit } from 'unist-util-visit';
import { VFile } from 'vfile';
import type { Document } from './markdown.ts';
import { foldersOf, type Tree } from './tree.ts';

/**
 * The file or folder that a URL leads to. `target` is its path from the root of the tree, without a slash at the
 * end; '' is the root itself, and `../` at the beginning leaves the tree. `suffix` is the query and the anchor.
 */
type Resolved = { target: string; suffix: string; isRooted: boolean; hasSlash: boolean };

/** Returns undefined for another site. An anchor alone leads to the document itself. */
export function resolveUrl(url: string, from: string): Resolved | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) || url.startsWith('//') || url.includes('\\')) return undefined;
  const [, path = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(url) ?? [];
  const decoded = path === '' ? `/${from}` : decode(path);
  const isRooted = decoded.startsWith('/');
  const joined = isRooted ? decoded.slice(1) : posix.join(posix.dirname(from), decoded);
  const target = posix.normalize(joined).replace(/\/+$/, '');
  return { target: target === '.' ? '' : target, suffix, isRooted, hasSlash: decoded.endsWith('/') };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A single % stands for itself.
    return path;
  }
}

/** Safe in Markdown and in HTML attributes. Letters of all scripts stay readable. */
export const encodePath = (path: string) => path.replace(/[^\p{L}\p{M}\p{N}._~/+@-]/gu, percentEncode);
const percentEncode = (character: string) =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** The text of a document that moves to `to`, with only destinations changed, and how many of them changed. */
export function rewriteLinks(
  { path, text, destinations }: Document,
  to: string,
  relocate: (target: string) => string,
): { text: string; count: number } {
  let [rewritten, count] = [text, 0];
  for (const { start, end, url } of destinations.toSorted((a, b) => b.start - a.start)) {
    const resolved = resolveUrl(url, path);
    if (!resolved) continue;
    const target = relocate(resolved.target);
    if (resolveUrl(url, to)?.target === target) continue;
    const moved = resolved.isRooted ? `/${target}` : posix.relative(posix.dirname(to), target) || '.';
    const slash = resolved.hasSlash && target === resolved.target ? '/' : '';
    // Keep the suffix as written, unless it is written with escapes.
    const { suffix } = resolved;
    const isPlain = text.slice(start, end).endsWith(suffix);
    const written = isPlain ? suffix : encodeURI(suffix).replace(/[()'&]/g, percentEncode);
    rewritten = rewritten.slice(0, start) + encodePath(moved + slash) + written + rewritten.slice(end);
    count += 1;
  }
  return { text: rewritten, count };
}

/** A file that git does not have counts as missing, because a clone does not have it. */
export async function linkFaults(tree: Tree): Promise<string[]> {
  const folders = foldersOf(tree.files);
  const faults: string[] = [];
  const files: VFile[] = [];
  let check: (set: unknown) => unknown = () => {};
  // What the plugin needs of unified-engine: all files, so that it knows their anchors.
  const fileSet = { add() {}, use: (completer: typeof check) => (check = completer), valueOf: () => files };
  const options = { repository: false as const, urlConfig: { headingPrefix: '#', topAnchor: '#top' } };
  const collect = remarkValidateLinks(
    options,
    fileSet as unknown as Parameters<typeof remarkValidateLinks>[1],
  );
  for (const { path, root, destinations, ids } of tree.documents.values()) {
    const checkable = structuredClone(root);
    visit(checkable, (node) => {
      if ('url' in node) node.url = '';
    });
    for (const { url, line } of destinations) {
      const resolved = resolveUrl(url, path);
      const why = resolved && whyDead(tree, folders, resolved);
      if (why) faults.push(`${path}:${line}: ${url} ${why}`);
      if (!resolved || why) continue;
      const hasAnchors = tree.documents.has(resolved.target) || folders.has(resolved.target);
      const anchor = hasAnchors ? decode(resolved.suffix.replace(/^[^#]*/, '')) : '';
      const plain = encodePath(posix.relative(posix.dirname(path), resolved.target) || '.') + anchor;
      const point = { line, column: 1 };
      checkable.children.push({
        type: 'link',
        url: plain,
        children: [],
        position: { start: point, end: point },
      });
    }
    // The plugin looks for anchors in lower case.
    for (const id of ids)
      checkable.children.push({
        type: 'html',
        value: '',
        data: Object.assign({}, { hProperties: { id: id.toLowerCase() } }),
      });
    const file = new VFile({ cwd: tree.folder, path });
    files.push(file);
    await collect(checkable, file);
  }
  await check(fileSet);
  const toFaults = ({ path, messages }: VFile) =>
    messages.map(({ line, reason }) => `${path}:${line}: ${reason}`);
  return [...faults, ...files.flatMap(toFaults)];
}

/** Finds what remark-validate-links cannot know. */
function whyDead({ folder, files }: Tree, folders: Set<string>, { target, hasSlash }: Resolved) {
  if (target === '..' || target.startsWith('../')) return 'leads out of the folder';
  if (files.has(target)) return hasSlash ? 'leads to a file as if it were a folder' : undefined;
  const isUntracked = !folders.has(target) && existsSync(join(folder, target));
  return isUntracked ? 'leads to a file that git does not have' : undefined;
}
