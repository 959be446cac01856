/** What the local port serves beside the functions: what Firebase Hosting serves in production. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { build, stop } from 'esbuild';
import type { Site } from '../shared/server.ts';

type Page = { type: string; body: Uint8Array | string };

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const typeOf = (name: string) => types[extname(name)] ?? 'application/octet-stream';

export type SiteOptions = { webDir: string; projectId: string; authHost: string; firestoreHost: string };

/** Builds the studio's page, in memory, and serves it with the configuration that Hosting would give it. */
export async function createSite(options: SiteOptions): Promise<Site> {
  const pages = await studioPages(options.webDir);
  pages.set('/__/firebase/init.json', { type: typeOf('.json'), body: JSON.stringify(firebaseInit(options)) });
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path === '/') return answer(request, response, 302, { location: '/studio' });
    const page = pages.get(path);
    return page ? answer(request, response, 200, { 'content-type': page.type }, page.body) : false;
  };
}

/** Answers a GET or HEAD; what is built anew at every start is never to be kept. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Uint8Array | string = '',
): true {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return true;
  }
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, { ...headers, 'content-length': length, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? '' : body);
  return true;
}

/** Everything of the page by its path: the bundled script, and each other file as it is. */
async function studioPages(webDir: string): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  for (const entry of readdirSync(webDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(ts|md)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    pages.set(`/studio${file.slice(webDir.length)}`, { type: typeOf(file), body: readFileSync(file) });
  }
  for (const { path, contents } of await bundled(webDir)) {
    pages.set(path, { type: typeOf(path), body: contents });
  }
  const index = pages.get('/studio/index.html');
  if (index) pages.set('/studio', index).set('/studio/', index);
  return pages;
}

async function bundled(webDir: string) {
  const entry = join(webDir, 'studio.ts');
  if (!existsSync(entry)) return [];
  const { outputFiles } = await build({
    entryPoints: [entry],
    outdir: '/studio',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  // The bundler is a process of its own, which would stay for as long as this one.
  await stop();
  return outputFiles;
}

/** As Hosting answers for a project's web app, with the addresses of the emulators. */
function firebaseInit({ projectId, authHost, firestoreHost }: SiteOptions) {
  return {
    projectId,
    // Neither is looked at by the emulators, but Firebase's client wants them.
    apiKey: 'local',
    appId: '1:1:web:local',
    authDomain: `${projectId}.firebaseapp.com`,
    storageBucket: `${projectId}.firebasestorage.app`,
    messagingSenderId: '1',
    emulators: { auth: hostAndPort(authHost), firestore: hostAndPort(firestoreHost) },
  };
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
