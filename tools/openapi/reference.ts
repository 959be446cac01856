/** The readable reference, made from the OpenAPI document: what it says in which order, however it is shown. */
import { STATUS_CODES } from 'node:http';
import type { ApiDocument, Operation } from './document.ts';
import type { ReasonEntry } from './errors.ts';
import type { Example, Examples } from './examples.ts';
import type { Schema } from './schemas.ts';
import { anchorOf, code, fieldRows, linkTo, typeOf } from './types.ts';

/** A piece of the reference. Texts may hold `code`, *emphasis* and [links](#anchor). */
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3 | 4; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'http'; text: string }
  | { kind: 'details'; summary: string; isOpen: boolean; blocks: Block[] };

type Listed = { title: string; operation: Operation };

const heading = (level: 1 | 2 | 3 | 4, words: string): Block => ({ kind: 'heading', level, text: words });
const text = (words: string): Block => ({ kind: 'text', text: words });
const paragraphs = (words: string): Block[] => words.split('\n\n').map(text);
const table = (head: string[], rows: string[][]): Block => ({ kind: 'table', head, rows });

/** Every part of the reference, in reading order. */
export function reference(document: ApiDocument, { functions, errors }: Examples): Block[] {
  const { schemas } = document.components;
  const listed = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  // A whole body is shown with its function, and nowhere else.
  const bodies = new Set(listed.flatMap(({ operation }) => bodiesOf(operation)));
  const shapes = Object.entries(schemas).filter(([name]) => !bodies.has(name));
  return [
    heading(1, 'API reference'),
    ...paragraphs(document.info.description),
    text(
      'Further down: [the shapes](#shapes) that requests and answers are made of, and [the errors](#errors). All examples are calls that were really made; ids, times and addresses in them are stand-ins.',
    ),
    heading(2, 'Functions'),
    ...document.tags.flatMap(({ name, description }) => contents(name, description, listed)),
    ...listed.flatMap((one) => functionBlocks(one, schemas, functions[one.operation.operationId] ?? [])),
    heading(2, 'Shapes'),
    text('What requests and answers are made of.'),
    ...shapes.flatMap(([name, schema]) => [heading(3, name), ...shapeBlocks(schema, !isSent(name))]),
    ...errorBlocks(document['x-error-reasons'], errors),
  ];
}

const nameIn = ({ $ref = '' }: Schema) => $ref.split('/').at(-1) ?? '';

function bodiesOf({ requestBody, responses }: Operation): string[] {
  const contents = [requestBody?.content, responses[200]?.content];
  return contents.flatMap((content) => (content ? [nameIn(content['application/json'].schema)] : []));
}

/** Whether a shape is what a client sends: what it must send is marked then, not what may be missing. */
const isSent = (name: string) => name === 'Reference';

function contents(group: string, description: string, listed: Listed[]): Block[] {
  const rows = listed
    .filter(({ operation }) => operation.tags.includes(group))
    .map(({ title, operation }) => [`[${title}](#${anchorOf(title)})`, operation.summary]);
  return [heading(3, group), text(description), table(['call', 'what it does'], rows)];
}

function functionBlocks(
  { title, operation }: Listed,
  schemas: Record<string, Schema>,
  examples: Example[],
): Block[] {
  const { summary, tags, description, requestBody, responses } = operation;
  const shapeOf = (schema: Schema) => schemas[nameIn(schema)] ?? {};
  const ok = responses[200]?.content['application/json'].schema ?? {};
  const refusals = Object.entries(responses).filter(([status]) => status !== '200');
  return [
    heading(2, title),
    text(`**${summary}.** ${tags.join()}.`),
    ...paragraphs(description),
    heading(4, 'Request'),
    ...parameterBlocks(operation),
    ...(requestBody ? [text(`A JSON body. ${requestBody.description}`)] : []),
    ...(requestBody ? shapeBlocks(shapeOf(requestBody.content['application/json'].schema), false) : []),
    heading(4, 'Answer'),
    ...shapeBlocks(shapeOf(ok), true),
    ...examples.flatMap(({ title: what, ...example }, i): Block[] => {
      const shown: Block = { kind: 'http', text: exchange(example) };
      return [{ kind: 'details', summary: `Example: ${what}`, isOpen: i === 0, blocks: [shown] }];
    }),
    heading(4, 'Errors'),
    table(
      ['HTTP', 'reasons'],
      refusals.map(([status, { 'x-reasons': reasons = [] }]) => [
        status,
        reasons.map((reason) => `[${reason}](#errors)`).join(', '),
      ]),
    ),
  ];
}

