/** The errors in the description: their shapes, and which function answers with which. */

import { errorDomain, type Reason, reasons } from '../../shared/errors.ts';
import type { Access } from '../../shared/http/endpoint.ts';
import { always, meanings, ownReasons } from './reasons.ts';
import { refTo, type Schema } from './schemas.ts';

export const reasonNames = Object.keys(reasons) as Reason[];

/** One row of the table of errors, as the document carries it. */
export type ReasonEntry = {
  httpStatus: number;
  status: string;
  /** What `metadata.retry` says; the second one where a debited generation was refunded. */
  retry: string[];
  when: string;
  retryAfter: 'always' | 'sometimes' | 'never';
  metadata: Record<string, string>;
};

/** The table of errors, from the table by which they are answered. */
export function reasonTable(): Record<string, ReasonEntry> {
  return Object.fromEntries(
    reasonNames.map((reason) => {
      const [httpStatus, status, retry] = reasons[reason];
      const { when, metadata = {}, waits, refunds } = meanings[reason];
      const retryAfter = waits === 'maybe' ? 'sometimes' : waits ? 'always' : 'never';
      const advice: string[] = refunds && retry !== 'new_key' ? [retry, 'new_key'] : [retry];
      return [reason, { httpStatus, status, retry: advice, when, retryAfter, metadata }];
    }),
  );
}

/** The reasons that a function may answer with, in the order of the table. */
export function reasonsOf(name: string, method: string, access: Access): Reason[] {
  const own = ownReasons[name];
  if (!own) throw new Error(`${name} has no reasons in tools/openapi/reasons.ts`);
  const implied: Reason[] = [...always, ...own];
  if (method === 'POST') implied.push('TOO_LARGE');
  if (access !== 'anyone') implied.push('UNAUTHENTICATED');
  if (access === 'admin' || access === 'scheduler') implied.push('FORBIDDEN');
  return reasonNames.filter((reason) => implied.includes(reason));
}

/** The answers of a function that are no success, by HTTP status. */
export function errorResponses(names: Reason[], isExampled: (reason: string) => boolean) {
  const byStatus = Map.groupBy(names, (reason) => reasons[reason][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((reason) => `\`${reason}\`: ${meanings[reason].when}`).join('\n\n'),
        ...headersOf(status, group),
        content: {
          'application/json': {
            schema: { $ref: refTo('Error') },
            examples: Object.fromEntries(
              group.filter(isExampled).map((reason) => [reason, { $ref: `#/components/examples/${reason}` }]),
            ),
          },
        },
        'x-reasons': group,
      },
    ]),
  );
}

function headersOf(status: number, group: Reason[]) {
  const names = [
    ...(group.some((reason) => meanings[reason].waits) ? ['Retry-After'] : []),
    ...(status === 401 ? ['WWW-Authenticate'] : []),
    ...(status === 405 ? ['Allow'] : []),
  ];
  return names.length > 0 ? { headers: headerRefs(names) } : {};
}

export const headerRefs = (names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** Headers of answers, by their names. */
export const headers = {
  'Retry-After': {
    description: 'Whole seconds after which asking again may help. The same as in the RetryInfo detail.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Idempotent-Replayed': {
    description: 'Present where this is the stored answer of an earlier call with the same key.',
    schema: { type: 'string', const: 'true' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate.',
    schema: { type: 'string', const: 'Bearer' },
  },
  Allow: { description: 'The methods that the function takes.', schema: { type: 'string' } },
};

const typeName = (name: string): Schema => ({
  type: 'string',
  const: `type.googleapis.com/google.rpc.${name}`,
  description: 'Which kind of detail this is.',
});

/** The shapes of an error, in Google's API error model. */
export const errorSchemas: Record<string, Schema> = {
  Error: {
    type: 'object',
    description: "An error, in Google's API error model.",
    properties: {
      error: {
        type: 'object',
        description: 'What went wrong.',
        properties: {
          code: {
            type: 'integer',
            description: 'The HTTP status.',
            enum: [...new Set(Object.values(reasons).map(([code]) => code))],
          },
          status: {
            type: 'string',
            description: 'The google.rpc.Code.',
            enum: [...new Set(Object.values(reasons).map(([, status]) => status))],
          },
          message: { type: 'string', description: 'For a person; its wording may change.' },
          details: {
            type: 'array',
            description: 'An ErrorInfo first; then what else there is to tell.',
            minItems: 1,
            items: {
              anyOf: ['ErrorInfo', 'BadRequest', 'RetryInfo'].map((name) => ({ $ref: refTo(name) })),
            },
          },
        },
        required: ['code', 'status', 'message', 'details'],
      },
      receipt: { $ref: refTo('Receipt'), description: 'Where a generation was debited.' },
    },
    required: ['error'],
  },
  ErrorInfo: {
    type: 'object',
    description: 'What a program decides by.',
    properties: {
      '@type': typeName('ErrorInfo'),
      reason: { $ref: refTo('Reason'), description: 'One of a closed set.' },
      domain: { type: 'string', const: errorDomain, description: 'Whose reasons these are.' },
      metadata: {
        type: 'object',
        description: 'Facts, by reason; `retry` is always there.',
        properties: { retry: { $ref: refTo('Retry'), description: 'What a client may do.' } },
        required: ['retry'],
        additionalProperties: { type: 'string' },
      },
    },
    required: ['@type', 'reason', 'domain', 'metadata'],
  },
  BadRequest: {
    type: 'object',
    description: 'Which fields of a request are wrong.',
    properties: {
      '@type': typeName('BadRequest'),
      fieldViolations: {
        type: 'array',
        description: 'Each of them.',
        minItems: 1,
        items: {
          type: 'object',
          properties: {
            field: {
              type: 'string',
              description: 'The path of a field of body or query, the name of a header, or `body`.',
            },
            description: { type: 'string', description: 'What is wrong with it.' },
          },
          required: ['field', 'description'],
        },
      },
    },
    required: ['@type', 'fieldViolations'],
  },
  RetryInfo: {
    type: 'object',
    description: 'When asking again may help.',
    properties: {
      '@type': typeName('RetryInfo'),
      retryDelay: {
        type: 'string',
        pattern: '^[1-9]\\d*s$',
        description: 'Seconds, as Google writes a duration.',
      },
    },
    required: ['@type', 'retryDelay'],
  },
  Reason: { type: 'string', description: 'Why a request failed.', enum: reasonNames },
  Retry: {
    type: 'string',
    description:
      'What a client may do: `same_key`: nothing is settled, ask again with the same Idempotency-Key; `new_key`: it has failed for good, a new try needs a new key; `no`: the same request will fail again.',
    enum: ['same_key', 'new_key', 'no'],
  },
};
