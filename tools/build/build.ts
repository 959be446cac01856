/** `npm run build`: builds the functions into dist/, or another folder, and the page into its folder hosting/. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writePackage, writePage } from './artifact.ts';
import { bundleFunctions, writeCompileCache } from './bundle.ts';

const root = join(import.meta.dirname, '../..');
const [folder = join(root, 'dist')] = parseArgs({ allowPositionals: true }).positionals;
const outdir = resolve(folder);

rmSync(outdir, { recursive: true, force: true });
const { outputs } = await bundleFunctions(outdir);
writeCompileCache(outdir);
writePackage(outdir);
await writePage(join(root, 'web'), outdir);
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist/: ${Object.keys(outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
