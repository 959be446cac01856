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
import { findUncommitted, readTree } from './tree.ts';

const flag = { type: 'boolean' } as const;
const options = { 'dry-run': flag, check: flag, force: flag };

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
  // Without moves, only generated parts change.
  const uncommitted = plan.moves.size === 0 || values.force ? [] : findUncommitted(folder);
  if (isInOrder) say('Nothing to do.');
  else if (values['dry-run']) say('Nothing was written: this was a dry run.');
  else if (uncommitted.length > 0) {
    say('Nothing was written. These documents are not committed, so git could not undo it:');
    for (const path of uncommitted) say(`  ${path}`);
    say('Commit them first; --force does it all the same.');
    return 1;
  } else {
    applyPlan(tree, plan);
    say('Done.');
    const undo = undoArguments(plan).map(quote).join(' ');
    if (plan.moves.size > 0 && !values.force) say(`To undo it: git -C ${quote(folder)} ${undo}`);
  }
  return 0;
}

/** Quotes a word for a shell if it needs it. */
const quote = (word: string) => (/^[\w./=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function report({ moves, rewrites, generated, problems }: Plan): string[] {
  const links = [...rewrites.values()].reduce((sum, count) => sum + count, 0);
  const sections = {
    [`Moves: ${moves.size}`]: [...moves].map((entry) => entry.join(' → ')),
    [`Links rewritten: ${links} in ${rewrites.size} documents`]: [...rewrites].map((entry) =>
      entry.join(': '),
    ),
    [`Generated: ${generated.length}`]: generated,
    [`Left as they are: ${problems.length}`]: problems,
  };
  return Object.entries(sections).flatMap(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)]);
}

if (import.meta.main)
  try {
    process.exitCode = await runCommand(process.argv.slice(2), (text) => process.stdout.write(`${text}\n`));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
