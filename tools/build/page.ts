/** Builds the studio's page with Vite, for the local run and for Firebase Hosting. */
import { extname } from 'node:path';
import { build, type Rolldown } from 'vite';

export type Page = { type: string; body: Uint8Array | string };

const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
};

export const getMimeType = (name: string) => mimeTypes[extname(name)] ?? 'application/octet-stream';

/** Builds the page in memory: every file by its URL path, such as `/studio/index.html`. */
export async function buildPage(webDir: string): Promise<Map<string, Page>> {
  const result = await build({
    configFile: false,
    root: webDir,
    base: '/studio/',
    logLevel: 'warn',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2024',
      // Never inline a file as a data URL: the Content-Security-Policy would have to allow it.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  return new Map(
    output.map((file) => [
      `/studio/${file.fileName}`,
      { type: getMimeType(file.fileName), body: file.type === 'chunk' ? file.code : file.source },
    ]),
  );
}
