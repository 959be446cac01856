/** Everything that must hold of a folder's documents. */
import { ownFolder } from '../environmentTable.ts';
import type { Plan } from '../plan.ts';
import type { Tree } from '../tree.ts';
import { commandFaults } from './commands.ts';
import { environmentFaults } from './environment.ts';
import { figureFaults } from './figures.ts';
import { linkFaults } from './links.ts';
import { mentionFaults } from './mentions.ts';

/** One line each: `path:line: what is wrong`. */
export function faultsOf(tree: Tree, plan: Plan): string[] {
  const own = tree.folder === ownFolder;
  return [
    ...[...plan.moves].map(([path, to]) => `${path}: belongs at ${to} (npm run docs moves it)`),
    ...plan.conflicts.map(({ path, why }) => `${path}: cannot move: ${why}`),
    ...plan.unsorted.map(({ path, why }) => `${path}: stands where no document should, and ${why}`),
    ...plan.damaged.map((path) => `${path}: has only one of the comments around a part that is made`),
    ...plan.made.map((path) => `${path}: is not as npm run docs makes it`),
    ...linkFaults(tree),
    ...mentionFaults(tree),
    ...figureFaults(tree),
    ...commandFaults(tree, own),
    ...(own ? environmentFaults(tree) : []),
  ];
}
