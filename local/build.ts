/**
 * Builds what is deployed into dist/: the functions as one ECMAScript bundle split along their lazy
 * imports, so that a cold start reads only what its function needs, and Node's compile cache of them.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');

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
  alias: { domain: './local/noDomain.ts' },
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(
  join(outdir, 'package.json'),
  `${JSON.stringify({ private: true, type: 'module', engines: { node: '24' }, scripts: { start: 'node main.mjs', 'gcp-build': '' } }, null, 2)}\n`,
);

// Every file once, but for main.mjs, which would serve. Portable: dist/ runs wherever it is put.
const files = Object.keys(result.metafile.outputs).filter((file) => basename(file) !== 'main.mjs');
const cache = { directory: join(outdir, 'compile-cache'), portable: true };
const warmUp = `import { enableCompileCache, flushCompileCache } from 'node:module';
enableCompileCache(${JSON.stringify(cache)});
for (const url of ${JSON.stringify(files.map((file) => pathToFileURL(join(root, file)).href))}) await import(url);
flushCompileCache();
process.exit(0);`;
execFileSync(process.execPath, ['--input-type=module', '--eval', warmUp], { stdio: 'inherit' });

const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(
  `dist/: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`,
);
