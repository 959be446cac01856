/**
 * Generates parts of documents: the indexes of docs/ and its shelves, and the tables of environment variables. A part
 * is between two comments, and the text around it is kept:
 *
 *     <!-- index: made by npm run docs -->
 *     <!-- end of index -->
 */
import { posix, resolve } from 'node:path';
import type { InlineCode, Link, List, ListItem, Nodes, Paragraph, Text } from 'mdast';
import { toString as toText } from 'mdast-util-to-string';
import { environment } from '../../shared/config/environment.ts';
import { encodePath } from './links.ts';
import { type Document, markdown, readDocument } from './markdown.ts';
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
    const text = withRegion(document.text, region, contents);
    // Writing to a symbolic link would change its target, wherever that is.
    if (!documents.has(path) && files.includes(path))
      problems.push(`${path}: should be an index, but is not a document`);
    else if (text === undefined) problems.push(`${path}: has only one of the comments around its ${region}`);
    else if (text !== documents.get(path)?.text) texts.set(path, text);
    // Without its list, so that its first sentence is not from there.
    return readDocument(path, withRegion(document.text, region, '') ?? document.text);
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

/** Appends the region if there is none. Returns undefined if one of its comments is missing. */
function withRegion(text: string, region: string, contents: string): string | undefined {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const [opening, closing] = [`<!-- ${region}: made by npm run docs -->`, `<!-- end of ${region} -->`];
  const generated = [opening, contents, closing].join('\n\n').replaceAll('\n', newline);
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)];
  if (start === -1 && end === -1)
    return `${text}${text.endsWith('\n') ? '' : newline}${newline}${generated}${newline}`;
  if (start === -1 || end < start) return undefined;
  return text.slice(0, start) + generated + text.slice(end + closing.length);
}

/** A list of titles and first sentences. The links are relative to the folder. */
function toList(documents: Document[], folder: string): string {
  const children = documents.map((document): ListItem => {
    const url = encodePath(posix.relative(folder, document.path));
    const link: Link = { type: 'link', url, children: [{ type: 'text', value: findTitle(document) }] };
    const paragraph: Paragraph = { type: 'paragraph', children: [link, ...findSentence(document)] };
    return { type: 'listItem', children: [paragraph] };
  });
  const list: List = { type: 'list', spread: false, children };
  return markdown.stringify({ type: 'root', children: [list] }).trimEnd();
}

function findTitle({ root, path }: Document): string {
  const heading = root.children.find((node) => node.type === 'heading' && node.depth === 1);
  return toText(heading, { includeImageAlt: false, includeHtml: false }).trim() || posix.parse(path).name;
}

/** The first sentence of a document, as text and code, after a colon. Empty if no paragraph has text. */
function findSentence({ root }: Document): (Text | InlineCode)[] {
  const paragraphs = root.children.filter(({ type }) => type === 'paragraph').map(toPieces);
  const pieces = paragraphs.find((pieces) => pieces.some(({ value }) => value.trim() !== '')) ?? [];
  const last = pieces.findIndex(({ type, value }) => type === 'text' && /[.!?]["')\]]*$/.test(value));
  const sentence = pieces.slice(0, last === -1 ? undefined : last + 1);
  return sentence.length > 0 ? [{ type: 'text', value: ': ' }, ...sentence] : [];
}

/** The text and code of a paragraph, with text split after each sentence. */
function toPieces(node: Nodes): (Text | InlineCode)[] {
  if (node.type === 'inlineCode') return [node];
  if (node.type === 'text') {
    const sentences = node.value.split(/(?<=[.!?]["')\]]*)\s+(?=[^\s\p{Ll}]|$)/u);
    return sentences.map((value) => ({ type: 'text', value: value.replace(/\s+/g, ' ') }));
  }
  if (node.type === 'break') return [{ type: 'text', value: ' ' }];
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
