/**
 * Generates .env.example, and parts of documents: the indexes of docs/ and its shelves, and the tables of environment
 * variables. A part is between two comments, and the text around it is kept:
 *
 *     <!-- index: made by npm run docs -->
 *     <!-- end of index -->
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import type { Nodes, PhrasingContent } from 'mdast';
import { toString as toText } from 'mdast-util-to-string';
import { environment } from '../../shared/config/environment.ts';
import { formatEnvExample } from '../envExample.ts';
import { localVariables } from '../localVariables.ts';
import { encodePath } from './links.ts';
import { type Document, markdown, readDocument } from './markdown.ts';
import { isReadme, shelfNames, shelfOfPath, shelves } from './shelves.ts';
import type { Tree } from './tree.ts';

/** The repository of this command. Environment variables of other folders are unknown. */
export const ownFolder = resolve(import.meta.dirname, '../..');

/** Returns the new texts of files that are missing or outdated as a whole or in part, and a line for each part that cannot be written. */
export function planGenerated({ folder, files, documents }: Tree) {
  const texts = new Map<string, string>();
  const problems: string[] = [];
  const generate = (path: string, fallback: string, region: string, contents: string): Document => {
    const document = documents.get(path) ?? readDocument(path, fallback);
    const text = withRegion(document.text, region, contents);
    // Writing to a symbolic link would change its target, wherever that is.
    if (!documents.has(path) && files.has(path))
      problems.push(`${path}: should be an index, but is not a document`);
    else if (text === undefined) problems.push(`${path}: has only one of the comments around its ${region}`);
    else if (text !== documents.get(path)?.text) texts.set(path, text);
    // Without its list, so that its first sentence is not from there.
    return readDocument(path, withRegion(document.text, region, '') ?? document.text);
  };
  if (folder === ownFolder) {
    generate('docs/setup/environment.md', '# Environment\n', 'environment', environmentTables());
    const path = join(folder, '.env.example');
    const text = formatEnvExample();
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) texts.set('.env.example', text);
  }
  const readmeOf = (of: string) =>
    [...documents.keys()].find((path) => posix.dirname(path) === of && isReadme(path)) ?? `${of}/README.md`;
  const indexes = shelfNames
    .filter((shelf) => files.values().some((file) => shelfOfPath(file) === shelf))
    .map((shelf) => {
      const readme = readmeOf(`docs/${shelf}`);
      const isListed = ({ path }: Document) => shelfOfPath(path) === shelf && path !== readme;
      const list = toList([...documents.values()].filter(isListed), `docs/${shelf}`);
      const { title, about } = shelves[shelf];
      return generate(
        readme,
        `# ${title}\n\n${about}\n`,
        'index',
        list || 'This page is all there is so far.',
      );
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
  const toItem = (document: Document): string => {
    const url = encodePath(posix.relative(folder, document.path));
    const link = stringify({ type: 'link', url, children: [{ type: 'text', value: findTitle(document) }] });
    const sentence = findSentence(document);
    return `- ${link}${sentence && `: ${sentence}`}`;
  };
  return documents.map(toItem).join('\n');
}

function findTitle({ root, path }: Document): string {
  const heading = root.children.find((node) => node.type === 'heading' && node.depth === 1);
  return toText(heading, { includeImageAlt: false, includeHtml: false }).trim() || posix.parse(path).name;
}

/** The first sentence of a document, with its text and code only. Empty if no paragraph has text. */
function findSentence({ root }: Document): string {
  const paragraphs = root.children.filter(({ type }) => type === 'paragraph');
  const text = paragraphs.map((node) => stringify(...toPieces(node))).find(Boolean) ?? '';
  return /^(?:`[^`]*`|[^`])+?[.!?]["')\]]*(?=\s[^\s\p{Ll}]|$)/u.exec(text)?.[0] ?? text;
}

function toPieces(node: Nodes): PhrasingContent[] {
  if (node.type === 'text' || node.type === 'inlineCode')
    return [{ ...node, value: node.value.replace(/\s+/g, ' ') }];
  if (node.type === 'break') return [{ type: 'text', value: ' ' }];
  return 'children' in node ? node.children.flatMap(toPieces) : [];
}

/** The serializer writes a space at either end as `&#x20;`. */
const stringify = (...children: PhrasingContent[]) =>
  markdown
    .stringify({ type: 'root', children: [{ type: 'paragraph', children }] })
    .replace(/^(?:&#x20;|\s)+|(?:&#x20;|\s)+$/g, '');

type Described = { meta(): { default?: unknown; description?: string | undefined } | undefined };

/** @throws {Error} if the schema of a variable lacks its default or its effect. */
export function environmentTables(
  sections: Record<string, Record<string, Described>> = { ...environment, 'Local run': localVariables },
): string {
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
