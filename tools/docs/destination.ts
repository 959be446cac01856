/** Destinations of links as paths of files: taken apart, resolved, and written again. */
import { posix } from 'node:path';

/**
 * A destination that leads to a file of the tree. `target` is its path from the folder's root without a slash at
 * the end, '' for the root itself; it begins with `../` where the destination leads out of the folder.
 */
export type Resolved = { target: string; suffix: string; rooted: boolean; slash: boolean };

/** Undefined for what is no relative path: another site, an anchor of the same document. */
export function resolveDestination(url: string, from: string): Resolved | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) || url.startsWith('//')) return undefined;
  const [, path = '', suffix = ''] = /^([^?#]*)(.*)$/s.exec(url) ?? [];
  if (path === '' || path.includes('\\')) return undefined;
  const decoded = decodePath(path);
  const rooted = decoded.startsWith('/');
  const joined = rooted ? decoded.slice(1) : posix.join(posix.dirname(from), decoded);
  const normal = posix.normalize(joined === '' ? '.' : joined);
  const target = normal.replace(/\/+$/, '');
  return { target: target === '.' ? '' : target, suffix, rooted, slash: decoded.endsWith('/') };
}

export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A lone % stands for itself.
    return path;
  }
}

/**
 * The destination as it has to stand in `to`, when its document moved there from `from` and its target is now
 * at `target`. Undefined where it may stay as it is.
 */
export function movedDestination(
  { raw, url }: { raw: string; url: string },
  { from, to, relocate }: { from: string; to: string; relocate: (target: string) => string },
): string | undefined {
  const resolved = resolveDestination(url, from);
  if (!resolved) return undefined;
  const target = relocate(resolved.target);
  if (resolveDestination(url, to)?.target === target) return undefined;
  const path = resolved.rooted ? `/${target}` : relativePath(posix.dirname(to), target) || '.';
  const slash = resolved.slash && target === resolved.target ? '/' : '';
  return encodePath(path + slash) + rawSuffix(raw, resolved.suffix);
}

/** Both from the folder's root, which either may leave by `../`; of the working directory nothing comes in. */
function relativePath(folder: string, target: string): string {
  const from = folder.split('/').filter((segment) => segment !== '.');
  const to = target.split('/').filter((segment) => segment !== '');
  const shared = from.findIndex((segment, index) => segment !== to[index]);
  const common = shared === -1 ? from.length : shared;
  return [...from.slice(common).map(() => '..'), ...to.slice(common)].join('/');
}

/** The suffix as it stood in the source, or, where it stood there with escapes, one that needs none. */
function rawSuffix(raw: string, suffix: string): string {
  return raw.endsWith(suffix) ? suffix : encodeURI(suffix).replace(/[()'&]/g, percent);
}

/**
 * A path as it may stand in Markdown, with or without angle brackets, and in an HTML attribute, quoted or not.
 * Letters of other scripts stay readable.
 */
export function encodePath(path: string): string {
  return path.replace(/[^\p{L}\p{M}\p{N}._~/+@-]/gu, percent);
}

const percent = (character: string) =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
