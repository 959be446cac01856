/** Decides which documents move where. */
import { findPlace } from './shelves.ts';
import { findIgnored, foldersOf, type Tree } from './tree.ts';

/**
 * `moves` has new paths by old ones, in an order in which each new path is free when its turn comes. `problems`
 * has a line for each document that should move and cannot.
 */
export function planMoves(tree: Tree): { moves: Map<string, string>; problems: string[] } {
  const problems: string[] = [];
  const waiting = new Map<string, string>();
  for (const path of new Set([...tree.documents.keys(), ...tree.untouchable.keys()])) {
    const place = findPlace(path, tree.documents.get(path)?.front);
    if ('unsorted' in place) problems.push(`${path}: ${place.unsorted}`);
    else if (place.path !== path) waiting.set(path, place.path);
  }
  const ignored = findIgnored(tree, [...waiting.values()]);
  for (const [path, to] of waiting) {
    const why = tree.untouchable.get(path) ?? (ignored.includes(to) ? `git ignores ${to}` : undefined);
    if (why && waiting.delete(path)) problems.push(`${path}: cannot move: ${why}`);
  }
  return { moves: moveWhatCan(tree, waiting, problems), problems };
}

/** Some file systems distinguish names neither by case nor by Unicode composition. */
const toKey = (path: string) => path.normalize('NFC').toLowerCase();

function moveWhatCan(tree: Tree, waiting: Map<string, string>, problems: string[]): Map<string, string> {
  const files = new Map([...tree.files].map((file) => [toKey(file), file]));
  const folders = new Set([...foldersOf(tree.files)].map(toKey));
  const whyNot = (path: string, to: string): string | undefined => {
    const rivals = [...waiting].filter(([other, target]) => other !== path && toKey(target) === toKey(to));
    if (rivals.length > 0) return `${rivals.map(([other]) => other).join(', ')} would be ${to} too`;
    // A file can also have the name of one of the folders on the way.
    const holder = [to, ...foldersOf([to])].map((name) => files.get(toKey(name))).find((name) => name);
    return holder || folders.has(toKey(to)) ? `${holder ?? to} has the name already` : undefined;
  };
  const moves = new Map<string, string>();
  // A move may free the name that another one needs, so repeat until nothing moves.
  for (let moved = -1; moved !== moves.size; ) {
    moved = moves.size;
    for (const [path, to] of waiting) {
      if (whyNot(path, to)) continue;
      files.delete(toKey(path));
      files.set(toKey(to), to);
      waiting.delete(path);
      moves.set(path, to);
    }
  }
  for (const [path, to] of waiting) problems.push(`${path}: cannot move: ${whyNot(path, to)}`);
  return moves;
}

/** Where a link's target is after the moves. Links to a folder that became empty lead to the index of all shelves. */
export function createRelocation(tree: Tree, moves: Map<string, string>): (target: string) => string {
  const after = foldersOf([...tree.files].map((file) => moves.get(file) ?? file));
  const vanished = foldersOf(tree.files).difference(after);
  return (target) => moves.get(target) ?? (vanished.has(target) ? 'docs/README.md' : target);
}
