/**
 * Writes docs/api/openapi.json and docs/api/reference.md from the functions and docs/api/examples.json.
 * With --check it writes nothing, and fails where one of them is not what it would write.
 * With --examples it first makes every example call again and writes docs/api/examples.json.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiDocument } from './document.ts';
import { apiDir, readExamples } from './examples.ts';
import { markdown } from './markdown.ts';
import { reference } from './reference.ts';

const notice = '<!-- Made by `npm run api` from the functions: change those, not this file. -->\n\n';

if (process.argv.includes('--examples')) {
  const env = { ...process.env, API_EXAMPLES: 'write' };
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/api/examples.test.ts'], {
    env,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const examples = readExamples();
const document = await apiDocument(examples);
const files = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  'reference.md': notice + markdown(reference(document, examples)),
};

if (process.argv.includes('--check')) {
  const stale = Object.entries(files).filter(([name, text]) => {
    const file = join(apiDir, name);
    return !existsSync(file) || readFileSync(file, 'utf8') !== text;
  });
  for (const [name] of stale) {
    process.stderr.write(`docs/api/${name} is not what the functions declare: npm run api writes it anew\n`);
  }
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(apiDir, name), text);
}
