/** The folder for Firebase Hosting has the page, the reference, and the files that every site should have. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hostingFolder, writePage } from '../../../tools/build/artifact.ts';

it('is complete', async () => {
  const outdir = mkdtempSync(join(tmpdir(), 'nano-banana-page-test-'));
  onTestFinished(() => rmSync(outdir, { recursive: true }));
  await writePage('web', outdir);
  const folder = join(outdir, hostingFolder);
  const names = ['studio/index.html', 'reference.html', 'openapi.json', 'favicon.ico', 'robots.txt'];
  expect(names.filter((name) => !existsSync(join(folder, name)))).toEqual([]);
  // Hosting answers unknown addresses with this file.
  expect(readFileSync(join(folder, '404.html'), 'utf8')).toContain('href="/studio"');
  // The format that browsers expect at this address.
  expect(readFileSync(join(folder, 'favicon.ico')).subarray(0, 4)).toEqual(Buffer.from([0, 0, 1, 0]));
});
