/**
 * Parts of a document that are made by a command. They stand between two comments, and what is around them is
 * left as it is:
 *
 *     <!-- index: made by npm run docs -->
 *     <!-- end of index -->
 */
import type { Document, Range } from './markdown.ts';

const opening = (name: string) => `${name}: made by npm run docs`;
const closing = (name: string) => `end of ${name}`;

/** Where a region stands, comments included; undefined where there is none, or only half of one. */
export function regionOf({ comments }: Document, name: string): Range | undefined {
  const start = comments.find(({ text }) => text === opening(name));
  const end = comments.find(({ text, start: at }) => text === closing(name) && start && at >= start.end);
  return start && end && { start: start.start, end: end.end };
}

/** A document that has only one of a region's comments, in which nothing can be made safely. */
export function isHalfRegion(document: Document, name: string): boolean {
  const names = [opening(name), closing(name)];
  const found = document.comments.filter(({ text }) => names.includes(text));
  return found.length > 0 && !regionOf(document, name);
}

/** The text with the region's contents replaced; with the region at its end, where there was none. */
export function withRegion(document: Document, name: string, contents: string): string {
  const { text } = document;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const made = [`<!-- ${opening(name)} -->`, contents, `<!-- ${closing(name)} -->`].join('\n\n');
  const region = made.replaceAll('\n', newline);
  const range = regionOf(document, name);
  if (range) return text.slice(0, range.start) + region + text.slice(range.end);
  const before = text === '' || text.endsWith('\n') ? text : text + newline;
  return before + (before === '' ? '' : newline) + region + newline;
}
