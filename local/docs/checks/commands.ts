/**
 * Code blocks that a reader will type. Their info string says who runs them:
 *
 *     ```sh run                     test/docs/commands.test.ts, in a fresh copy of the tree
 *     ```sh run-by=.ci/run,test/x   the files named, in each of which at least one of the commands stands
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document, Fence } from '../markdown.ts';
import type { Tree } from '../tree.ts';
import { isCommand, readScripts } from './scripts.ts';

const shells = new Set(['sh', 'bash', 'shell', 'zsh']);

/** The blocks of a document that the test runs. */
export const runnable = ({ fences }: Pick<Document, 'fences'>) =>
  fences.filter(({ language, meta }) => shells.has(language) && meta.split(/\s+/).includes('run'));

/** A block's commands, one each; comments and continued lines taken care of. */
export function commandsIn(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split('&&'))
    .map((command) => command.trim().replace(/\s+/g, ' '))
    .filter((command) => command !== '');
}

/** Of our own README and setup guide every block must be marked. */
export function commandFaults(tree: Tree, own: boolean): string[] {
  const scripts = readScripts(tree.folder);
  return [...tree.documents.values()].flatMap(({ path, fences }) => {
    const mustBeMarked = own && (path === 'README.md' || path.startsWith('docs/setup/'));
    return fences
      .filter(({ language }) => shells.has(language))
      .flatMap((fence) => fenceFaults(tree, scripts, fence, mustBeMarked))
      .map(({ line, fault }) => `${path}:${line}: ${fault}`);
  });
}

function fenceFaults(tree: Tree, scripts: Set<string>, { meta, text, line }: Fence, mustBeMarked: boolean) {
  const runBy = /(?:^|\s)run-by=(\S+)/.exec(meta)?.[1]?.split(',');
  const isRun = meta.split(/\s+/).includes('run');
  const faults: string[] = [];
  if (!runBy && !isRun && mustBeMarked)
    faults.push('a block of commands that nothing runs: mark it run or run-by=');
  for (const command of commandsIn(text)) {
    if ((runBy || isRun) && command.startsWith('npm run') && !isCommand(command, scripts, tree.files))
      faults.push(`\`${command}\` is no script of npm`);
    if (runBy && !runBy.some((file) => standsIn(tree, file, command)))
      faults.push(`\`${command}\` does not stand in ${runBy.join(' or ')}`);
  }
  return faults.map((fault) => ({ line, fault }));
}

/** As a line of a script, or as a word of a test. */
function standsIn(tree: Tree, file: string, command: string): boolean {
  return tree.files.has(file) && readFileSync(join(tree.folder, file), 'utf8').includes(command);
}
