/** How a schema gets its description, and the numbers in its messages. */
import * as z from 'zod';

/**
 * Describes a schema for the API reference. `limits` are JSON Schema's words for what a refinement checks. Each schema
 * object has one description; a field that needs another one gets its own schema.
 *
 * zod's own `.describe` copies the schema. For the whole contract that costs about 1 ms at a cold start. The cost of this
 * function is too small to measure.
 */
export function describe<S extends z.ZodType>(
  description: string,
  schema: S,
  limits: { minLength?: number; maxLength?: number } = {},
): S {
  if (z.globalRegistry.has(schema)) throw new Error(`A schema is described twice: ${description}`);
  z.globalRegistry.add(schema, { description, ...limits });
  return schema;
}

/** A whole number as a message shows it: 1,000,000. Not toLocaleString, whose formatter takes a tenth of a cold start. */
export const groupDigits = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** A count as a message shows it: "1 credit", "2 credits". */
export const countOf = (count: number, noun: string) =>
  `${groupDigits(count)} ${noun}${Math.abs(count) === 1 ? '' : 's'}`;

/** What is wrong with a value that is not a whole number of this range. */
export const wholeNumberText = (min: number, max: number) =>
  `must be a whole number from ${groupDigits(min)} to ${groupDigits(max)}`;

/** An instant in RFC 3339, UTC. */
export const time = (description: string) => describe(description, z.iso.datetime());
