/** The README.md of docs/ and of each shelf: what stands there, by title and first sentence. */
import { posix } from 'node:path';
import type { Nodes, Paragraph } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { encodePath } from './destination.ts';
import { type Document, rangeIn, readDocument } from './markdown.ts';
import { isHalfRegion, regionOf, withRegion } from './regions.ts';
import { isMarkdown, shelfNames, shelfOfPath, shelves } from './shelves.ts';

const sentenceCharactersMax = 240;

/**
 * The indexes that are missing or out of date, as their whole new texts; those whose comments are damaged; and
 * those whose name something has that is no document: a symbolic link would have its target overwritten,
 * wherever that is. `files` and `documents` are as they will be.
 */
export function planIndexes(files: readonly string[], documents: Map<string, Document>) {
  const texts = new Map<string, string>();
  const damaged: string[] = [];
  const taken: string[] = [];
  const present = new Set(files.map(shelfOfPath));
  const existing = shelfNames.filter((shelf) => present.has(shelf));
  const indexes = new Map<string, Document>();

  function make(folder: string, fallback: string, contents: string): void {
    const path = readmeOf(documents, folder);
    const document = documents.get(path) ?? readDocument(path, fallback);
    indexes.set(folder, document);
    if (!documents.has(path) && files.includes(path)) {
      taken.push(path);
      return;
    }
    if (isHalfRegion(document, 'index')) {
      damaged.push(path);
      return;
    }
    const text = withRegion(document, 'index', contents);
    if (text !== documents.get(path)?.text) texts.set(path, text);
  }

  for (const shelf of existing) {
    const folder = `docs/${shelf}`;
    const { title, holds } = shelves[shelf];
    const readme = readmeOf(documents, folder);
    const onIt = [...documents.values()]
      .filter(({ path }) => shelfOfPath(path) === shelf && path !== readme)
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    const lines = onIt.map((document) => entry(document, folder));
    make(
      folder,
      `# ${title}\n\n${holds}\n`,
      lines.length > 0 ? lines.join('\n') : 'This page is all there is so far.',
    );
  }
  if (existing.length > 0) {
    const lines = existing.map((shelf) => {
      const index = indexes.get(`docs/${shelf}`);
      return index ? entry(index, 'docs') : '';
    });
    make('docs', '# Documents\n', lines.join('\n'));
  }
  return { texts, damaged, taken };
}

/** The path of a folder's README, however it is spelt. */
export function readmeOf(documents: Map<string, Document>, folder: string): string {
  const named = (path: string) =>
    posix.dirname(path) === folder && /^readme\.(?:md|markdown)$/i.test(posix.basename(path));
  return [...documents.keys()].find((path) => isMarkdown(path) && named(path)) ?? `${folder}/README.md`;
}

/** `- [Title](file.md): First sentence.` */
function entry(document: Document, folder: string): string {
  const link = posix.relative(`/${folder}`, `/${document.path}`);
  const sentence = firstSentence(document);
  return `- [${escapeText(titleOf(document))}](${encodePath(link)})${sentence ? `: ${sentence}` : ''}`;
}

function titleOf({ root, path }: Document): string {
  const heading = root.children.find((node) => node.type === 'heading' && node.depth === 1);
  const title = heading && textOf(heading, { includeImageAlt: false, includeHtml: false }).trim();
  return title || posix.basename(path).replace(/\.[^.]*$/, '');
}

/** The first sentence of the first paragraph that has words, code kept as code. */
function firstSentence(document: Document): string {
  const made = regionOf(document, 'index');
  const outside = (node: Paragraph) =>
    !made || rangeIn(node).end <= made.start || rangeIn(node).start >= made.end;
  for (const node of document.root.children) {
    if (node.type !== 'paragraph' || !outside(node)) continue;
    const pieces = piecesOf(node);
    const text = pieces.map(({ text }) => text).join('');
    if (text.trim() === '') continue;
    const [first] = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text.trimStart());
    const leading = text.length - text.trimStart().length;
    return cut(pieces, leading + Math.min(first?.segment.trimEnd().length ?? 0, sentenceCharactersMax));
  }
  return '';
}

type Piece = { text: string; code: boolean };

function piecesOf(node: Nodes): Piece[] {
  if (node.type === 'inlineCode') return [{ text: node.value, code: true }];
  if (node.type === 'text') return [{ text: node.value.replace(/\s+/g, ' '), code: false }];
  if (node.type === 'break') return [{ text: ' ', code: false }];
  return 'children' in node ? node.children.flatMap(piecesOf) : [];
}

/** The first characters of the pieces, as Markdown. */
function cut(pieces: Piece[], characters: number): string {
  let left = characters;
  let markdown = '';
  for (const { text, code } of pieces) {
    const kept = text.slice(0, left);
    left -= kept.length;
    markdown += code && kept !== '' ? codeSpan(kept) : escapeText(kept);
    if (kept.length < text.length)
      return left === 0 && !/[.!?:]$/.test(kept) ? `${markdown.trim()} …` : markdown.trim();
  }
  return markdown.trim();
}

/** With more backticks around it than it has within. */
function codeSpan(code: string): string {
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = /^`|`$|^ .* $/.test(code) ? ' ' : '';
  return fence + space + code + space + fence;
}

const escapeText = (text: string) => text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>&~|]/g, '\\$&');
