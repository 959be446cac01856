/** Reads a Markdown document and finds what may be edited in it. All ranges are offsets in the document's text. */
import type { Node, Root } from 'mdast';
import { remark } from 'remark';
import remarkFrontmatter from 'remark-frontmatter';
import remarkGfm from 'remark-gfm';
import { visit } from 'unist-util-visit';
import { parse as parseYaml } from 'yaml';

export type Range = { start: number; end: number };

/** The destination of a link, an image, a definition or an HTML attribute. */
export type Destination = Range & { url: string; line: number };

export type Document = {
  path: string;
  text: string;
  root: Root;
  /** Undefined if there is no front matter; `error` if it is not valid YAML. */
  front: { shelf?: unknown; error?: boolean } | undefined;
  destinations: Destination[];
  /** Anchors that are written as HTML attributes. */
  ids: string[];
};

/** Ranges of destinations, which the parser does not keep. */
const ranges = new WeakMap<object, Range>();

type Context = { resume(): string; stack: { type: string }[] };

/** Does what the parser does at the end of a destination, and stores its range. */
function exitDestination(
  this: Context,
  { start, end }: { start: { offset: number }; end: { offset: number } },
) {
  const url = this.resume();
  const node = Object.assign(this.stack.at(-1) ?? {}, { url });
  ranges.set(node, { start: start.offset, end: end.offset });
}

export const markdown = remark()
  .data('settings', { bullet: '-', listItemIndent: 'one' })
  .data('fromMarkdownExtensions', [
    { exit: { resourceDestinationString: exitDestination, definitionDestinationString: exitDestination } },
  ])
  .use(remarkGfm)
  .use(remarkFrontmatter)
  .freeze();

export function readDocument(path: string, text: string): Document {
  const root = markdown.parse(text);
  const document: Document = { path, text, root, front: undefined, destinations: [], ids: [] };
  const mark = byteOrderMark(text);
  visit(root, (node) => {
    if (node.type === 'yaml') document.front = readFrontMatter(node.value);
    if (node.type === 'html') readHtml(document, node);
    const { start, end } = ranges.get(node) ?? {};
    if (start !== undefined && end !== undefined && 'url' in node)
      document.destinations.push({ start: start + mark, end: end + mark, url: node.url, line: lineOf(node) });
  });
  return document;
}

export const lineOf = (node: Node) => node.position?.start.line ?? 1;

export function rangeOf({ text }: Pick<Document, 'text'>, { position }: Node): Range {
  const mark = byteOrderMark(text);
  return { start: (position?.start.offset ?? 0) + mark, end: (position?.end.offset ?? 0) + mark };
}

/** The parser skips a byte order mark and counts offsets from the character after it. */
const byteOrderMark = (text: string) => (text.startsWith('\uFEFF') ? 1 : 0);

function readFrontMatter(source: string): Document['front'] {
  try {
    const value: unknown = parseYaml(source);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return { error: true };
  }
}

/** A quoted attribute inside a start tag. */
const attribute =
  /(?<=<[a-z](?:[^<>"']|"[^"]*"|'[^']*')*\s)(href|src|srcset|poster|id|name)\s*=\s*(?:"([^"]*)"|'([^']*)')/dgi;

function readHtml({ text, destinations, ids }: Document, node: Node): void {
  const { start, end } = rangeOf({ text }, node);
  const html = text.slice(start, end).replace(/<!--[\s\S]*?-->/g, (comment) => ' '.repeat(comment.length));
  for (const { 1: name = '', indices } of html.matchAll(attribute)) {
    const [from, to] = indices?.[2] ?? indices?.[3] ?? [0, 0];
    const value = html.slice(from, to);
    if (/^(?:id|name)$/i.test(name)) {
      ids.push(value);
      continue;
    }
    // `srcset` is a list: `small.png 1x, large.png 2x`.
    for (const { 0: url, index } of value.matchAll(
      /srcset/i.test(name) ? /(?<=^\s*|,\s*)[^\s,]+/g : /.+/gs,
    )) {
      const at = start + from + index;
      destinations.push({ start: at, end: at + url.length, url, line: lineOf(node) });
    }
  }
}
