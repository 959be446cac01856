/**
 * The functions as one ECMAScript bundle split along their lazy imports, so that a cold start reads only
 * what its function needs.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { lighten } from './lighten.ts';
import { rules } from './rules.ts';

// Bundled CommonJS still asks for these; the names are long because minified code uses the short ones.
const banner = `import { createRequire as banner_createRequire } from 'node:module';
import { fileURLToPath as banner_fileURLToPath } from 'node:url';
import { dirname as banner_dirname } from 'node:path';
const require = banner_createRequire(import.meta.url);
const __filename = banner_fileURLToPath(import.meta.url);
const __dirname = banner_dirname(__filename);`;

/** Bundles the functions into `outdir`; tells what went in and what came out. */
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
    // `debug` tries it and does without; it is here only because a tool for development wants it.
    external: ['supports-color'],
    alias: { domain: './tools/build/noDomain.ts' },
    plugins: [lighten(rules)],
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * Has Node compile every file of a bundle and keep what it made of it in `compile-cache/`, which counts wherever
 * the bundle is put, for the same Node, processor and user; elsewhere nothing is lost. All but main.mjs, which
 * would serve.
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
