/**
 * Figures that were measured name what measured them: a table with `measured` or `figure` in its head has a
 * column `command`, and a paragraph that says what was measured has the command in it.
 */
import type { Nodes, Table } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { lineOf } from '../markdown.ts';
import type { Tree } from '../tree.ts';
import { isCommand, readScripts } from './scripts.ts';

export function figureFaults(tree: Tree): string[] {
  const scripts = readScripts(tree.folder);
  const names = (node: Nodes) => codeIn(node).some((code) => isCommand(code, scripts, tree.files));
  return [...tree.documents.values()].flatMap(({ path, root, tables }) => {
    const faults = tables.flatMap((table) => tableFaults(table, names));
    visit(root, 'paragraph', (node) => {
      const text = textOf(node);
      if (/\bmeasured\b/i.test(text) && /\d/.test(text) && !names(node))
        faults.push({
          line: lineOf(node),
          fault: 'figures that were measured, and no command that measures them',
        });
    });
    return faults.map(({ line, fault }) => `${path}:${line}: ${fault}`);
  });
}

function tableFaults(table: Table, names: (node: Nodes) => boolean): { line: number; fault: string }[] {
  const [head, ...rows] = table.children;
  const titles = (head?.children ?? []).map((cell) => textOf(cell).trim().toLowerCase());
  if (!titles.some((title) => /\b(?:measured|figures?)\b/.test(title))) return [];
  const column = titles.indexOf('command');
  if (column === -1) return [{ line: lineOf(table), fault: 'a table of figures without a column "command"' }];
  return rows.flatMap((row) => {
    const cell = row.children[column];
    if (cell && names(cell)) return [];
    return [{ line: lineOf(row), fault: 'figures whose command is no script of npm and no file' }];
  });
}

function codeIn(node: Nodes): string[] {
  if (node.type === 'inlineCode') return [node.value];
  return 'children' in node ? node.children.flatMap(codeIn) : [];
}
