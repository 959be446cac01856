/**
 * The OpenAPI document. It is made from the specs of the functions, the schemas of the contract, the table of reasons
 * and the recorded examples. The same sources always give the same bytes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { functions } from '../../functions/index.ts';
import { idempotencyKeySchema } from '../../shared/contract.ts';
import type { Reason } from '../../shared/errorReasons.ts';
import { bodyBytesMaxDefault } from '../../shared/http/body.ts';
import type { Access, HttpFunction } from '../../shared/http/endpoint.ts';
import { errorResponses, errorSchemas, findReasons, headerRefs, headers, reasonTable } from './errors.ts';
import { type Example, type Examples, readExamples } from './examples.ts';
import { about, callers, groups, operations } from './operations.ts';
import { getSchemaName, namedSchemas, queryFields, refTo, type Schema, toInputSchema } from './schemas.ts';

export type Parameter = {
  name: string;
  in: 'query' | 'header';
  required: boolean;
  description: string;
  schema: Schema;
};
/** By media type: JSON, or HTML for a page. */
type Content = Record<string, { schema: Schema; examples?: Record<string, object> }>;

/** The schema of a body, which has one media type. */
export const getBodySchema = (content: Content): Schema => Object.values(content)[0]?.schema ?? {};

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

/** The HTTP functions by name, in the order of functions/index.ts. */
export async function httpFunctions(): Promise<[name: string, spec: HttpFunction['spec']][]> {
  const loaded: [string, HttpFunction['spec']][] = [];
  for (const [name, module] of Object.entries(functions)) {
    if (typeof module === 'function') loaded.push([name, (await module()).spec]);
  }
  return loaded;
}

/** @throws {Error} if a function or a field has no description. */
export async function apiDocument(examples: Examples = readExamples()) {
  const paths: Record<string, Partial<Record<Method, Operation>>> = {};
  for (const [name, spec] of await httpFunctions()) {
    paths[`/${name}`] = { [spec.method.toLowerCase()]: createOperation(name, spec, examples) };
  }
  const [methodNotAllowed] = Object.values(
    errorResponses(['METHOD_NOT_ALLOWED'], (reason) => reason in examples.errors),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: 'nano-banana-studio',
      version: version(),
      summary: 'The functions of an AI image studio: prompts become images, and no credits are lost.',
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
      schemas: { ...namedSchemas(), ...errorSchemas },
    },
    'x-error-reasons': reasonTable(),
  };
}

function createOperation(
  name: string,
  spec: HttpFunction['spec'],
  { functions: calls, errors }: Examples,
): Operation {
  const text = operations[name];
  if (!text) throw new Error(`${name} has no description in tools/openapi/operations.ts`);
  const { access, requiresIdempotencyKey } = spec;
  const examples = calls[name] ?? [];
  const parameters = createParameters(spec);
  return {
    operationId: name,
    tags: [groups[access]],
    summary: text.summary,
    description: text.description,
    security: access === 'anyone' ? [] : [{ [access]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...createRequestBody(name, spec, examples),
    responses: {
      200: {
        description: 'Success.',
        ...(requiresIdempotencyKey && { headers: headerRefs(['Idempotent-Replayed']) }),
        content: {
          [spec.isPage ? 'text/html' : 'application/json']: {
            schema: { $ref: refTo(getSchemaName(spec.answer, name)) },
            ...exampleList(examples, ({ response }) => response.body),
          },
        },
      },
      ...errorResponses(findReasons(name, spec), (reason) => reason in errors),
    },
  };
}

function createParameters({
  method,
  input,
  requiresIdempotencyKey,
  signatureHeader,
}: HttpFunction['spec']): Parameter[] {
  if (signatureHeader !== undefined) {
    const description = "Stripe's signature of the body: its time and an HMAC.";
    return [{ name: signatureHeader, in: 'header', required: true, description, schema: { type: 'string' } }];
  }
  const query = method === 'GET' ? queryFields(input) : [];
  const parameters: Parameter[] = query.map((field) => ({ ...field, in: 'query' }));
  if (!requiresIdempotencyKey) return parameters;
  const { description = '', ...schema } = toInputSchema(idempotencyKeySchema);
  return [{ name: 'Idempotency-Key', in: 'header', required: true, description, schema }, ...parameters];
}

/** The body of a POST. Calls of the scheduler need none. */
function createRequestBody(
  name: string,
  { method, access, input, bodyBytesMax, signatureHeader }: HttpFunction['spec'],
  examples: Example[],
) {
  if (method === 'GET' || access === 'scheduler') return {};
  const bytesMax = (bodyBytesMax ?? bodyBytesMaxDefault).toLocaleString('en');
  const schema =
    signatureHeader === undefined ? { $ref: refTo(getSchemaName(input, name)) } : { type: 'object' };
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
