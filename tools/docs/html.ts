/** The tags of HTML that stands in Markdown, as far as they lead somewhere or can be led to. */
import type { Destination, Range } from './markdown.ts';

type Attribute = Range & { name: string; value: string };
/** A start tag, on the line of the HTML that it stands in. */
export type Tag = { name: string; attributes: Attribute[]; line: number };

const commentOrTag = /<!--[\s\S]*?-->|<([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const attribute = /([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/dg;

/** The start tags in a piece of HTML, comments aside; positions count from `offset`. */
export function tagsOf(html: string, offset: number): Omit<Tag, 'line'>[] {
  return [...html.matchAll(commentOrTag)].flatMap((match) => {
    const [, name, inside] = match;
    if (name === undefined || inside === undefined) return [];
    const start = offset + match.index + 1 + name.length;
    return [{ name: name.toLowerCase(), attributes: attributesOf(inside, start) }];
  });
}

const wholeTag =
  /(?<!\\)<[a-z][a-z0-9-]*(?:\s+[a-z_:][\w.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*\s*\/?>/gi;

/**
 * The start tags in what the parser took for text: it does not know that a value without quotes may have
 * slashes (`<img src=docs/a.png>`), GitHub does.
 */
export function tagsOfText(text: string, offset: number): Omit<Tag, 'line'>[] {
  return [...text.matchAll(wholeTag)].flatMap((match) => tagsOf(match[0], offset + match.index));
}

function attributesOf(inside: string, offset: number): Attribute[] {
  return [...inside.matchAll(attribute)].flatMap(({ 1: name, indices }) => {
    const [start, end] = indices?.[2] ?? indices?.[3] ?? indices?.[4] ?? [];
    if (name === undefined || start === undefined || end === undefined) return [];
    const value = inside.slice(start, end);
    return [{ name: name.toLowerCase(), value, start: offset + start, end: offset + end }];
  });
}

const leading: Record<string, string[]> = {
  a: ['href'],
  img: ['src', 'srcset'],
  source: ['src', 'srcset'],
  video: ['src', 'poster'],
  audio: ['src'],
};

export function destinationsOfTags(tags: Tag[]): Destination[] {
  return tags.flatMap(({ name, attributes, line }) =>
    attributes
      .filter((attribute) => leading[name]?.includes(attribute.name))
      .flatMap(({ name, value, start, end }) =>
        name === 'srcset' ? candidates(value, start) : [{ start, end, url: value }],
      )
      .map(({ start, end, url }) => ({ start, end, url: decode(url), line })),
  );
}

/** `small.png 1x, large.png 2x` */
function candidates(srcset: string, offset: number) {
  return [...srcset.matchAll(/(?:^|,)\s*([^\s,]+)/dg)].flatMap(({ 1: url, indices }) => {
    const [start, end] = indices?.[1] ?? [];
    if (url === undefined || start === undefined || end === undefined) return [];
    return [{ start: offset + start, end: offset + end, url }];
  });
}

/** What an address may hold of character references; the rest stand for what no file is called. */
function decode(value: string): string {
  const characters: Record<string, string> = { amp: '&', quot: '"', apos: "'", '#39': "'", lt: '<', gt: '>' };
  return value.replace(/&(amp|quot|apos|#39|lt|gt);/g, (whole, name: string) => characters[name] ?? whole);
}

/** GitHub lets links lead to `id` and `name`. */
export function anchorsOfTags(tags: Tag[]): string[] {
  return tags.flatMap(({ name: tag, attributes }) =>
    attributes
      .filter(({ name }) => name === 'id' || (name === 'name' && tag === 'a'))
      .map(({ value }) => value),
  );
}
