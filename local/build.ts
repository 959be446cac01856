/**
 * Builds what is deployed into dist/, or into the folder that is named: the functions as one ECMAScript
 * bundle split along their lazy imports, so that a cold start reads only what its function needs, and the
 * page in dist/hosting/.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { writePackage, writePage } from './deploy/artifact.ts';

const root = join(import.meta.dirname, '..');
const outdir = resolve(process.argv[2] ?? join(root, 'dist'));

// Bundled CommonJS still asks for these; the names are long because minified code uses the short ones.
const banner = `import { createRequire as banner_createRequire } from 'node:module';
import { fileURLToPath as banner_fileURLToPath } from 'node:url';
import { dirname as banner_dirname } from 'node:path';
const require = banner_createRequire(import.meta.url);
const __filename = banner_fileURLToPath(import.meta.url);
const __dirname = banner_dirname(__filename);`;

rmSync(outdir, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: ['functions/main.ts'],
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  banner: { js: banner },
  metafile: true,
  logLevel: 'warning',
});
writePackage(outdir);
await writePage(join(root, 'web'), outdir);
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(
  `dist/: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`,
);
