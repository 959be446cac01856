/** The errors in the description: their schemas, and the reasons that each function answers with. */

import { getReasonRow, type Reason, reasons } from '../../shared/errorReasons.ts';
import { errorDomain } from '../../shared/errors.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import { operations } from './operations.ts';
import { refTo, type Schema } from './schemas.ts';

export const reasonNames = Object.keys(reasons) as Reason[];

/** A row of the table of reasons, as the document shows it. */
export type ReasonEntry = {
  httpStatus: number;
  status: string;
  /** What `metadata.retry` says. The second value is for a generation that was debited and refunded. */
  retry: string[];
  when: string;
  retryAfter: 'always' | 'sometimes' | 'never';
  metadata: Record<string, string>;
};

/** Every function can answer with these. */
const commonReasons: Reason[] = ['INVALID_REQUEST', 'INTERNAL', 'SHUTTING_DOWN'];

export function reasonTable(): Record<string, ReasonEntry> {
  return Object.fromEntries(reasonNames.map((reason) => [reason, toReasonEntry(reason)]));
}

const supportCode = 'The generation, if it was debited or may have been. Show it as the support code.';

const mayBeDebited = (reason: Reason) =>
  getReasonRow(reason).afterDebit || reason === 'EXPIRED' || reason === 'DATABASE_UNAVAILABLE';

function toReasonEntry(reason: Reason): ReasonEntry {
  const row = getReasonRow(reason);
  const { httpStatus, status, when, retryAfter = 'never' } = row;
  const retry: string[] =
    row.afterDebit && !row.isLasting && row.retry !== 'new_key' ? [row.retry, 'new_key'] : [row.retry];
  return {
    httpStatus,
    status,
    retry,
    when,
    retryAfter,
    metadata: {
      ...row.metadata,
      ...row.optionalMetadata,
      ...(mayBeDebited(reason) && { generationId: supportCode }),
    },
  };
}

/** The reasons that a function can answer with, in the order of the table. METHOD_NOT_ALLOWED is not among them. */
export function findReasons(name: string, { method, access, limit }: HttpFunction['spec']): Reason[] {
  const possible: Reason[] = [...commonReasons, ...(operations[name]?.reasons ?? [])];
  if (method === 'POST') possible.push('TOO_LARGE');
  if (access !== 'anyone') possible.push('UNAUTHENTICATED', 'AUTH_UNAVAILABLE');
  if (access === 'admin' || access === 'scheduler') possible.push('FORBIDDEN');
  if (limit) possible.push('RATE_LIMITED');
  return reasonNames.filter((reason) => possible.includes(reason));
}

/** The error responses of a function, by HTTP status. */
export function errorResponses(names: Reason[], hasExample: (reason: string) => boolean) {
  const byStatus = Map.groupBy(names, (reason) => reasons[reason].httpStatus);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((reason) => `\`${reason}\`: ${reasons[reason].when}`).join('\n\n'),
        ...responseHeaders(status, group),
        content: {
          'application/json': {
            schema: { $ref: refTo('Error') },
            examples: Object.fromEntries(
              group.filter(hasExample).map((reason) => [reason, { $ref: `#/components/examples/${reason}` }]),
            ),
          },
        },
        'x-reasons': group,
      },
    ]),
  );
}

function responseHeaders(status: number, group: Reason[]) {
  const names = [
    ...(group.some((reason) => getReasonRow(reason).retryAfter) ? ['Retry-After'] : []),
    ...(status === 401 ? ['WWW-Authenticate'] : []),
    ...(status === 405 ? ['Allow'] : []),
  ];
  return names.length > 0 ? { headers: headerRefs(names) } : {};
}

export const headerRefs = (names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** The headers of answers, by name. */
export const headers = {
  'Retry-After': {
    description: 'Seconds to wait before the next try: a whole number, the same as in the RetryInfo detail.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Idempotent-Replayed': {
    description: 'Present if this is the stored answer to an earlier call with the same key.',
    schema: { type: 'string', const: 'true' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate.',
    schema: { type: 'string', const: 'Bearer' },
  },
  Allow: { description: 'The methods that the function accepts.', schema: { type: 'string' } },
};

const typeName = (name: string): Schema => ({
  type: 'string',
  const: `type.googleapis.com/google.rpc.${name}`,
  description: 'The kind of this detail.',
});

/** The schemas of an error, in Google's API error model. */
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
            enum: [...new Set(Object.values(reasons).map(({ httpStatus }) => httpStatus))],
          },
          status: {
            type: 'string',
            description: 'The google.rpc.Code.',
            enum: [...new Set(Object.values(reasons).map(({ status }) => status))],
          },
          message: { type: 'string', description: 'For a person. Its wording may change.' },
          details: {
            type: 'array',
            description: 'An ErrorInfo first, then further details.',
            minItems: 1,
            items: {
              anyOf: ['ErrorInfo', 'BadRequest', 'RetryInfo'].map((name) => ({ $ref: refTo(name) })),
            },
          },
        },
        required: ['code', 'status', 'message', 'details'],
      },
      receipt: { $ref: refTo('Receipt'), description: 'Present if a generation was debited.' },
    },
    required: ['error'],
  },
  ErrorInfo: {
    type: 'object',
    description: 'The part for programs.',
    properties: {
      '@type': typeName('ErrorInfo'),
      reason: { $ref: refTo('Reason'), description: 'One of a closed set of reasons.' },
      domain: { type: 'string', const: errorDomain, description: 'The service that defines the reasons.' },
      metadata: {
        type: 'object',
        description: '`retry`, and further facts that depend on the reason.',
        properties: {
          retry: { $ref: refTo('Retry'), description: 'What the client may do.' },
          generationId: {
            type: 'string',
            description:
              'The generation, on every error after its debit, and where the debit is unknown. It is the support code: show it to the user.',
          },
        },
        required: ['retry'],
        additionalProperties: { type: 'string' },
      },
    },
    required: ['@type', 'reason', 'domain', 'metadata'],
  },
  BadRequest: {
    type: 'object',
    description: 'The fields of the request that are not valid.',
    properties: {
      '@type': typeName('BadRequest'),
      fieldViolations: {
        type: 'array',
        description: 'One item for each problem.',
        minItems: 1,
        items: {
          type: 'object',
          properties: {
            field: {
              type: 'string',
              description: 'The path of a field in the body or the query, the name of a header, or `body`.',
            },
            description: { type: 'string', description: 'The problem.' },
          },
          required: ['field', 'description'],
        },
      },
    },
    required: ['@type', 'fieldViolations'],
  },
  RetryInfo: {
    type: 'object',
    description: 'When the next try may help.',
    properties: {
      '@type': typeName('RetryInfo'),
      retryDelay: {
        type: 'string',
        pattern: '^[1-9]\\d*s$',
        description: "Seconds, in Google's format of a duration.",
      },
    },
    required: ['@type', 'retryDelay'],
  },
  Reason: { type: 'string', description: 'Why a request failed.', enum: reasonNames },
  Retry: {
    type: 'string',
    description:
      'What the client may do. `same_key`: the outcome is open; send the request again with the same Idempotency-Key. `new_key`: the request has failed for good; a new try needs a new key. `no`: the same request will fail again.',
    enum: ['same_key', 'new_key', 'no'],
  },
};
