/** The API's description agrees with the functions and the table of reasons, and the files in docs/ are current. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { functions } from '../../functions/index.ts';
import { getReasonRow, type Reason, reasons } from '../../shared/errorReasons.ts';
import { clientGuideFile, withReasonTable } from '../../tools/openapi/clientGuide.ts';
import { type ApiDocument, apiDocument, httpFunctions } from '../../tools/openapi/document.ts';
import { apiDir, readExamples } from '../../tools/openapi/examples.ts';
import { markdown } from '../../tools/openapi/markdown.ts';
import { operations } from '../../tools/openapi/operations.ts';
import { apiPages } from '../../tools/openapi/pages.ts';
import { reference } from '../../tools/openapi/reference.ts';
import { toAnchor } from '../../tools/openapi/types.ts';

const specs = await httpFunctions();
const reasonNames = Object.keys(reasons) as Reason[];

let document: ApiDocument;

beforeAll(async () => {
  document = await apiDocument();
});

const allOperations = () => Object.values(document.paths).flatMap((item) => Object.values(item));

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  });

  it('is the same each time, and equals docs/api/openapi.json (npm run api writes it)', async () => {
    expect(await apiDocument()).toEqual(document);
    expect(readFileSync(join(apiDir, 'openapi.json'), 'utf8')).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });

  it('has exactly the functions of functions/index.ts', () => {
    const byHttp = Object.keys(functions).filter((name) => typeof functions[name] === 'function');
    expect(Object.keys(document.paths)).toEqual(byHttp.map((name) => `/${name}`));
    const byEvent = Object.keys(functions).filter((name) => !byHttp.includes(name));
    for (const name of byEvent) expect(document.info.description).toContain(`\`${name}\``);
    expect(Object.keys(operations).sort()).toEqual(byHttp.sort());
  });

  it.each(specs)(
    '%s has the method, the caller and the key of its spec',
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
    const { httpStatus, status, retry, when } = reasons[reason];
    expect(document['x-error-reasons'][reason]).toMatchObject({ httpStatus, status, when });
    expect(document['x-error-reasons'][reason]?.retry[0]).toBe(retry);
    expect(document.components.schemas.Reason?.enum).toContain(reason);
    const responses = [
      document.components.responses.MethodNotAllowed,
      ...allOperations().map(({ responses }) => responses[httpStatus]),
    ];
    expect(responses.flatMap((response) => response?.['x-reasons'] ?? [])).toContain(reason);
  });

  it('has an example', () => {
    expect(document.components.examples).toHaveProperty(reason);
  });
});

it('every function with a rate limit can answer RATE_LIMITED', () => {
  const limited = specs.flatMap(([name, { limit }]) => (limit ? [name] : []));
  expect(limited).not.toEqual([]);
  for (const name of limited) {
    const [operation] = Object.values(document.paths[`/${name}`] ?? {});
    expect(operation?.responses[429]?.['x-reasons']).toContain('RATE_LIMITED');
  }
});

describe('the client guide', () => {
  const guide = readFileSync(clientGuideFile, 'utf8');

  it('has the current table of reasons (npm run api writes it)', () => {
    expect(withReasonTable(guide)).toBe(guide);
    for (const reason of reasonNames) {
      const { tell, action } = getReasonRow(reason);
      expect(guide).toContain(`| ${reason} | ${tell} | ${action} |`);
    }
  });

  it('gets its table only between the two comments', () => {
    const opening = '<!-- reasons: made by npm run api -->';
    const closing = '<!-- end of reasons -->';
    const text = withReasonTable(`before\n${opening}\nold\n${closing}\nafter`);
    expect(text).toMatch(/^before\n.*\| UNAUTHENTICATED \|.*\nafter$/s);
    expect(text).not.toContain('old\n');
    expect(() => withReasonTable('no table here')).toThrow('docs/guides/client.md needs');
    expect(() => withReasonTable(`${closing}${opening}`)).toThrow('docs/guides/client.md needs');
  });
});

describe('the reference', () => {
  it('equals docs/api/reference.md (npm run api writes it)', () => {
    const text = readFileSync(join(apiDir, 'reference.md'), 'utf8');
    expect(text.endsWith(markdown(reference(document, readExamples())))).toBe(true);
  });

  it('has unique anchors, and every link leads to one', () => {
    const text = readFileSync(join(apiDir, 'reference.md'), 'utf8');
    const anchors = [...text.matchAll(/^#{1,3} (.+)$/gm)].map(([, heading = '']) => toAnchor(heading));
    expect(new Set(anchors).size).toBe(anchors.length);
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(50);
    expect(anchors).toEqual(expect.arrayContaining(links));
  });
});

describe('the served pages', () => {
  it('are the document, the reference and its style sheet', async () => {
    const pages = await apiPages();
    expect([...pages.keys()]).toEqual(['/openapi.json', '/reference', '/reference.css']);
    expect(JSON.parse(pages.get('/openapi.json')?.body ?? '')).toEqual(document);
  });

  it('the reference loads nothing else: no script, no inline style, no other host', async () => {
    const pages = await apiPages();
    const html = pages.get('/reference')?.body ?? '';
    expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
    const addresses = [...html.matchAll(/<(?:link|img|a)[^>]* (?:src|href)="([^"#]+)"/g)].map(
      ([, address]) => address,
    );
    expect(new Set(addresses)).toEqual(new Set(['data:,', '/openapi.json', '/reference.css']));
  });

  it('every link inside the reference leads to an anchor', async () => {
    const html = (await apiPages()).get('/reference')?.body ?? '';
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(expect.arrayContaining(links));
  });
});
