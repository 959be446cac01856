/**
 * What a document says, with where it says it. Positions are offsets in the text, so that a destination can be
 * changed and nothing else.
 */
import GithubSlugger from 'github-slugger';
import type { Definition, Image, Link, Node, Root, Table } from 'mdast';
import { type Extension, fromMarkdown, type Handle, type Token } from 'mdast-util-from-markdown';
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString as textOf } from 'mdast-util-to-string';
import { frontmatter } from 'micromark-extension-frontmatter';
import { gfm } from 'micromark-extension-gfm';
import { visit } from 'unist-util-visit';
import { parse as parseYaml } from 'yaml';
import { anchorsOfTags, destinationsOfTags, type Tag, tagsOf, tagsOfText } from './html.ts';

export type Range = { start: number; end: number };

/** A destination: of a link, an image, a reference's definition, or an attribute of an HTML tag. */
export type Destination = Range & { url: string; line: number };

export type Fence = { language: string; meta: string; text: string; line: number };
export type Comment = Range & { text: string };

export type Document = {
  path: string;
  text: string;
  root: Root;
  /** Undefined where there is none; `error` where it is no YAML. */
  front: { shelf?: unknown; error?: boolean } | undefined;
  destinations: Destination[];
  /** The ids that a link can lead to, as GitHub makes them. */
  anchors: Set<string>;
  codeSpans: { text: string; line: number }[];
  fences: Fence[];
  tables: Table[];
  /** HTML comments that stand by themselves, in order. */
  comments: Comment[];
};

/** Takes a document apart. */
export function readDocument(path: string, text: string): Document {
  const { root, rangeOf, chunks } = parse(text);
  const document: Document = {
    path,
    text,
    root,
    front: undefined,
    destinations: [],
    anchors: new Set(),
    codeSpans: [],
    fences: [],
    tables: [],
    comments: [],
  };
  const slugger = new GithubSlugger();
  const tags: Tag[] = [];
  visit(root, (node, _, parent) => {
    const line = lineOf(node);
    switch (node.type) {
      case 'yaml':
        document.front = readFrontMatter(node.value);
        break;
      case 'heading':
        document.anchors.add(slugger.slug(textOf(node, { includeImageAlt: false, includeHtml: false })));
        break;
      case 'link':
      case 'image':
      case 'definition': {
        const range = rangeOf.get(node);
        if (range) document.destinations.push({ ...range, url: node.url, line });
        break;
      }
      case 'html': {
        const range = rangeIn(node);
        if (parent === root && node.value.startsWith('<!--') && node.value.endsWith('-->'))
          document.comments.push({ ...range, text: node.value.slice(4, -3).trim() });
        for (const tag of tagsOf(onlyChunks(text, range, chunks), range.start)) tags.push({ ...tag, line });
        break;
      }
      case 'text': {
        const { start, end } = rangeIn(node);
        for (const tag of tagsOfText(text.slice(start, end), start)) tags.push({ ...tag, line });
        break;
      }
      case 'inlineCode':
        document.codeSpans.push({ text: node.value, line });
        break;
      case 'code':
        document.fences.push({ language: node.lang ?? '', meta: node.meta ?? '', text: node.value, line });
        break;
      case 'table':
        document.tables.push(node);
        break;
    }
  });
  document.destinations.push(...destinationsOfTags(tags));
  document.destinations.sort((a, b) => a.start - b.start);
  for (const anchor of anchorsOfTags(tags)) document.anchors.add(anchor);
  return document;
}

export const lineOf = (node: Node) => node.position?.start.line ?? 1;

/** Offsets of a whole node. */
export function rangeIn(node: Node): Range {
  const { start, end } = node.position ?? {};
  if (start?.offset === undefined || end?.offset === undefined) throw new Error('A node without a position');
  return { start: start.offset, end: end.offset };
}

/** The tree, and what it does not keep: where destinations stand, and which parts of HTML are HTML. */
function parse(text: string) {
  const rangeOf = new Map<Node, Range>();
  const chunks: Range[] = [];
  // The parser drops a byte order mark, and counts from behind it.
  const mark = text.startsWith('\uFEFF') ? 1 : 0;
  const range = (token: Token): Range => ({ start: token.start.offset + mark, end: token.end.offset + mark });
  const destination: Handle = function (token) {
    const url = this.resume();
    const node = this.stack.at(-1) as Link | Image | Definition;
    node.url = url;
    rangeOf.set(node, range(token));
  };
  const positions: Extension = {
    enter: {
      // As the parser does it, but for the note: a `>` of a quote within a tag is no part of the tag.
      htmlFlowData(token) {
        chunks.push(range(token));
        this.config.enter.data?.call(this, token);
      },
      htmlTextData(token) {
        chunks.push(range(token));
        this.config.enter.data?.call(this, token);
      },
    },
    exit: { resourceDestinationString: destination, definitionDestinationString: destination },
  };
  const root = fromMarkdown(text, {
    extensions: [gfm(), frontmatter(['yaml'])],
    mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown(['yaml']), positions],
  });
  if (mark > 0) visit(root, (node) => shift(node, mark));
  return { root, rangeOf, chunks };
}

/** The same node, `by` characters further on. */
function shift(node: Node, by: number): void {
  const { start, end } = rangeIn(node);
  if (node.position === undefined) return;
  node.position = {
    start: { ...node.position.start, offset: start + by },
    end: { ...node.position.end, offset: end + by },
  };
}

function readFrontMatter(source: string): Document['front'] {
  try {
    const value: unknown = parseYaml(source);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return { error: true };
  }
}

/** The range of the text with everything that is no HTML blanked out, line for line. */
function onlyChunks(text: string, range: Range, chunks: Range[]): string {
  let html = text.slice(range.start, range.end).replace(/[^\n]/g, ' ');
  for (const { start, end } of chunks) {
    if (start < range.start || end > range.end) continue;
    html = html.slice(0, start - range.start) + text.slice(start, end) + html.slice(end - range.start);
  }
  return html;
}
