/** What it takes to put a folder's documents in order. */
import { planEnvironment } from './environmentTable.ts';
import { planIndexes } from './indexes.ts';
import { readDocument } from './markdown.ts';
import { type Left, planMoves, relocation } from './moves.ts';
import { rewriteLinks } from './rewrite.ts';
import type { Tree } from './tree.ts';

export type Plan = {
  moves: Map<string, string>;
  conflicts: Left[];
  unsorted: Left[];
  /** How many links change in each document, by its present path. */
  rewrites: Map<string, number>;
  /** The whole text of each document that changes or is new, by its new path. */
  texts: Map<string, string>;
  /** Parts made by this command that are missing or out of date. */
  made: string[];
  /** Documents in which only one of the two comments around such a part stands. */
  damaged: string[];
};

export function planOf(tree: Tree): Plan {
  const { moves, conflicts, unsorted } = planMoves(tree);
  const relocate = relocation(tree, moves);
  const texts = new Map<string, string>();
  const rewrites = new Map<string, number>();
  const documents = new Map(tree.documents);
  for (const document of tree.documents.values()) {
    const to = moves.get(document.path) ?? document.path;
    const { text, count } = rewriteLinks(document, to, relocate);
    if (count > 0) rewrites.set(document.path, count);
    if (count > 0) texts.set(to, text);
    if (to === document.path && count === 0) continue;
    if (to !== document.path) documents.delete(document.path);
    documents.set(to, readDocument(to, text));
  }
  const environment = planEnvironment(tree.folder, documents);
  for (const [path, text] of environment.texts) documents.set(path, readDocument(path, text));
  const files = [...tree.files].filter((path) => !moves.has(path)).concat([...moves.values()]);
  const indexes = planIndexes(files, documents);
  const made = new Map([...environment.texts, ...indexes.texts]);
  for (const [path, text] of made) texts.set(path, text);
  const taken = indexes.taken.map((path) => ({ path, why: 'an index stands here, but this is no document' }));
  return {
    moves,
    conflicts: [...conflicts, ...taken],
    unsorted,
    rewrites,
    texts,
    made: [...made.keys()],
    damaged: [...environment.damaged, ...indexes.damaged],
  };
}
