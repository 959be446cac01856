/** The description of the API agrees with the functions, the table of errors and the pages made from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { functions } from '../../functions/index.ts';
import { type Reason, reasons } from '../../shared/errors.ts';
import { type ApiDocument, apiDocument, httpFunctions } from '../../tools/openapi/document.ts';
import { apiDir, readExamples } from '../../tools/openapi/examples.ts';
import { markdown } from '../../tools/openapi/markdown.ts';
import { apiPages } from '../../tools/openapi/pages.ts';
import { meanings, ownReasons } from '../../tools/openapi/reasons.ts';
import { reference } from '../../tools/openapi/reference.ts';
import { anchorOf } from '../../tools/openapi/types.ts';
import { operations } from '../../tools/openapi/words.ts';

const specs = await httpFunctions();
const reasonNames = Object.keys(reasons) as Reason[];

let document: ApiDocument;

beforeAll(async () => {
  document = await apiDocument();
});

const listed = () =>
  Object.values(document.paths).flatMap((item) => Object.values(item).map((operation) => operation));

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it('is the same each time, and the same as the one that is checked in (npm run api writes it anew)', async () => {
    expect(await apiDocument()).toEqual(document);
    expect(readFileSync(join(apiDir, 'openapi.json'), 'utf8')).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });

  it('has every function of the contents page, and no other', () => {
    const byHttp = Object.keys(functions).filter((name) => typeof functions[name] === 'function');
    expect(Object.keys(document.paths)).toEqual(byHttp.map((name) => `/${name}`));
    const byEvent = Object.keys(functions).filter((name) => !byHttp.includes(name));
    for (const name of byEvent) expect(document.info.description).toContain(`\`${name}\``);
    for (const words of [operations, ownReasons]) expect(Object.keys(words).sort()).toEqual(byHttp.sort());
  });

  it.each(specs)(
    '%s: has its method, its caller, its key',
    (name, { method, access, requiresIdempotencyKey }) => {
      const operation = document.paths[`/${name}`]?.[method === 'GET' ? 'get' : 'post'];
      expect(operation?.operationId).toBe(name);
      expect(operation?.security).toEqual(access === 'anyone' ? [] : [{ [access]: [] }]);
      const key = operation?.parameters?.find((parameter) => parameter.name === 'Idempotency-Key');
      expect(key?.required).toBe(requiresIdempotencyKey);
      expect(operation?.responses[200]).toHaveProperty('content');
    },
  );
});

describe.each(reasonNames)('%s', (reason) => {
  it('is in the table, in the closed set, and in an answer of some function', () => {
    const [httpStatus, status, retry] = reasons[reason];
    expect(document['x-error-reasons'][reason]).toMatchObject({ httpStatus, status });
    expect(document['x-error-reasons'][reason]?.retry[0]).toBe(retry);
    expect(document.components.schemas.Reason?.enum).toContain(reason);
    const responses = [
      document.components.responses.MethodNotAllowed,
      ...listed().map((one) => one.responses[httpStatus]),
    ];
    expect(responses.flatMap((response) => response?.['x-reasons'] ?? [])).toContain(reason);
  });

  it('has an example', () => {
    expect(document.components.examples).toHaveProperty(reason);
  });
});

it('no reason is explained that is none', () => {
  expect(Object.keys(meanings).sort()).toEqual([...reasonNames].sort());
});

describe('the reference', () => {
  it('is the one that is checked in (npm run api writes it anew)', () => {
    const text = readFileSync(join(apiDir, 'reference.md'), 'utf8');
    expect(text.endsWith(markdown(reference(document, readExamples())))).toBe(true);
  });

  it('has no heading twice among those that links lead to, and no link that leads nowhere', () => {
    const text = readFileSync(join(apiDir, 'reference.md'), 'utf8');
    const anchors = [...text.matchAll(/^#{1,3} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
    expect(new Set(anchors).size).toBe(anchors.length);
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(50);
    expect(anchors).toEqual(expect.arrayContaining(links));
  });
});

describe('the pages for a host', () => {
  it('are the document, the reference and its style', async () => {
    const pages = await apiPages();
    expect([...pages.keys()]).toEqual(['/openapi.json', '/reference', '/reference.css']);
    expect(JSON.parse(pages.get('/openapi.json')?.body ?? '')).toEqual(document);
  });

  it('the reference asks for nothing but them: no script, no style of its own, no other host', async () => {
    const pages = await apiPages();
    const html = pages.get('/reference')?.body ?? '';
    expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
    const asked = [...html.matchAll(/<(?:link|img|a)[^>]* (?:src|href)="([^"#]+)"/g)].map(
      ([, address]) => address,
    );
    expect(new Set(asked)).toEqual(new Set(['data:,', '/openapi.json', '/reference.css']));
  });

  it('every link inside the reference leads somewhere', async () => {
    const html = (await apiPages()).get('/reference')?.body ?? '';
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(expect.arrayContaining(links));
  });
});
