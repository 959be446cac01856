/**
 * Writes docs/api/openapi.json, docs/api/reference.md and the table of reasons in docs/guides/client.md.
 * With --check it writes nothing, and fails if one of the files is out of date.
 * With --examples it first makes every example call again and writes docs/api/examples.json.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { clientGuideFile, withReasonTable } from './clientGuide.ts';
import { apiDocument } from './document.ts';
import { apiDir, readExamples } from './examples.ts';
import { markdown } from './markdown.ts';
import { reference } from './reference.ts';

const notice = '<!-- Made by `npm run api` from the functions. Change them, not this file. -->\n\n';
const root = join(import.meta.dirname, '../..');

if (process.argv.includes('--examples')) {
  const env = { ...process.env, API_EXAMPLES: 'write' };
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/api/examples.emulator.test.ts'], {
    env,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const examples = readExamples();
const document = await apiDocument(examples);
const files: [path: string, text: string][] = [
  [join(apiDir, 'openapi.json'), `${JSON.stringify(document, null, 2)}\n`],
  [join(apiDir, 'reference.md'), notice + markdown(reference(document, examples))],
  [clientGuideFile, withReasonTable(readFileSync(clientGuideFile, 'utf8'))],
];

if (process.argv.includes('--check')) {
  const stale = files.filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
  for (const [path] of stale) {
    process.stderr.write(`${relative(root, path)} is out of date: npm run api writes it again\n`);
  }
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of files) writeFileSync(path, text);
}
