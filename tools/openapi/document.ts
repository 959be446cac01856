/**
 * The OpenAPI document, made from what the functions themselves declare, the table of errors and the
 * calls that a test has really made. The same sources give the same document, byte for byte.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { functions } from '../../functions/index.ts';
import { idempotencyKeySchema } from '../../shared/contract.ts';
import type { Reason } from '../../shared/errors.ts';
import { bodyBytesMaxDefault } from '../../shared/http/body.ts';
import type { Access, HttpFunction } from '../../shared/http/endpoint.ts';
import { errorResponses, errorSchemas, headerRefs, headers, reasonsOf, reasonTable } from './errors.ts';
import { type Example, type Examples, readExamples } from './examples.ts';
import {
  namedSchemas,
  nameOf,
  queryFields,
  refTo,
  refuseUnusedWords,
  type Schema,
  schemaOf,
} from './schemas.ts';
import { about, callers, groups, operations } from './words.ts';

export type Parameter = {
  name: string;
  in: 'query' | 'header';
  required: boolean;
  description: string;
  schema: Schema;
};
type Content = { 'application/json': { schema: Schema; examples?: Record<string, object> } };
export type ApiResponse = { description: string; content: Content; 'x-reasons'?: Reason[] };
export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  security: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; description: string; content: Content };
  responses: Record<string, ApiResponse>;
};
export type Method = 'get' | 'post';
export type ApiDocument = Awaited<ReturnType<typeof apiDocument>>;

/** The HTTP functions by name, in the order of the contents page. */
export async function httpFunctions(): Promise<[name: string, spec: HttpFunction['spec']][]> {
  const loaded: [string, HttpFunction['spec']][] = [];
  for (const [name, module] of Object.entries(functions)) {
    if (typeof module === 'function') loaded.push([name, (await module()).spec]);
  }
  return loaded;
}

/**
 * The document.
 * @throws {Error} where a function, a field or a reason is not described, or words are left over.
 */
export async function apiDocument(examples: Examples = readExamples()) {
  const used = new Set<string>();
  const paths: Record<string, Partial<Record<Method, Operation>>> = {};
  for (const [name, spec] of await httpFunctions()) {
    paths[`/${name}`] = { [spec.method.toLowerCase()]: operationOf(name, spec, examples, used) };
  }
  const schemas = { ...namedSchemas(used), ...errorSchemas };
  refuseUnusedWords(used);
  const [methodNotAllowed] = Object.values(
    errorResponses(['METHOD_NOT_ALLOWED'], (reason) => reason in examples.errors),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: 'nano-banana-studio',
      version: version(),
      summary: 'The functions of an AI image studio: prompts become images, credits are never lost.',
      description: about.join('\n\n'),
    },
    servers: [{ url: '/', description: 'The origin that serves this document.' }],
    tags: (Object.keys(groups) as Access[]).map((access) => ({
      name: groups[access],
      description: callers[access],
    })),
    paths,
    components: {
      securitySchemes: {
        user: bearer('An ID token of Firebase Authentication.', callers.user),
        admin: bearer('An ID token of Firebase Authentication with the claim `admin`.', callers.admin),
        scheduler: bearer('An OIDC token that Google signed.', callers.scheduler),
      },
      headers,
      responses: { MethodNotAllowed: methodNotAllowed },
      examples: Object.fromEntries(
        Object.entries(examples.errors).map(([reason, { title, response }]) => [
          reason,
          { summary: title, value: response.body },
        ]),
      ),
      schemas,
    },
    'x-error-reasons': reasonTable(),
  };
}

function operationOf(
  name: string,
  spec: HttpFunction['spec'],
  { functions: made, errors }: Examples,
  used: Set<string>,
): Operation {
  const words = operations[name];
  if (!words) throw new Error(`${name} is not described in tools/openapi/words.ts`);
  const { method, access, requiresIdempotencyKey } = spec;
  const examples = made[name] ?? [];
  const parameters = parametersOf(spec, used);
  return {
    operationId: name,
    tags: [groups[access]],
    ...words,
    security: access === 'anyone' ? [] : [{ [access]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...bodyOf(name, spec, examples),
    responses: {
      200: {
        description: 'It worked.',
        ...(requiresIdempotencyKey && { headers: headerRefs(['Idempotent-Replayed']) }),
        content: {
          'application/json': {
            schema: { $ref: refTo(nameOf(spec.answer, name)) },
            ...exampleList(examples, ({ response }) => response.body),
          },
        },
      },
      ...errorResponses(reasonsOf(name, method, access), (reason) => reason in errors),
    },
  };
}

function parametersOf(
  { method, input, requiresIdempotencyKey }: HttpFunction['spec'],
  used: Set<string>,
): Parameter[] {
  const query = method === 'GET' ? queryFields(input, used) : [];
  const parameters: Parameter[] = query.map((field) => ({ ...field, in: 'query' }));
  if (!requiresIdempotencyKey) return parameters;
  return [
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: true,
      description:
        'Names this request, so that it is done once however often it is sent: a random UUID will do. Printable ASCII.',
      schema: schemaOf(idempotencyKeySchema),
    },
    ...parameters,
  ];
}

/** The body of a POST; the calls of the scheduler need none. */
function bodyOf(
  name: string,
  { method, access, input, bodyBytesMax }: HttpFunction['spec'],
  examples: Example[],
) {
  if (method === 'GET' || access === 'scheduler') return {};
  const bytesMax = (bodyBytesMax ?? bodyBytesMaxDefault).toLocaleString('en');
  const schema = { $ref: refTo(nameOf(input, name)) };
  const content = { 'application/json': { schema, ...exampleList(examples, ({ request }) => request.body) } };
  return { requestBody: { required: true, description: `At most ${bytesMax} bytes.`, content } };
}

function exampleList(examples: Example[], pick: (example: Example) => unknown) {
  if (examples.length === 0) return {};
  return {
    examples: Object.fromEntries(
      examples.map((example, i) => [
        i === 0 ? 'plain' : `other${i}`,
        { summary: example.title, value: pick(example) },
      ]),
    ),
  };
}

const bearer = (bearerFormat: string, description: string) => ({
  type: 'http',
  scheme: 'bearer',
  bearerFormat,
  description,
});

function version(): string {
  const file = join(import.meta.dirname, '../../package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
