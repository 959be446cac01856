/** Builds what is deployed into dist/. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFunctions } from './bundle.ts';

const outdir = join(import.meta.dirname, '../dist');

rmSync(outdir, { recursive: true, force: true });
const { outputs } = await bundleFunctions(outdir);
writeFileSync(
  join(outdir, 'package.json'),
  `${JSON.stringify({ private: true, type: 'module', engines: { node: '24' }, scripts: { start: 'node main.mjs', 'gcp-build': '' } }, null, 2)}\n`,
);
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist/: ${Object.keys(outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
