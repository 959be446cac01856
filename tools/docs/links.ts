/** Resolves links, rewrites them after moves, and finds dead ones. */
import { posix } from 'node:path';
import querystring from 'node:querystring';
import remarkValidateLinks from 'remark-validate-links';
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
  // In place of decodeURIComponent, which throws for a single %.
  const decoded = path === '' ? `/${from}` : querystring.unescape(path);
  const isRooted = decoded.startsWith('/');
  const joined = isRooted ? decoded.slice(1) : posix.join(posix.dirname(from), decoded);
  const target = posix.normalize(joined).replace(/\/+$/, '');
  return { target: target === '.' ? '' : target, suffix, isRooted, hasSlash: decoded.endsWith('/') };
}

/** Safe in Markdown. Letters of all scripts stay readable. */
export const encodePath = (path: string) => path.replace(/[^\p{L}\p{M}\p{N}._~/+@-]/gu, percentEncode);
const percentEncode = (character: string) =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** Returns the text of a document that moves to `to`, with only destinations changed. */
export function rewriteLinks(document: Document, to: string, relocate: (target: string) => string): string {
  let rewritten = document.text;
  for (const { start, end, url } of document.destinations.toSorted((a, b) => b.start - a.start)) {
    const resolved = resolveUrl(url, document.path);
    if (!resolved) continue;
    const target = relocate(resolved.target);
    if (resolveUrl(url, to)?.target === target) continue;
    const moved = resolved.isRooted ? `/${target}` : posix.relative(posix.dirname(to), target) || '.';
    const slash = resolved.hasSlash && target === resolved.target ? '/' : '';
    // Keep the suffix as written, unless it is written with escapes.
    const { suffix } = resolved;
    const isPlain = document.text.slice(start, end).endsWith(suffix);
    const written = isPlain ? suffix : encodeURI(suffix).replace(/[()'&]/g, percentEncode);
    rewritten = rewritten.slice(0, start) + encodePath(moved + slash) + written + rewritten.slice(end);
  }
  return rewritten;
}

/** A file that git does not have counts as missing: a clone does not have it. remark-validate-links checks anchors. */
export async function linkFaults(tree: Tree): Promise<string[]> {
  const known = tree.files.union(foldersOf(tree.files));
  const faults: string[] = [];
  const files: VFile[] = [];
  let check: (set: unknown) => unknown = () => {};
  // All files, in place of unified-engine's set: anchors in other files are known only then.
  const set = { add() {}, use: (completer: typeof check) => (check = completer), valueOf: () => files };
  const urlConfig = { headingPrefix: '#', topAnchor: '#top', lines: true };
  const collect = remarkValidateLinks({ repository: false, urlConfig }, set as never);
  for (const { path, root, destinations } of tree.documents.values()) {
    for (const { url, line } of destinations) {
      const { target = '', hasSlash = false } = resolveUrl(url, path) ?? {};
      const isDead = !known.has(target) || (hasSlash && tree.files.has(target));
      if (isDead) faults.push(`${path}:${line}: ${url} leads to nothing in the folder`);
    }
    const file = new VFile({ cwd: tree.folder, path });
    files.push(file);
    await collect(root, file).catch((error) => faults.push(`${path}: ${error.message}: encode % as %25`));
  }
  await check(set);
  for (const { path, messages } of files)
    for (const { line, reason, ruleId } of messages)
      if (ruleId !== 'missing-file') faults.push(`${path}:${line}: ${reason}`);
  return faults;
}
