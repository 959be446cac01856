/** Reads a Markdown document and finds what may be edited in it. All ranges are offsets in the document's text. */
import type { Node, Root } from 'mdast';
import { remark } from 'remark';
import remarkFrontmatter from 'remark-frontmatter';
import remarkGfm from 'remark-gfm';
import { visit } from 'unist-util-visit';
import { parse as parseYaml } from 'yaml';

type Range = { start: number; end: number };

export type Document = {
  path: string;
  text: string;
  root: Root;
  /** Undefined if there is no front matter; `error` if it is not valid YAML. */
  front: { shelf?: unknown; error?: boolean } | undefined;
  /** The destinations of links, images, definitions and HTML attributes. */
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
  .data('settings', { bullet: '-', listItemIndent: 'one' })
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
  const add = (node: Node, start: number, url: string, end = start + url.length) =>
    document.destinations.push({ start: start + mark, end: end + mark, url, line: lineOf(node) });
  visit(root, (node) => {
    if (node.type === 'yaml') document.front = readFrontMatter(node.value);
    if (node.type === 'html') readHtml(text.slice(mark), node, add);
    const range = ranges.get(node);
    if (range && 'url' in node) add(node, range.start, node.url, range.end);
  });
  return document;
}

export const lineOf = (node: Node) => node.position?.start.line ?? 1;

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

function readHtml(text: string, node: Node, add: (node: Node, start: number, url: string) => void): void {
  const { start, end } = node.position ?? {};
  const source = text.slice(start?.offset, end?.offset);
  const html = source.replace(/<!--.*?-->/gs, (comment) => ' '.repeat(comment.length));
  for (const { 1: name = '', indices } of html.matchAll(attribute)) {
    const [from, to] = indices?.[2] ?? indices?.[3] ?? [0, 0];
    const value = html.slice(from, to);
    // `srcset` is a list: `small.png 1x, large.png 2x`.
    const urls = /^srcset$/i.test(name) ? /(?<=^\s*|,\s*)[^\s,]+/g : /.+/g;
    if (/^(?:id|name)$/i.test(name)) setAnchor(node, value);
    else
      for (const { 0: url, index } of value.matchAll(urls))
        add(node, (start?.offset ?? 0) + from + index, url);
  }
}

/** Where remark-validate-links looks for anchors, in lower case. */
function setAnchor(node: Node, id: string): void {
  node.data = Object.assign({}, { hProperties: { id: id.toLowerCase() } });
}
