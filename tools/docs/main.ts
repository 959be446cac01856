/**
 * npm run docs: puts the Markdown documents of a folder in order, or checks that they are.
 *
 *   npm run docs [-- folder] [-- --check]
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findFaults } from './checks.ts';
import { ownFolder, planGenerated } from './generated.ts';
import { moveDocuments, planMoves } from './moves.ts';
import { git, readTree } from './tree.ts';

/**
 * Returns the exit code: 0, or 1 if a check finds faults.
 * @throws {Error} with a message for a person if the arguments make no sense, or git could not undo the run.
 */
export async function runCommand(args: string[], say: (text: string) => void): Promise<number> {
  const options = { check: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  if (positionals.length > 1) throw new Error('One folder at a time');
  // npm runs scripts at the root; a person names a folder from where they are.
  const folder = positionals[0] ? resolve(process.env.INIT_CWD ?? '.', positionals[0]) : ownFolder;
  if (!values.check) {
    for (const line of putInOrder(folder)) say(line);
    return 0;
  }
  const tree = readTree(folder);
  const faults = await findFaults(tree);
  for (const fault of faults) say(fault);
  say(faults.length === 0 ? `${tree.documents.size} documents are in order.` : `Faults: ${faults.length}.`);
  return faults.length === 0 ? 0 : 1;
}

/** Returns what it did, for a person. */
function putInOrder(folder: string): string[] {
  const tree = readTree(folder);
  const { moves, problems } = planMoves(tree);
  moveDocuments(tree, moves);
  const generated = planGenerated(moves.size > 0 ? readTree(folder) : tree);
  for (const [path, text] of generated.texts) {
    writeFileSync(join(folder, path), text);
    // git can then undo it. A new index belongs to git even if git ignores its shelf.
    if (!tree.files.has(path)) git(folder, 'add', '--force', '--', path);
  }
  problems.push(...generated.problems);
  return [
    ...[...moves].map((move) => move.join(' → ')),
    ...[...generated.texts.keys()].map((path) => `${path}: generated`),
    ...problems,
    `Moves: ${moves.size}. Generated: ${generated.texts.size}. Left as they are: ${problems.length}.`,
  ];
}

if (import.meta.main)
  try {
    process.exitCode = await runCommand(process.argv.slice(2), (text) => process.stdout.write(`${text}\n`));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
