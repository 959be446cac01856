/**
 * The examples in docs/api are recorded here. Each answer has to fit the schema that its function declares and the one
 * in the OpenAPI document. `npm run api -- --examples` writes the examples again.
 */
import { writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorAnswerSchema } from '../../shared/contract.ts';
import { getReasonRow, type Reason, reasons } from '../../shared/errorReasons.ts';
import {
  type ApiDocument,
  apiDocument,
  httpFunctions,
  type Operation,
} from '../../tools/openapi/document.ts';
import { type Examples, examplesFile, readExamples } from '../../tools/openapi/examples.ts';
import { getErrorInfo, getReason } from '../support/replies.ts';
import { type Calls, callEveryFunction, type RecordedCall, startCalls } from './calls.ts';
import { failWithEveryReason } from './failures.ts';

const specs = new Map(await httpFunctions());
const reasonNames = Object.keys(reasons) as Reason[];

let calls: Calls;
let successes: RecordedCall[];
let failures: Record<string, RecordedCall>;
let examples: Examples;
let document: ApiDocument;
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });

beforeAll(async () => {
  calls = await startCalls();
  successes = await callEveryFunction(calls);
  failures = await failWithEveryReason(calls);
  const byName = Map.groupBy(successes, ({ name }) => name);
  examples = {
    functions: Object.fromEntries(
      [...specs.keys()].map((name) => [name, (byName.get(name) ?? []).map(({ example }) => example)]),
    ),
    errors: Object.fromEntries(
      reasonNames.flatMap((reason) => (failures[reason] ? [[reason, failures[reason].example]] : [])),
    ),
  };
  if (process.env.API_EXAMPLES === 'write')
    writeFileSync(examplesFile, `${JSON.stringify(examples, null, 2)}\n`);
  document = await apiDocument(examples);
  ajv.addSchema(document, 'document');
});
afterAll(() => calls?.close());

/** The errors of a value by a schema of the document. */
function findErrors(pointer: string, value: unknown): string[] {
  const validate = ajv.getSchema(`document#${pointer}`);
  if (!validate) throw new Error(`The document has no ${pointer}`);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function getOperation(name: string): { operation: Operation; pointer: string } {
  const [method, operation] = Object.entries(document.paths[`/${name}`] ?? {})[0] ?? [];
  if (!method || !operation) throw new Error(`The document has no ${name}`);
  return { operation, pointer: `/paths/~1${name}/${method}` };
}

it('docs/api/examples.json equals the recorded calls (npm run api -- --examples writes it)', () => {
  expect(readExamples()).toEqual(examples);
});

describe.each([...specs.keys()])('%s', (name) => {
  const ownCalls = () => successes.filter((recorded) => recorded.name === name);

  it('succeeds at least once', () => {
    expect(ownCalls().map(({ reply }) => reply.status)).toEqual(ownCalls().map(() => 200));
    expect(ownCalls().length).toBeGreaterThan(0);
  });

  it('answers by its own schema and by the schema in the document', () => {
    for (const { reply } of ownCalls()) {
      expect(specs.get(name)?.answer.safeParse(reply.body).error).toBeUndefined();
      const { pointer } = getOperation(name);
      const mediaType = specs.get(name)?.isPage ? 'text~1html' : 'application~1json';
      expect(findErrors(`${pointer}/responses/200/content/${mediaType}/schema`, reply.body)).toEqual([]);
    }
  });

  it('accepts requests that fit the document', () => {
    const { operation, pointer } = getOperation(name);
    for (const { example } of ownCalls()) {
      if (operation.requestBody) {
        expect(
          findErrors(`${pointer}/requestBody/content/application~1json/schema`, example.request.body),
        ).toEqual([]);
      }
      const required = (operation.parameters ?? []).filter((parameter) => parameter.required);
      const documented = (operation.parameters ?? []).map((parameter) => parameter.name);
      const sent = [...new URL(example.request.path, 'http://localhost').searchParams.keys()];
      const given = [...sent, ...Object.keys(example.request.headers)];
      expect(given).toEqual(expect.arrayContaining(required.map((parameter) => parameter.name)));
      expect(documented).toEqual(expect.arrayContaining(sent));
    }
  });
});

describe.each(reasonNames)('%s', (reason) => {
  const getFailure = () => {
    const failure = failures[reason];
    if (!failure) throw new Error(`No call failed with ${reason}`);
    return failure;
  };

  it('has the shape that the contract and the document say', () => {
    const { reply } = getFailure();
    expect(getReason(reply)).toBe(reason);
    expect(errorAnswerSchema.safeParse(reply.body).error).toBeUndefined();
    expect(findErrors('/components/schemas/Error', reply.body)).toEqual([]);
  });

  it('is documented for its function, under its status', () => {
    const { name, reply } = getFailure();
    const { operation } = getOperation(name);
    const response =
      reason === 'METHOD_NOT_ALLOWED'
        ? document.components.responses.MethodNotAllowed
        : operation.responses[reply.status];
    expect(response?.['x-reasons']).toContain(reason);
  });

  it('has the status, the advice, the metadata and the wait of the table', () => {
    const { reply } = getFailure();
    const row = document['x-error-reasons'][reason];
    const { retry, ...metadata } = getErrorInfo(reply).metadata;
    expect([reply.status, reply.body.error.status]).toEqual([row?.httpStatus, row?.status]);
    expect(row?.retry).toContain(retry);
    expect(Object.keys(row?.metadata ?? {})).toEqual(expect.arrayContaining(Object.keys(metadata)));
    expect(Object.keys(metadata)).toEqual(
      expect.arrayContaining(Object.keys(getReasonRow(reason).metadata ?? {})),
    );
    const wait = reply.headers.get('retry-after');
    if (row?.retryAfter === 'always') expect(wait).toMatch(/^[1-9]\d*$/);
    if (row?.retryAfter === 'never') expect(wait).toBeNull();
  });
});
