/** Reads a Markdown document, and finds the destinations of its links. */
import type { Node, Root } from 'mdast';
import { remark } from 'remark';
import remarkFrontmatter from 'remark-frontmatter';
import remarkGfm from 'remark-gfm';
import { visit } from 'unist-util-visit';
import { parseDocument } from 'yaml';

type Range = { start: number; end: number };

export type Document = {
  path: string;
  text: string;
  root: Root;
  /** Undefined if there is no front matter; `error` if it is not valid YAML. */
  front: { shelf?: unknown; error?: boolean } | undefined;
  /** The destinations of links, images and definitions, as offsets in `text`. */
  destinations: (Range & { url: string; line: number })[];
};

const ranges = new WeakMap<object, Range>();
type Context = { resume(): string; stack: object[] };
type Token = { start: { offset: number }; end: { offset: number } };

/** Does what the parser does at the end of a destination, and stores its range, which the parser drops. */
function exitDestination(this: Context, { start, end }: Token): void {
  const url = this.resume();
  const node = Object.assign(this.stack.at(-1) ?? {}, { url });
  ranges.set(node, { start: start.offset, end: end.offset });
}

export const markdown = remark()
  .data('fromMarkdownExtensions', [
    { exit: { resourceDestinationString: exitDestination, definitionDestinationString: exitDestination } },
  ])
  .use(remarkGfm)
  .use(remarkFrontmatter)
  .freeze();

export function readDocument(path: string, text: string): Document {
  const root = markdown.parse(text);
  const document: Document = { path, text, root, front: undefined, destinations: [] };
  // The parser skips a byte order mark and counts offsets from the character after it.
  const mark = text.startsWith('\uFEFF') ? 1 : 0;
  visit(root, (node) => {
    if (node.type === 'yaml') {
      const yaml = parseDocument(node.value);
      document.front = { shelf: yaml.get('shelf'), error: yaml.errors.length > 0 };
    }
    const range = ranges.get(node);
    if (!range || !('url' in node)) return;
    const [start, end] = [range.start + mark, range.end + mark];
    document.destinations.push({ start, end, url: node.url, line: lineOf(node) });
  });
  return document;
}

export const lineOf = (node: Node) => node.position?.start.line ?? 1;
