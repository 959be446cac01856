/** JSON in every spelling, and cut into pieces at any byte. */

/** A JSON value whose objects may repeat keys, in any order. */
type Written = { [Symbol.iterator]?: never; entries: [string, Value][] };
export type Value = string | number | boolean | null | Value[] | Written;

/** Decides how a text is written and cut: returns the numbers of a list, over and over. */
export type Choices = () => number;
export const createChoices = (numbers: readonly number[]): Choices => {
  let at = 0;
  return () => numbers[at++ % numbers.length] ?? 0;
};
const blanks = ['', '', '', ' ', '\n\t', '\r\n  '];
const blank = (choose: Choices) => blanks[choose() % blanks.length] ?? '';

function writeString(text: string, choose: Choices): string {
  const characters = [...Array(text.length).keys()].map((i) => {
    const code = text.charCodeAt(i);
    const choice = choose();
    if (choice % 23 === 0) {
      const hex = code.toString(16).padStart(4, '0');
      return `\\u${choice % 2 === 0 ? hex : hex.toUpperCase()}`;
    }
    if (text[i] === '/' && choice % 3 === 0) return '\\/';
    return JSON.stringify(text[i]).slice(1, -1);
  });
  return `"${characters.join('')}"`;
}

/** The JSON of a value, with white space and escapes as `choose` says. */
export function write(value: Value, choose: Choices): string {
  const around = (text: string) => `${blank(choose)}${text}${blank(choose)}`;
  if (typeof value === 'string') return around(writeString(value, choose));
  if (Array.isArray(value)) return around(`[${value.map((each) => write(each, choose)).join(',')}]`);
  if (typeof value !== 'object' || value === null) return around(JSON.stringify(value));
  const members = value.entries.map(
    ([key, inner]) => `${around(writeString(key, choose))}:${write(inner, choose)}`,
  );
  return around(`{${members.join(',')}}`);
}

/** The bytes of a text in pieces, some of them empty. */
export async function* cut(text: string | Uint8Array, choose: Choices): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const length = choose();
    yield bytes.subarray(at, at + length);
    at += length;
    if (length === 0) yield bytes.subarray(at, ++at);
  }
}
