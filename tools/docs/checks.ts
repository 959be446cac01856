/**
 * Finds what is wrong in a folder's documents. The info string of a code block says what runs its commands:
 *
 *     ```sh run                   test/tools/docs/commands.test.ts, in a fresh copy of the tree
 *     ```sh run until=/studio     the same; the last command serves, and ends once the path answers
 *     ```sh run-by=.ci/run        the named script, which has each command as a line
 */
import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import type { Nodes } from 'mdast';
import { toString as toText } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { ownFolder, planGenerated } from './generated.ts';
import { linkFaults } from './links.ts';
import { type Document, lineOf } from './markdown.ts';
import { planMoves } from './moves.ts';
import { shelfOfPath } from './shelves.ts';
import { foldersOf, type Tree } from './tree.ts';

/** Returns a line for each fault: `path:line: what is wrong`. */
export async function findFaults(tree: Tree): Promise<string[]> {
  const { moves, problems } = planMoves(tree);
  const generated = planGenerated(tree);
  const isCommand = createIsCommand(tree);
  const existing = tree.files.union(foldersOf(tree.files));
  const inDocuments = [...tree.documents.values()].flatMap((document) => {
    const faults = [
      ...htmlFaults(document),
      ...mentionFaults(document, existing),
      ...figureFaults(document, isCommand),
      ...commandFaults(tree, document, isCommand),
    ];
    return faults.map(([node, fault]) => `${document.path}:${lineOf(node)}: ${fault}`);
  });
  return [
    ...[...moves].map(([path, to]) => `${path}: belongs at ${to} (npm run docs moves it)`),
    ...problems,
    ...generated.problems,
    ...[...generated.texts.keys()].map((path) => `${path}: is not as npm run docs generates it`),
    ...(await linkFaults(tree)),
    ...inDocuments,
  ];
}

type Fault = [Nodes, string];
type IsCommand = (code: string) => boolean;

/** Links in HTML are neither rewritten nor checked. */
const htmlFaults = ({ root }: Document): Fault[] =>
  find(root, 'html')
    .filter(({ value }) => /\s(?:href|src|srcset|poster)\s*=/i.test(value.replace(/<!--.*?-->/gs, '')))
    .map((node) => [node, 'a link in HTML: write it in Markdown']);

