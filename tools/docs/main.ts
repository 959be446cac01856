/**
 * npm run docs: puts the Markdown documents of a folder in order, or checks that they are.
 *
 *   npm run docs [-- folder] [-- --dry-run | --check] [-- --force]
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findFaults } from './checks.ts';
import { ownFolder } from './generated.ts';
import { applyPlan, createPlan, type Plan, undoArguments } from './plan.ts';
import { findUncommitted, readTree, type Tree } from './tree.ts';

const options = {
  'dry-run': { type: 'boolean' },
  check: { type: 'boolean' },
  force: { type: 'boolean' },
} as const;

/**
 * Returns the exit code: 0 if the documents are in order, else 1.
 * @throws {Error} with a message for a person if the arguments make no sense.
 */
export async function runCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  if (positionals.length > 1) throw new Error('One folder at a time');
  if (values.check && values['dry-run']) throw new Error('--check never writes: leave out --dry-run');
  // npm runs scripts at the root; a person names a folder from where they are.
  const folder = resolve(positionals[0] ? (process.env.INIT_CWD ?? '.') : ownFolder, positionals[0] ?? '');
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${folder} is not a folder`);
  const tree = readTree(folder);
  const plan = createPlan(tree);
  if (values.check) {
    const faults = await findFaults(tree, plan);
    for (const fault of faults) say(fault);
    say(faults.length === 0 ? `${tree.documents.size} documents are in order.` : `Faults: ${faults.length}.`);
    return faults.length === 0 ? 0 : 1;
  }
  for (const line of report(plan)) say(line);
  const isInOrder = plan.texts.size === 0 && plan.moves.size === 0;
  const objection = values.force ? undefined : whyNotNow(tree, plan);
  if (isInOrder) say('Nothing to do.');
  else if (values['dry-run']) say('Nothing was written: this was a dry run.');
  else if (objection) say(`\nNothing was written. ${objection} --force does it all the same.`);
  else {
    applyPlan(tree, plan);
    say('\nDone.');
    const undo = undoArguments(plan).map((word) => (word.includes('*') ? quote(word) : word));
    if (tree.isKept && plan.moves.size > 0 && !values.force)
      say(`To undo it: git -C ${quote(tree.folder)} ${undo.join(' ')}`);
  }
  return objection && !isInOrder && !values['dry-run'] ? 1 : 0;
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

function report({ moves, rewrites, generated, problems }: Plan): string[] {
  const links = [...rewrites.values()].reduce((sum, count) => sum + count, 0);
  const sections: [string, string[]][] = [
    [`Moves: ${moves.size}`, [...moves].map(([path, to]) => `${path} → ${to}`)],
    [
      `Links rewritten: ${links} in ${rewrites.size} documents`,
      [...rewrites].map((entry) => entry.join(': ')),
    ],
    [`Generated: ${generated.length}`, generated],
    [`Left as they are: ${problems.length} (\`shelf: …\` in the front matter decides on a shelf)`, problems],
  ];
  return sections.flatMap(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)]);
}

/** Returns why git could not undo the plan. */
function whyNotNow({ folder, isKept }: Tree, { moves }: Plan): string | undefined {
  if (!isKept) return 'git does not keep this folder, so git could not undo it.';
  // Without moves, only generated parts change.
  const uncommitted = moves.size > 0 ? findUncommitted(folder) : [];
  if (uncommitted.length === 0) return undefined;
  return `These documents are not committed, so git could not undo it:\n  ${uncommitted.join('\n  ')}\nCommit them first.`;
}

if (import.meta.main)
  try {
    process.exitCode = await runCommand(process.argv.slice(2), (text) => process.stdout.write(`${text}\n`));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
