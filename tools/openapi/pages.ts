/** The pages that a host serves: the OpenAPI document, the reference and its style sheet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiDocument } from './document.ts';
import { readExamples } from './examples.ts';
import { page } from './page.ts';
import { reference } from './reference.ts';

const style = '/reference.css';

/** The pages by path, made from the current functions. */
export async function apiPages(): Promise<Map<string, { type: string; body: string }>> {
  const examples = readExamples();
  const document = await apiDocument(examples);
  const blocks = reference(document, examples);
  return new Map([
    ['/openapi.json', { type: 'application/json; charset=utf-8', body: JSON.stringify(document) }],
    ['/reference', { type: 'text/html; charset=utf-8', body: page(blocks, style) }],
    [
      style,
      {
        type: 'text/css; charset=utf-8',
        body: readFileSync(join(import.meta.dirname, 'reference.css'), 'utf8'),
      },
    ],
  ]);
}
