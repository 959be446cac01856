/**
 * Generates parts of documents: the indexes of docs/ and its shelves, and the tables of environment variables. A part
 * is between two comments, and the text around it is kept:
 *
 *     <!-- index: made by npm run docs -->
 *     <!-- end of index -->
 */
import { posix, resolve } from 'node:path';
import type { InlineCode, ListItem, Nodes, PhrasingContent, Text } from 'mdast';
import { toString as toText } from 'mdast-util-to-string';
import { environment } from '../../shared/config/environment.ts';
import { encodePath } from './links.ts';
import { type Document, markdown, type Range, rangeOf, readDocument } from './markdown.ts';
import { isReadme, shelfNames, shelfOfPath, shelves } from './shelves.ts';

/** The repository of this command. Environment variables of other folders are unknown. */
export const ownFolder = resolve(import.meta.dirname, '../..');

/**
 * Returns the new texts of documents with missing or outdated parts, and a line for each part that cannot be written.
 * `files` and `documents` are those after the moves.
 */
export function planGenerated(folder: string, files: string[], documents: Map<string, Document>) {
  const texts = new Map<string, string>();
  const problems: string[] = [];
  const generate = (path: string, fallback: string, region: string, contents: string): Document => {
    const document = documents.get(path) ?? readDocument(path, fallback);
    const text = withRegion(document, region, contents);
    // Writing to a symbolic link would change its target, wherever that is.
    if (!documents.has(path) && files.includes(path))
      problems.push(`${path}: should be an index, but is not a document`);
    else if (text === undefined) problems.push(`${path}: has only one of the comments around its ${region}`);
    else if (text !== documents.get(path)?.text) texts.set(path, text);
    return document;
  };
  if (folder === ownFolder)
    generate('docs/setup/environment.md', '# Environment\n', 'environment', environmentTables());
  const readmeOf = (of: string) =>
    [...documents.keys()].find((path) => posix.dirname(path) === of && isReadme(path)) ?? `${of}/README.md`;
  const indexes = shelfNames
    .filter((shelf) => files.some((file) => shelfOfPath(file) === shelf))
    .map((shelf) => {
      const readme = readmeOf(`docs/${shelf}`);
      const onShelf = [...documents.keys()].filter((path) => shelfOfPath(path) === shelf && path !== readme);
      const entries = onShelf.sort().flatMap((path) => documents.get(path) ?? []);
      const list = toList(entries, `docs/${shelf}`) || 'This page is all there is so far.';
      const { title, about } = shelves[shelf];
      return generate(readme, `# ${title}\n\n${about}\n`, 'index', list);
    });
  if (indexes.length > 0) generate(readmeOf('docs'), '# Documents\n', 'index', toList(indexes, 'docs'));
  return { texts, problems };
}

const commentsOf = (region: string) => [
  `<!-- ${region}: made by npm run docs -->`,
  `<!-- end of ${region} -->`,
];

/** The range of a region with its comments; 'half' if one of them is missing. */
function findRegion(document: Document, region: string): Range | 'half' | undefined {
  const [opening, closing] = commentsOf(region).map((comment) =>
    document.root.children.find((node) => node.type === 'html' && node.value === comment),
  );
  if (!opening && !closing) return undefined;
  const range = opening &&
    closing && { start: rangeOf(document, opening).start, end: rangeOf(document, closing).end };
  return range && range.start < range.end ? range : 'half';
}

/** Appends the region if there is none. Returns undefined if one of its comments is missing. */
function withRegion(document: Document, region: string, contents: string): string | undefined {
  const { text } = document;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const [opening, closing] = commentsOf(region);
  const generated = [opening, contents, closing].join('\n\n').replaceAll('\n', newline);
  const range = findRegion(document, region);
  if (range === 'half') return undefined;
  if (range) return text.slice(0, range.start) + generated + text.slice(range.end);
  const gap = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
  return text + gap + generated + newline;
}

/** A list of titles and first sentences. The links are relative to the folder. */
function toList(documents: Document[], folder: string): string {
  const children = documents.map((document): ListItem => {
    const url = encodePath(posix.relative(folder, document.path));
    const link: PhrasingContent = {
      type: 'link',
      url,
      children: [{ type: 'text', value: findTitle(document) }],
    };
    return {
      type: 'listItem',
      children: [{ type: 'paragraph', children: [link, ...findSentence(document)] }],
    };
  });
  return markdown
    .stringify({ type: 'root', children: [{ type: 'list', spread: false, children }] })
    .trimEnd();
}

function findTitle({ root, path }: Document): string {
  const heading = root.children.find((node) => node.type === 'heading' && node.depth === 1);
  return toText(heading, { includeImageAlt: false, includeHtml: false }).trim() || posix.parse(path).name;
}

const sentenceEnd = /^.*?[.!?]["')\]]*(?=\s+(?:[^\s\p{Ll}]|$))/u;

/** The first sentence outside the index, as text and code, after a colon. Empty if no paragraph has text. */
function findSentence(document: Document): PhrasingContent[] {
  const index = findRegion(document, 'index');
  for (const node of document.root.children) {
    const { start } = rangeOf(document, node);
    const isIndex = typeof index === 'object' && start > index.start && start < index.end;
    const pieces = node.type === 'paragraph' && !isIndex ? toPieces(node) : [];
    if (pieces.every(({ value }) => value.trim() === '')) continue;
    const last = pieces.findIndex(({ type, value }) => type === 'text' && sentenceEnd.test(value));
    const sentence = pieces
      .slice(0, last === -1 ? undefined : last + 1)
      .map((piece, number) =>
        number === last ? { ...piece, value: sentenceEnd.exec(piece.value)?.[0] ?? '' } : piece,
      );
    return [{ type: 'text', value: ': ' }, ...sentence];
  }
  return [];
}

function toPieces(node: Nodes): (Text | InlineCode)[] {
  if (node.type === 'inlineCode') return [node];
  if (node.type === 'break') return [{ type: 'text', value: ' ' }];
  if (node.type === 'text') return [{ type: 'text', value: node.value.replace(/\s+/g, ' ') }];
  return 'children' in node ? node.children.flatMap(toPieces) : [];
}

type Described = { meta(): { default?: unknown; description?: string | undefined } | undefined };

/** @throws {Error} if the schema of a variable lacks its default or its effect. */
export function environmentTables(sections: Record<string, Record<string, Described>> = environment): string {
  const toRow = ([name, schema]: [string, Described]): string => {
    const meta = schema.meta();
    if (typeof meta?.default !== 'string') throw new Error(`${name} has no default: add .meta({ default })`);
    if (!meta.description) throw new Error(`${name} has no effect: add .describe()`);
    return `\n| \`${name}\` | ${meta.default} | ${meta.description} |`;
  };
  const tables = Object.entries(sections).map(
    ([title, variables]) =>
      `## ${title}\n\n| variable | default | effect |\n|-|-|-|${Object.entries(variables).map(toRow).join('')}`,
  );
  return tables.join('\n\n');
}
