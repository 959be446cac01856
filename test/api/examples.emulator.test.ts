/**
 * The examples in docs/api are calls that were really made here, and each answer is what its function
 * declares and what the description of the API says. `npm run api:examples` writes them anew.
 */
import { writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorAnswerSchema } from '../../shared/contract.ts';
import { type Reason, reasons } from '../../shared/errors.ts';
import {
  type ApiDocument,
  apiDocument,
  httpFunctions,
  type Operation,
} from '../../tools/openapi/document.ts';
import { type Examples, examplesFile, readExamples } from '../../tools/openapi/examples.ts';
import { getErrorInfo, getReason } from '../support/replies.ts';
import { type Calls, callEveryFunction, type Made, startCalls } from './calls.ts';
import { callIntoEveryReason } from './failures.ts';

const specs = new Map(await httpFunctions());
const reasonNames = Object.keys(reasons) as Reason[];

let calls: Calls;
let successes: Made[];
let failures: Record<string, Made>;
let made: Examples;
let document: ApiDocument;
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });

beforeAll(async () => {
  calls = await startCalls();
  successes = await callEveryFunction(calls);
  failures = await callIntoEveryReason(calls);
  const byName = Map.groupBy(successes, ({ name }) => name);
  made = {
    functions: Object.fromEntries(
      [...specs.keys()].map((name) => [name, (byName.get(name) ?? []).map(({ example }) => example)]),
    ),
    errors: Object.fromEntries(
      reasonNames.flatMap((reason) => (failures[reason] ? [[reason, failures[reason].example]] : [])),
    ),
  };
  if (process.env.API_EXAMPLES === 'write') writeFileSync(examplesFile, `${JSON.stringify(made, null, 2)}\n`);
  document = await apiDocument(made);
  ajv.addSchema(document, 'document');
});
afterAll(() => calls?.close());

/** What is wrong with a value by a schema of the document. */
function faults(pointer: string, value: unknown): string[] {
  const validate = ajv.getSchema(`document#${pointer}`);
  if (!validate) throw new Error(`The document has no ${pointer}`);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function operationOf(name: string): { operation: Operation; pointer: string } {
  const [method, operation] = Object.entries(document.paths[`/${name}`] ?? {})[0] ?? [];
  if (!method || !operation) throw new Error(`The document has no ${name}`);
  return { operation, pointer: `/paths/~1${name}/${method}` };
}

it('the examples that are checked in are what was answered (npm run api:examples writes them anew)', () => {
  expect(readExamples()).toEqual(made);
});

describe.each([...specs.keys()])('%s', (name) => {
  const own = () => successes.filter((one) => one.name === name);

  it('succeeds at least once', () => {
    expect(own().map(({ reply }) => reply.status)).toEqual(own().map(() => 200));
    expect(own().length).toBeGreaterThan(0);
  });

  it('answers what it declares, and what the document says', () => {
    for (const { reply } of own()) {
      expect(specs.get(name)?.answer.safeParse(reply.body).error).toBeUndefined();
      const { pointer } = operationOf(name);
      expect(faults(`${pointer}/responses/200/content/application~1json/schema`, reply.body)).toEqual([]);
    }
  });

  it('takes what the document says', () => {
    const { operation, pointer } = operationOf(name);
    for (const { example } of own()) {
      if (operation.requestBody) {
        expect(
          faults(`${pointer}/requestBody/content/application~1json/schema`, example.request.body),
        ).toEqual([]);
      }
      const required = (operation.parameters ?? []).filter((parameter) => parameter.required);
      for (const parameter of required) expect(example.request.headers).toHaveProperty([parameter.name]);
      const known = (operation.parameters ?? []).map((parameter) => parameter.name);
      const sent = [...new URL(example.request.path, 'http://localhost').searchParams.keys()];
      expect(known).toEqual(expect.arrayContaining(sent));
    }
  });
});

describe.each(reasonNames)('%s', (reason) => {
  const failure = () => {
    const one = failures[reason];
    if (!one) throw new Error(`Nothing was answered with ${reason}`);
    return one;
  };

  it('is what was answered, in the shape that the document and the contract give', () => {
    const { reply } = failure();
    expect(getReason(reply)).toBe(reason);
    expect(errorAnswerSchema.safeParse(reply.body).error).toBeUndefined();
    expect(faults('/components/schemas/Error', reply.body)).toEqual([]);
  });

  it('is an answer that the document knows of its function, under its status', () => {
    const { name, reply } = failure();
    const { operation } = operationOf(name);
    const known =
      reason === 'METHOD_NOT_ALLOWED'
        ? document.components.responses.MethodNotAllowed
        : operation.responses[reply.status];
    expect(known?.['x-reasons']).toContain(reason);
  });

  it('gives the advice, the facts and the wait that the table says', () => {
    const { reply } = failure();
    const row = document['x-error-reasons'][reason];
    const { retry, ...metadata } = getErrorInfo(reply).metadata;
    expect([reply.status, reply.body.error.status]).toEqual([row?.httpStatus, row?.status]);
    expect(row?.retry).toContain(retry);
    expect(Object.keys(row?.metadata ?? {})).toEqual(expect.arrayContaining(Object.keys(metadata)));
    const wait = reply.headers.get('retry-after');
    if (row?.retryAfter === 'always') expect(wait).toMatch(/^[1-9]\d*$/);
    if (row?.retryAfter === 'never') expect(wait).toBeNull();
  });
});
