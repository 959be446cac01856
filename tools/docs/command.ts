/** What `npm run docs` does with its arguments. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { apply, undoing } from './apply.ts';
import { faultsOf } from './checks/all.ts';
import { ownFolder } from './environmentTable.ts';
import { type Plan, planOf } from './plan.ts';
import { report } from './report.ts';
import { readTree, type Tree, uncommitted } from './tree.ts';

type Say = (text: string) => void;

/**
 * Returns the exit code: 0 in order, 1 not (yet).
 * @throws {Error} where the arguments make no sense, with a message for a person.
 */
export function runCommand(args: string[], say: Say): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new Error('One folder at a time');
  if (values.check && values['dry-run'])
    throw new Error('--check writes nothing by itself; leave --dry-run out');
  const tree = readTree(folderOf(positionals[0]));
  const plan = planOf(tree);
  return values.check ? check(tree, plan, say) : putInOrder(tree, plan, values, say);
}

/** npm runs its scripts at the root; a folder is meant from where the person is. */
function folderOf(argument: string | undefined): string {
  if (argument === undefined) return ownFolder;
  const folder = resolve(process.env.INIT_CWD ?? '.', argument);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${folder} is no folder`);
  return folder;
}

function check(tree: Tree, plan: Plan, say: Say): number {
  const faults = faultsOf(tree, plan);
  for (const fault of faults) say(fault);
  say(
    faults.length === 0
      ? `${tree.documents.size} documents are in order.`
      : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}.`,
  );
  return faults.length === 0 ? 0 : 1;
}

function putInOrder(
  tree: Tree,
  plan: Plan,
  { force, 'dry-run': dryRun }: { force: boolean; 'dry-run': boolean },
  say: Say,
): number {
  for (const line of report(plan)) say(line);
  const nothingToDo = plan.texts.size === 0 && plan.moves.size === 0;
  if (dryRun || nothingToDo) {
    say(nothingToDo ? 'Nothing to do.' : 'Nothing was written: this was a dry run.');
    return 0;
  }
  const objection = force ? undefined : whyNotNow(tree, plan);
  if (objection) {
    say(`\nNothing was written. ${objection}`);
    return 1;
  }
  apply(tree, plan);
  say('\nDone.');
  if (tree.kept && plan.moves.size > 0 && !force)
    say(`To undo it: git -C ${quoted(tree.folder)} ${undoing(plan).map(quoted).join(' ')}`);
  return 0;
}

/** For a shell. */
const quoted = (word: string) => (/^[\w./=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** What could not be undone is not done unasked. */
function whyNotNow(tree: Tree, plan: Plan): string | undefined {
  if (!tree.kept)
    return 'git does not keep this folder, so it could not be undone. --force does it all the same.';
  // Where nothing moves, only what this command made itself is made anew.
  if (plan.moves.size === 0) return undefined;
  const open = uncommitted(tree.folder);
  if (open.length === 0) return undefined;
  const some = open.slice(0, 10).join('\n  ') + (open.length > 10 ? `\n  and ${open.length - 10} more` : '');
  return `These documents are not committed as they are, so git could not undo it:\n  ${some}\nCommit them first; --force does it all the same.`;
}
