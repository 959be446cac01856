/** JSON schemas as text for people: one line for each field. */
import type { Schema } from './schemas.ts';

/** Longer patterns are left out, because they explain nothing to a person. In characters. */
const patternCharactersMax = 24;

/** The anchor of a heading, by GitHub's rules. */
export const toAnchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');

export const code = (word: string) => `\`${word}\``;

/** A link to the shape that a `$ref` names. */
export function linkToShape($ref: string): string {
  const name = $ref.split('/').at(-1) as string;
  return `[${name}](#${toAnchor(name)})`;
}

/** A row for each field: name, type and description. Fields of inner objects have rows too. */
export function fieldRows(
  { properties = {}, required = [] }: Schema,
  path = '',
  isAnswer = false,
): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const at = path + name;
    const note = required.includes(name) === isAnswer ? '' : isAnswer ? ' *(not always)*' : ' *(required)*';
    const inner = field.items?.properties ? field.items : field;
    return [
      [`${code(at)}${note}`, describeType(field), field.description ?? ''],
      ...fieldRows(inner, `${at}${inner === field ? '.' : '[].'}`, isAnswer),
    ];
  });
}

/** The type of a field. */
export function describeType(schema: Schema): string {
  const facts = [describeBaseType(schema), ...describeLimits(schema)];
  if (schema.default !== undefined) facts.push(`default ${code(JSON.stringify(schema.default))}`);
  return facts.join(', ');
}

function describeBaseType({ $ref, anyOf, items, enum: values, const: value, type, format }: Schema): string {
  if ($ref) return linkToShape($ref);
  if (anyOf) return anyOf.map(describeType).join(' or ');
  if (items)
    return `list of ${items.properties ? 'objects' : items.type === 'string' ? 'strings' : describeType(items)}`;
  if (values) return values.map((item) => code(String(item))).join(', ');
  if (value !== undefined) return code(String(value));
  if (type === undefined) return 'anything';
  const name = [type].flat().join(' or ');
  if (format === 'date-time') return name.replace('string', 'time');
  return format === 'uri' ? name.replace('string', 'URL') : name;
}

function describeLimits({ minimum, maximum, minLength, maxLength, maxItems, pattern }: Schema): string[] {
  const limits: string[] = [];
  if (minimum !== undefined && maximum !== undefined) {
    limits.push(`${minimum.toLocaleString('en')} to ${maximum.toLocaleString('en')}`);
  } else if (minimum !== undefined) limits.push(`at least ${minimum}`);
  else if (maximum !== undefined) limits.push(`at most ${maximum}`);
  if (maxLength !== undefined) {
    limits.push(`${minLength ?? 0} to ${maxLength.toLocaleString('en')} characters`);
  }
  if (maxItems !== undefined) limits.push(`at most ${maxItems}`);
  if (pattern !== undefined && pattern.length <= patternCharactersMax) limits.push(code(pattern));
  return limits;
}
