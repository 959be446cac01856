/** Which documents move where. */
import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Document } from './markdown.ts';
import { placeOf } from './shelves.ts';
import { foldersOf, ignoredOf, type Tree } from './tree.ts';

export type Left = { path: string; why: string };
export type Moves = {
  /** New paths by old ones, in an order in which each new path is free when its turn comes. */
  moves: Map<string, string>;
  /** Documents that should stand elsewhere and cannot go there. */
  conflicts: Left[];
  /** Strays of which nobody can say where they belong. */
  unsorted: Left[];
};

export function planMoves(tree: Tree): Moves {
  const unsorted: Left[] = [];
  const waiting = new Map<string, string>();
  const conflicts: Left[] = [];
  for (const document of tree.documents.values()) {
    const place = placeOf(document);
    if ('unsorted' in place) unsorted.push({ path: document.path, why: place.unsorted });
    else if (place.path !== document.path) {
      const why = tree.untouchable.get(document.path);
      if (why) conflicts.push({ path: document.path, why });
      else waiting.set(document.path, place.path);
    }
  }
  for (const [path, why] of tree.untouchable) {
    if (tree.documents.has(path)) continue;
    const place = placeOf({ path, front: undefined } satisfies Pick<Document, 'path' | 'front'>);
    if (!('path' in place && place.path === path)) conflicts.push({ path, why });
  }
  for (const to of ignoredOf(tree, [...waiting.values()])) {
    for (const [path, target] of waiting) {
      if (target !== to) continue;
      waiting.delete(path);
      conflicts.push({ path, why: `git ignores ${to}` });
    }
  }
  const names = createNames(tree);
  const moves = moveWhatCan(names, waiting);
  for (const [path, to] of waiting) conflicts.push({ path, why: whyNot(names, waiting, path, to) });
  return { moves, conflicts: conflicts.sort((a, b) => (a.path < b.path ? -1 : 1)), unsorted };
}

/** Takes from `waiting` what can move. A move may free the place of another, so it goes on until none does. */
function moveWhatCan(names: Names, waiting: Map<string, string>): Map<string, string> {
  const moves = new Map<string, string>();
  for (let progress = true; progress; ) {
    progress = false;
    for (const [path, to] of waiting) {
      if (rivalsOf(waiting, path, to).length > 0 || names.findPortHolder(to) !== undefined) continue;
      names.move(path, to);
      moves.set(path, to);
      waiting.delete(path);
      progress = true;
    }
  }
  return moves;
}

/** Some file systems tell names apart by neither case nor composition. */
const key = (path: string) => path.normalize('NFC').toLowerCase();

const rivalsOf = (waiting: Map<string, string>, path: string, to: string) =>
  [...waiting].filter(([other, target]) => other !== path && key(target) === key(to)).map(([other]) => other);

type Names = ReturnType<typeof createNames>;

/** The names that are taken, from move to move. */
function createNames(tree: Tree) {
  const files = new Map([...tree.files].map((file) => [key(file), file]));
  const folders = new Map([...foldersOf(tree.files)].map((folder) => [key(folder), folder]));
  const freed = new Set<string>();
  return {
    move(path: string, to: string): void {
      files.delete(key(path));
      freed.add(key(path));
      files.set(key(to), to);
    },
    /** What has the name already, or the name of a folder on the way to it. */
    findPortHolder(to: string): string | undefined {
      for (const taken of [to, ...foldersOf([to])]) {
        const holder = files.get(key(taken));
        if (holder !== undefined) return holder;
      }
      if (folders.has(key(to))) return folders.get(key(to));
      // Also what git does not list: an ignored file has its name all the same.
      const entry = lstatSync(join(tree.folder, to), { throwIfNoEntry: false });
      return entry && !freed.has(key(to)) ? to : undefined;
    },
  };
}

function whyNot(names: Names, waiting: Map<string, string>, path: string, to: string): string {
  const rivals = rivalsOf(waiting, path, to);
  if (rivals.length > 0) return `${rivals.join(', ')} would be ${to} too`;
  return `${names.findPortHolder(to)} has the name already`;
}

/**
 * Where a link's target is after the moves. A folder that is left empty is gone: what led to it leads to
 * the shelf that its documents went to, or to all shelves.
 */
export function relocation(tree: Tree, moves: Map<string, string>): (target: string) => string {
  const before = foldersOf(tree.files);
  const after = foldersOf([...tree.files].filter((file) => !moves.has(file)).concat([...moves.values()]));
  return (target) => {
    const moved = moves.get(target);
    if (moved !== undefined) return moved;
    if (!before.has(target) || after.has(target)) return target;
    const places = [...moves]
      .filter(([path]) => path.startsWith(`${target}/`))
      .map(([, to]) => posix.dirname(to));
    return new Set(places).size === 1 && places[0] ? places[0] : 'docs/README.md';
  };
}