/** Paths of code must exist: `shared/generation/hold.ts`, `docs/{api,setup}/`, `test/bench/*.ts`. */
function mentionFaults({ path, root }: Document, existing: Set<string>): Fault[] {
  // A proposal may name files that do not exist yet.
  if (shelfOfPath(path) === 'newfeature') return [];
  const isThere = (mention: string) =>
    existing.has(mention) || existing.values().some((file) => matchesGlob(file, mention));
  return find(root, 'inlineCode').flatMap((node) => {
    const mention = /^(?:\.\/)?([\w.@{},*/[\]-]+?)(?::\d+(?::\d+)?)?$/.exec(node.value)?.[1] ?? '';
    const paths = expandBraces(mention).filter(
      (path) => !/[{}]/.test(path) && existing.has(/^(.+?)\//.exec(path)?.[1] ?? ' '),
    );
    const missing = paths.filter((path) => !isThere(path.replace(/\/+$/, '')));
    return missing.map((path): Fault => [node, `\`${path}\` is not there`]);
  });
}

/** Expands `{a,b}/c` to `a/c` and `b/c`. Braces without a comma are a placeholder. */
export function expandBraces(path: string): string[] {
  const match = /\{([^{}]*,[^{}]*)\}/.exec(path);
  if (!match) return [path];
  const [before, after] = [path.slice(0, match.index), path.slice(match.index + match[0].length)];
  return (match[1] ?? '').split(',').flatMap((choice) => expandBraces(before + choice + after));
}

/** Measured figures name the command that measures them, in a table's column `command` or in the paragraph. */
function figureFaults({ root }: Document, isCommand: IsCommand): Fault[] {
  const hasCommand = (node: Nodes) => find(node, 'inlineCode').some(({ value }) => isCommand(value));
  const inTables = find(root, 'table').flatMap((table): Fault[] => {
    const [head, ...rows] = table.children;
    const titles = head?.children.map((cell) => toText(cell).trim().toLowerCase()) ?? [];
    if (!titles.some((title) => /\b(?:measured|figures?)\b/.test(title))) return [];
    const column = titles.indexOf('command');
    if (column === -1) return [[table, 'a table of figures without a column "command"']];
    const faulty = rows.filter(({ children }) => !children[column] || !hasCommand(children[column]));
    return faulty.map((row) => [row, 'figures whose command is neither an npm script nor a file']);
  });
  const inText = find(root, 'paragraph').filter((node) => {
    const text = toText(node);
    return /\bmeasured\b/i.test(text) && /\d/.test(text) && !hasCommand(node);
  });
  const fault = 'measured figures without the command that measures them';
  return [...inTables, ...inText.map((node): Fault => [node, fault])];
}

const readText = ({ folder, files }: Tree, path: string) =>
  files.has(path) ? readFileSync(join(folder, path), 'utf8') : '';

/** Returns a test for `npm run check`, `npm test`, or anything with a file of the tree in it. */
function createIsCommand(tree: Tree): IsCommand {
  const { scripts = {} }: { scripts?: object } = JSON.parse(readText(tree, 'package.json') || '{}');
  return (code) => {
    const script = /^npm (?:run (?<name>\S+)|(?<name>test|start)\b)/.exec(code.trim())?.groups?.name;
    if (script) return Object.hasOwn(scripts, script);
    return code.split(/\s+/).some((word) => tree.files.has(word.replace(/^\.\//, '')));
  };
}

/** Takes minutes, so the test does not run it: .ci/run must contain it. */
export const install = 'npm ci';

/** The blocks of commands in a document, and what their info strings say. */
export const commandBlocks = ({ root }: Document) =>
  find(root, 'code')
    .filter(({ lang }) => /^(?:sh|bash|shell|zsh)$/.test(lang ?? ''))
    .map((node) => {
      const marks = (node.meta ?? '').split(/\s+/);
      const after = (name: string) => marks.find((mark) => mark.startsWith(name))?.slice(name.length);
      return { node, isRun: marks.includes('run'), runBy: after('run-by='), until: after('until=') };
    });

/** Splits a block into its commands, without comments. */
export function splitCommands(text: string): string[] {
  const plain = text.replaceAll('\\\n', ' ').replace(/^\s*#.*/gm, '');
  const lines = plain.split(/\n|&&/);
  return lines.map((command) => command.trim().replace(/\s+/g, ' ')).filter(Boolean);
}

/** In our own README and setup documents, something must run every block. */
function commandFaults(tree: Tree, document: Document, isCommand: IsCommand): Fault[] {
  const mustRun = tree.folder === ownFolder && /^(?:README\.md$|docs\/setup\/)/.test(document.path);
  const readCommands = (script: string) => splitCommands(readText(tree, script));
  return commandBlocks(document).flatMap(({ node, isRun, runBy }): Fault[] => {
    if (!isRun && !runBy)
      return mustRun ? [[node, 'nothing runs this block of commands: mark it run, or run-by=']] : [];
    return splitCommands(node.value).flatMap((command): Fault[] => {
      const script = runBy ?? (command === install ? '.ci/run' : undefined);
      if (script && !readCommands(script).includes(command))
        return [[node, `\`${command}\` is not a line of ${script}`]];
      if (/^npm run\b/.test(command) && !isCommand(command))
        return [[node, `\`${command}\` is not an npm script`]];
      return [];
    });
  });
}

function find<Type extends Nodes['type']>(root: Nodes, type: Type): Extract<Nodes, { type: Type }>[] {
  const found: Extract<Nodes, { type: Type }>[] = [];
  visit(root, type, (node) => void found.push(node as Extract<Nodes, { type: Type }>));
  return found;
}
