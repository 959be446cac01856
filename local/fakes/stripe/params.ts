import { z } from 'zod';
import { refusal, type StripeError, type StripeRefusal } from './errors.ts';
import type { Form } from './form.ts';

/** Schemas of the parameters in a form, where every value is text. */

function parsed<T>(parse: (text: string) => T | undefined, complain: (text: string) => StripeError) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    const { message, code } = complain(text);
    context.issues.push({ code: 'custom', message, input: text, params: { code } });
    return z.NEVER;
  });
}

export const integer = (min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) =>
  parsed(
    (text) => (/^-?\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
    (text) => ({
      code: 'parameter_invalid_integer',
      message: !/^-?\d+$/.test(text)
        ? `Invalid integer: ${text}`
        : Number(text) < min
          ? `This value must be greater than or equal to ${min}.`
          : `This value must be less than or equal to ${max}.`,
    }),
  );

export const boolean = parsed(
  (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  (text) => ({ message: `Invalid boolean: ${text}` }),
);

export const text = (max = 5000) => z.string().min(1).max(max);

/** A web address. The live mode accepts only https for those a visitor is sent to. */
export const address = parsed(
  (value) => (URL.canParse(value) && /^https?:\/\//.test(value) ? value : undefined),
  (value) => ({
    code: 'url_invalid',
    message: /^[a-z]+:\/\//.test(value)
      ? 'Not a valid URL'
      : 'Invalid URL: An explicit scheme (such as https) must be provided.',
  }),
);

export const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((map) => Object.keys(map).length <= 50, 'Metadata can have up to 50 keys.');

/** An empty text unsets the value. */
export const emptyable = <T extends z.ZodType>(schema: T) => z.union([z.literal(''), schema]);

const seconds = integer();
export const range = z.union([
  seconds,
  z.strictObject({
    gt: seconds.optional(),
    gte: seconds.optional(),
    lt: seconds.optional(),
    lte: seconds.optional(),
  }),
]);
export type Range = z.infer<typeof range>;

export const expand = z.array(text()).optional();
export const pagination = {
  limit: integer(1, 100).default(10),
  starting_after: text().optional(),
  ending_before: text().optional(),
  expand,
};
export type Pagination = {
  limit: number;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
};

/** Parses a form, or throws Stripe's refusal of its first mistake. */
export function parseParams<T extends z.ZodType>(schema: T, form: Form): z.infer<T> {
  const result = schema.safeParse(form);
  if (result.success) return result.data;
  throw toRefusal(result.error.issues, form);
}

function toRefusal(issues: readonly z.core.$ZodIssue[], form: Form): StripeRefusal {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => toName([...issue.path, key])) : [],
  );
  if (unknown.length > 0) {
    return refusal(400, {
      code: 'parameter_unknown',
      message: `Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`,
      param: unknown[0],
    });
  }
  const [issue] = issues;
  const path = issue?.path ?? [];
  const param = toName(path);
  const value = getValue(form, path);
  if (value === undefined) {
    return refusal(400, { code: 'parameter_missing', message: `Missing required param: ${param}.`, param });
  }
  if (value === '') {
    return refusal(400, {
      code: 'parameter_invalid_empty',
      message: `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`,
      param,
    });
  }
  return refusal(400, { ...describe(issue, param, value), param });
}

function describe(issue: z.core.$ZodIssue | undefined, param: string, value: unknown): StripeError {
  switch (issue?.code) {
    case 'custom':
      return { message: issue.message, ...(issue.params?.code ? { code: String(issue.params.code) } : {}) };
    case 'invalid_value':
      return { message: `Invalid ${param}: must be one of ${issue.values.join(', ')}` };
    case 'too_big':
      return {
        message: `Invalid string: ${String(value).slice(0, 10)}…; must be at most ${issue.maximum} characters`,
      };
    case 'invalid_type':
      return { message: `Invalid ${issue.expected === 'object' ? 'object' : issue.expected}` };
    default:
      return { message: `Invalid ${param}` };
  }
}

const toName = (path: readonly PropertyKey[]) =>
  path.map((key, index) => (index === 0 ? String(key) : `[${String(key)}]`)).join('');

function getValue(form: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    form,
  );
}
