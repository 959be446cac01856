/**
 * Draws documents as the Firestore console lists them, field by field, for docs/deployment/console.md. Times are
 * the picture's own, so that the same documents give the same picture.
 */

type Fields = Record<string, unknown>;

/**
 * One list of fields. With `before` and `after` it is what a write has changed; `by` says whose write it was, and
 * stands beside each field that it touched.
 */
export type Panel = { caption: string; path: string; before?: Fields; after?: Fields; by?: string };

const size = { panel: 470, gap: 20, row: 24, line: 16, head: 58, foot: 12, margin: 10 };
const column = { name: 14, type: 142, value: 228, by: 456 };
/** Characters of a value that find room, with and without a note beside it. */
const valueCharactersMax = { alone: 29, noted: 22 };

const style = `
  :root { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --mark: #fff3c4; --bar: #9a6700; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #151b23; --ink: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --mark: #3b2e0a; --bar: #d29922; }
  }
  text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: var(--ink); }
  .caption { font: 600 14px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
  .quiet { fill: var(--quiet); }
  .by { font: 600 11px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--bar); text-anchor: end; }
  .was { fill: var(--quiet); text-decoration: line-through; }
  .panel { fill: var(--paper); stroke: var(--line); }
  .line { stroke: var(--line); }
  .mark { fill: var(--mark); }
  .bar { fill: var(--bar); }`;

/** The panels two by two, as SVG that can be read on light and on dark ground. */
export function drawConsole(title: string, panels: readonly Panel[]): string {
  const timeOf = pictureTimes(panels);
  const drawn = panels.map((panel) => ({ panel, rows: rowsOf(panel, timeOf) }));
  const heights = drawn.map(({ rows }) =>
    rows.reduce((sum, row) => sum + heightOf(row), size.head + size.foot),
  );
  let top = size.margin;
  const chunks: string[] = [];
  for (let i = 0; i < drawn.length; i += 2) {
    for (const [side, one] of drawn.slice(i, i + 2).entries()) {
      const left = size.margin + side * (size.panel + size.gap);
      chunks.push(drawPanel(one.panel, one.rows, left, top, heights[i + side] ?? 0));
    }
    top += Math.max(...heights.slice(i, i + 2)) + size.gap;
  }
  const [width, height] = [2 * size.margin + 2 * size.panel + size.gap, top - size.gap + size.margin];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${style}
</style>
${chunks.join('\n')}
</svg>
`;
}

/** `value` has a piece for each line that it takes. */
type Row = { name: string; type: string; value: string[]; was: string | undefined; isTouched: boolean };

const heightOf = ({ value }: Row) => size.row + size.line * Math.max(0, value.length - 1);

function rowsOf({ before, after, by }: Panel, timeOf: (time: Date) => string): Row[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const show = (fields: Fields | undefined, name: string) =>
    fields && name in fields ? valueText(fields[name], timeOf) : undefined;
  return names.map((name) => {
    const [was, is] = [show(before, name), show(after, name)];
    const value = (after && name in after ? after : before)?.[name];
    const isTouched = by !== undefined && was !== is;
    // Of a time that was written anew the old one says nothing.
    const isOldShown = isTouched && !(value instanceof Date && is !== undefined);
    return {
      name,
      type: typeText(value),
      value:
        is === undefined ? [] : lines(is, isTouched ? valueCharactersMax.noted : valueCharactersMax.alone),
      was: isOldShown ? was : undefined,
      isTouched,
    };
  });
}

function drawPanel({ caption, path, by }: Panel, rows: Row[], left: number, top: number, height: number) {
  const at = (x: number, y: number) => `x="${left + x}" y="${top + y}"`;
  let y = size.head;
  const drawn = rows.map((row) => {
    const { name, type, value, was, isTouched } = row;
    const height = heightOf(row);
    const mark = isTouched
      ? `<rect class="mark" ${at(1, y)} width="${size.panel - 2}" height="${height}"/><rect class="bar" ${at(1, y)} width="3" height="${height}"/><text class="by" ${at(column.by, y + 16)}>${escaped(by ?? '')}</text>`
      : '';
    const old = was === undefined ? '' : `<tspan class="was">${escaped(was)}</tspan>`;
    const [first = '', ...more] = value;
    const words = `<text ${at(column.name, y + 16)}>${escaped(name)}</text><text class="quiet" ${at(column.type, y + 16)}>${type}</text><text ${at(column.value, y + 16)}>${old}${old && first ? ' → ' : ''}${escaped(first)}</text>`;
    const rest = more.map(
      (line, i) => `<text ${at(column.value, y + 16 + (i + 1) * size.line)}>${escaped(line)}</text>`,
    );
    y += height;
    return mark + words + rest.join('');
  });
  return `<rect class="panel" ${at(0.5, 0.5)} width="${size.panel - 1}" height="${height - 1}" rx="6"/>
<text class="caption" ${at(column.name, 23)}>${escaped(caption)}</text>
<text class="quiet" ${at(column.name, 43)}>${escaped(path)}</text>
<line class="line" x1="${left}" x2="${left + size.panel}" y1="${top + size.head - 4}" y2="${top + size.head - 4}"/>
${drawn.join('\n')}`;
}

/** All times of the first panel are one, and those that come later another, five minutes on. */
function pictureTimes([first]: readonly Panel[]): (time: Date) => string {
  const early = new Set<number>();
  const collect = (value: unknown): void => {
    if (value instanceof Date) early.add(value.getTime());
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(first?.before ?? {});
  return (time) => `22 Nov 2026, 10:0${early.has(time.getTime()) ? 0 : 5} UTC`;
}

/** The names that the console has for types. */
function typeText(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Date) return 'timestamp';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'map' : typeof value;
}

function valueText(value: unknown, timeOf: (time: Date) => string): string {
  if (value instanceof Date) return timeOf(value);
  if (Array.isArray(value)) return `[${value.map((each) => valueText(each, timeOf)).join(', ')}]`;
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.keys(value).join(', ')}}`;
}

/** A text in lines of so many characters at most, broken between words. */
function lines(text: string, max: number): string[] {
  const pattern = new RegExp(`(?:\\S.{0,${max - 2}}\\S|\\S)(?=\\s|$)|\\S{${max}}`, 'g');
  return text.match(pattern) ?? [text];
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
