/** Every string of the page is in web/strings: the views have no words of their own. */
import { globSync, readFileSync } from 'node:fs';
import { Lang, parse } from '@ast-grep/napi';
import { expect, test } from 'vitest';

const files = globSync('web/{views,components,desk}/*.tsx').concat('web/App.tsx', 'web/main.tsx');
const hasWords = (text: string) => /\p{L}{2}/u.test(text);
/** What people read or hear. */
const readAttributes = ['aria-label', 'title', 'placeholder', 'alt', 'label', 'legend'];

test.each(files)('%s has no words in its markup', (file) => {
  const root = parse(Lang.Tsx, readFileSync(file, 'utf8')).root();
  const texts = root.findAll({ rule: { kind: 'jsx_text' } }).map((node) => node.text());
  const attributes = root
    .findAll({ rule: { kind: 'jsx_attribute', has: { kind: 'string' } } })
    .map((node) => node.text())
    .filter((attribute) => readAttributes.includes(attribute.split('=')[0] ?? ''));
  expect([...texts, ...attributes].filter(hasWords)).toEqual([]);
});
