/** Watches the sources for `npm run dev`, which restarts the functions after each change. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The folders from which the functions' process loads code. */
const sourceFolders = ['functions', 'shared', 'web', 'local', 'tools'];
const isSource = (name: string) => /\.(tsx?|html|css|json|svg)$/.test(name);

/**
 * How often the files are compared, milliseconds. This costs 1 % of a processor. Events of the file system would miss
 * files that an editor replaces, new folders, and changes from outside of a container.
 */
const everyMs = 250;

/**
 * Calls `onChange` after each change of the sources, with the path of one changed file. Changes that follow one another
 * count as one: editors write a file in several steps, and a checkout writes many files.
 * @returns a function that stops watching.
 */
export function watchSources(root: string, onChange: (file: string) => void): () => void {
  let before = takeSnapshot(root);
  let changed: string | undefined;
  const timer = setInterval(() => {
    const now = takeSnapshot(root);
    const difference = findDifference(before, now);
    before = now;
    if (difference === undefined && changed !== undefined) onChange(changed);
    changed = difference;
  }, everyMs);
  return () => clearInterval(timer);
}

/** Each source file, with what changes when it is written or replaced. */
function takeSnapshot(root: string): Map<string, string> {
  const snapshot = new Map<string, string>();
  const add = (folder: string) => {
    for (const entry of readdirOr(join(root, folder))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) add(path);
      else if (isSource(entry.name)) {
        const stats = statSync(join(root, path), { throwIfNoEntry: false });
        if (stats) snapshot.set(path, `${stats.ino} ${stats.size} ${stats.mtimeMs}`);
      }
    }
  };
  for (const folder of sourceFolders) add(folder);
  return snapshot;
}

function readdirOr(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // A checkout has just removed it.
  }
}

function findDifference(before: Map<string, string>, now: Map<string, string>): string | undefined {
  for (const [path, state] of now) if (before.get(path) !== state) return path;
  for (const path of before.keys()) if (!now.has(path)) return path;
  return undefined;
}
