/**
 * Code blocks that a reader will type. Their info string says who runs them:
 *
 *     ```sh run                   test/tools/docs/commands.test.ts, in a fresh copy of the tree
 *     ```sh run until=/studio     the same; the last command serves, and is ended once the path answers
 *     ```sh run-by=.ci/run        the script named, of which each command is a line
 *
 * `npm ci` is what takes long: the test has it done already, and .ci/run must have it as a line.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document, Fence } from '../markdown.ts';
import type { Tree } from '../tree.ts';
import { isCommand, readScripts } from './scripts.ts';

const shells = new Set(['sh', 'bash', 'shell', 'zsh']);

export const install = 'npm ci';

/** What an info string says of who runs a block, `until` which path answers. */
export function marksOf(meta: string) {
  const marks = meta.split(/\s+/);
  const after = (name: string) => marks.find((mark) => mark.startsWith(name))?.slice(name.length);
  return { run: marks.includes('run'), runBy: after('run-by='), until: after('until=') };
}

/** The blocks of a document that the test runs. */
export const runnable = ({ fences }: Pick<Document, 'fences'>) =>
  fences.filter(({ language, meta }) => shells.has(language) && marksOf(meta).run);

/** A block's commands, one each, without comments, continued lines made one. */
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
  const { run, runBy } = marksOf(meta);
  if (!run && !runBy)
    return mustBeMarked
      ? [{ line, fault: 'a block of commands that nothing runs: mark it run, or run-by=' }]
      : [];
  return commandsIn(text).flatMap((command) => {
    const script = runBy ?? (command === install ? '.ci/run' : undefined);
    if (script && !isLineOf(tree, script, command))
      return [{ line, fault: `\`${command}\` is no line of ${script}` }];
    if (/^npm run\b/.test(command) && !isCommand(command, scripts, tree.files))
      return [{ line, fault: `\`${command}\` is no script of npm` }];
    return [];
  });
}

function isLineOf(tree: Tree, file: string, command: string): boolean {
  if (!tree.files.has(file)) return false;
  const lines = readFileSync(join(tree.folder, file), 'utf8').split('\n');
  return lines.some((line) => line.trim() === command);
}