function parameterBlocks({ parameters = [], requestBody }: Operation): Block[] {
  if (parameters.length === 0) return requestBody ? [] : [text('Takes no parameters and no body.')];
  const rows = parameters.map(({ name, in: where, required, schema, description }) => [
    `${code(name)} *(${where}${required ? ', required' : ''})*`,
    typeOf(schema),
    description,
  ]);
  return [table(['parameter', 'type', 'what'], rows)];
}

function shapeBlocks(schema: Schema, isAnswer: boolean): Block[] {
  const words = schema.description ? [text(schema.description)] : [];
  if (schema.anyOf) return [...words, ...either(schema.anyOf, isAnswer)];
  const rows = fieldRows(schema, '', isAnswer);
  if (rows.length > 0) return [...words, table(['field', 'type', 'what'], rows)];
  const { description: _, ...rest } = schema;
  return [...words, text(`One of ${typeOf(rest)}.`)];
}

function either(ways: Schema[], isAnswer: boolean): Block[] {
  return ways.flatMap((way, i) => [
    text(i === 0 ? 'Either' : 'or'),
    way.$ref ? text(linkTo(way.$ref)) : table(['field', 'type', 'what'], fieldRows(way, '', isAnswer)),
  ]);
}

function errorBlocks(reasons: Record<string, ReasonEntry>, errors: Record<string, Example>): Block[] {
  const rows = Object.entries(reasons).map(([reason, { httpStatus, status, retry, when, ...row }]) => [
    `${httpStatus}`,
    code(reason),
    status,
    retry.map(code).join(' or '),
    [
      when,
      ...Object.entries(row.metadata).map(([name, what]) => `${code(name)}: ${what}`),
      ...(row.retryAfter === 'never' ? [] : ['With `Retry-After`.']),
    ].join(' '),
  ]);
  return [
    heading(2, 'Errors'),
    text(
      "Every error is an [Error](#error) in Google's API error model. A program decides by `reason` and `metadata.retry` of its first detail, an [ErrorInfo](#errorinfo): `same_key` means that nothing is settled, so ask again with the same Idempotency-Key; `new_key` that it has failed for good and a new try needs a new key; `no` that the same request will fail again. Where two are named, the second is said of a generation that was debited; its credits are back then, and the `receipt` says so. What an answer itself says counts: it is `same_key` also while the refund of a failed generation is still to come.",
    ),
    table(['HTTP', 'reason', 'status', 'retry', 'when, and what else is in `metadata`'], rows),
    heading(3, 'Examples of errors'),
    ...Object.entries(errors).map(
      ([reason, { title, ...example }]): Block => ({
        kind: 'details',
        summary: `${reason}: ${title}`,
        isOpen: false,
        blocks: [{ kind: 'http', text: exchange(example) }],
      }),
    ),
  ];
}

/** A call and its answer, as on the wire but for the layout of the bodies. */
function exchange({ request, response }: Pick<Example, 'request' | 'response'>): string {
  return [
    `${request.method} ${request.path}`,
    ...headerLines(request.headers),
    ...bodyLines(request.body),
    '',
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}`,
    ...headerLines(response.headers),
    ...bodyLines(response.body),
  ].join('\n');
}

const headerLines = (headers: Record<string, string>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

const bodyLines = (body: unknown) => (body === undefined ? [] : ['', JSON.stringify(body, null, 2)]);
