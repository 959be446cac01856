/**
 * Bundles the functions as ECMAScript modules, split at their lazy imports, so that a cold start reads only the code
 * of its function.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { lighten } from './lighten.ts';
import { rules } from './rules.ts';

// Bundled CommonJS modules need these. The prefixes keep them apart from minified names.
const banner = `import { createRequire as banner_createRequire } from 'node:module';
import { fileURLToPath as banner_fileURLToPath } from 'node:url';
import { dirname as banner_dirname } from 'node:path';
const require = banner_createRequire(import.meta.url);
const __filename = banner_fileURLToPath(import.meta.url);
const __dirname = banner_dirname(__filename);`;

/** Bundles the functions into `outdir`. @returns esbuild's list of inputs and outputs. */
export async function bundleFunctions(outdir: string) {
  const { metafile } = await build({
    absWorkingDir: join(import.meta.dirname, '../..'),
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
    // `debug` works without it. It is installed only for a development tool.
    external: ['supports-color'],
    alias: { domain: './tools/build/noDomain.ts' },
    plugins: [lighten(rules)],
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * Has Node compile every file of a bundle and store the result in `compile-cache/`. The cache is portable: it works in
 * any folder, for the same Node version, processor and user, and is ignored otherwise. Leaves out main.mjs, because
 * loading it would start the server.
 */
export function writeCompileCache(outdir: string): void {
  const files = readdirSync(outdir).filter((file) => file.endsWith('.mjs') && file !== 'main.mjs');
  const cache = { directory: join(outdir, 'compile-cache'), portable: true };
  const urls = files.map((file) => pathToFileURL(join(outdir, file)).href);
  const warmUp = `import { enableCompileCache, flushCompileCache } from 'node:module';
enableCompileCache(${JSON.stringify(cache)});
for (const url of ${JSON.stringify(urls)}) await import(url);
flushCompileCache();
process.exit(0);`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', warmUp], { stdio: 'inherit' });
}
