/** The content of the API reference in reading order, made from the OpenAPI document. */
import { STATUS_CODES } from 'node:http';
import { type ApiDocument, getBodySchema, type Operation } from './document.ts';
import type { ReasonEntry } from './errors.ts';
import type { Example, Examples } from './examples.ts';
import { refName, type Schema } from './schemas.ts';
import { code, describeType, fieldRows, linkToShape, toAnchor } from './types.ts';

/** A part of the reference. Texts may have `code`, *emphasis* and [links](#anchor). */
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3 | 4; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'http'; text: string }
  | { kind: 'details'; summary: string; isOpen: boolean; blocks: Block[] };

type TitledOperation = { title: string; operation: Operation };

const heading = (level: 1 | 2 | 3 | 4, content: string): Block => ({ kind: 'heading', level, text: content });
const text = (content: string): Block => ({ kind: 'text', text: content });
const paragraphs = (content: string): Block[] => content.split('\n\n').map(text);
const table = (head: string[], rows: string[][]): Block => ({ kind: 'table', head, rows });

export function reference(document: ApiDocument, { functions, errors }: Examples): Block[] {
  const { schemas } = document.components;
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  // The body of a function is shown with the function, and nowhere else.
  const bodies = new Set(operations.flatMap(({ operation }) => findBodies(operation)));
  const shapes = Object.entries(schemas).filter(([name]) => !bodies.has(name));
  return [
    heading(1, 'API reference'),
    ...paragraphs(document.info.description),
    text(
      'Further down: [the shapes](#shapes) in requests and answers, and [the errors](#errors). All examples are recorded calls; their ids, times and addresses are replaced by fixed ones.',
    ),
    heading(2, 'Functions'),
    ...document.tags.flatMap(({ name, description }) => groupBlocks(name, description, operations)),
    ...operations.flatMap((titled) =>
      functionBlocks(titled, schemas, functions[titled.operation.operationId] ?? []),
    ),
    heading(2, 'Shapes'),
    text('The parts of requests and answers.'),
    ...shapes.flatMap(([name, schema]) => [heading(3, name), ...shapeBlocks(schema, !isRequestShape(name))]),
    ...errorBlocks(document['x-error-reasons'], errors),
  ];
}

/** The names of the schemas of a function's request and answer. */
function findBodies({ requestBody, responses }: Operation): string[] {
  const contents = [requestBody?.content, responses[200]?.content];
  return contents.flatMap((content) => (content ? [refName(getBodySchema(content))] : []));
}

/** True if a client sends the shape. Then its required fields are marked, and not its optional ones. */
const isRequestShape = (name: string) => name === 'Reference';

function groupBlocks(group: string, description: string, operations: TitledOperation[]): Block[] {
  const rows = operations
    .filter(({ operation }) => operation.tags.includes(group))
    .map(({ title, operation }) => [`[${title}](#${toAnchor(title)})`, operation.summary]);
  return [heading(3, group), text(description), table(['call', 'what it does'], rows)];
}

function functionBlocks(
  { title, operation }: TitledOperation,
  schemas: Record<string, Schema>,
  examples: Example[],
): Block[] {
  const { summary, tags, description, requestBody, responses } = operation;
  const getShape = (schema: Schema) => schemas[refName(schema)] ?? {};
  const ok = getBodySchema(responses[200]?.content ?? {});
  const refusals = Object.entries(responses).filter(([status]) => status !== '200');
  return [
    heading(2, title),
    text(`**${summary}.** ${tags.join()}.`),
    ...paragraphs(description),
    heading(4, 'Request'),
    ...parameterBlocks(operation),
    ...(requestBody ? [text(`A JSON body. ${requestBody.description}`)] : []),
    ...(requestBody ? shapeBlocks(getShape(getBodySchema(requestBody.content)), false) : []),
    heading(4, 'Answer'),
    ...shapeBlocks(getShape(ok), true),
    ...examples.map(
      ({ title: exampleTitle, ...example }, i): Block => ({
        kind: 'details',
        summary: `Example: ${exampleTitle}`,
        isOpen: i === 0,
        blocks: [{ kind: 'http', text: exchange(example) }],
      }),
    ),
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
  if (parameters.length === 0) return requestBody ? [] : [text('No parameters and no body.')];
  const rows = parameters.map(({ name, in: where, required, schema, description }) => [
    `${code(name)} *(${where}${required ? ', required' : ''})*`,
    describeType(schema),
    description,
  ]);
  return [table(['parameter', 'type', 'description'], rows)];
}

function shapeBlocks(schema: Schema, isAnswer: boolean): Block[] {
  const intro = schema.description ? [text(schema.description)] : [];
  if (schema.anyOf) return [...intro, ...optionBlocks(schema.anyOf, isAnswer)];
  const rows = fieldRows(schema, '', isAnswer);
  if (rows.length > 0) return [...intro, table(['field', 'type', 'description'], rows)];
  const { description: _, ...rest } = schema;
  return [...intro, text(`One of ${describeType(rest)}.`)];
}

function optionBlocks(options: Schema[], isAnswer: boolean): Block[] {
  return options.flatMap((option, i) => [
    text(i === 0 ? 'Either' : 'or'),
    option.$ref
      ? text(linkToShape(option.$ref))
      : table(['field', 'type', 'description'], fieldRows(option, '', isAnswer)),
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
      ...Object.entries(row.metadata).map(([name, meaning]) => `${code(name)}: ${meaning}`),
      ...(row.retryAfter === 'always' ? ['With `Retry-After`.'] : []),
      ...(row.retryAfter === 'sometimes' ? ['Sometimes with `Retry-After`.'] : []),
    ].join(' '),
  ]);
  return [
    heading(2, 'Errors'),
    text(
      "Every error is an [Error](#error) in Google's API error model. A program decides by `reason` and `metadata.retry` in the first detail, an [ErrorInfo](#errorinfo). `same_key`: the outcome is open, so send the request again with the same Idempotency-Key. `new_key`: the request has failed for good, so a new try needs a new key. `no`: the same request will fail again. If two values are listed, the second is for a generation that was debited: its credits are refunded, and the `receipt` says so. The answer itself always decides: it is also `same_key` while the refund of a failed generation is still open.",
    ),
    table(['HTTP', 'reason', 'status', 'retry', 'when, and further `metadata`'], rows),
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

/** A call and its answer as on the wire, with indented bodies. */
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

const bodyLines = (body: unknown) => {
  if (body === undefined) return [];
  // A text is a page.
  return ['', typeof body === 'string' ? body : JSON.stringify(body, null, 2)];
};
