/** Serves the page and the API reference on the functions' port, as Firebase Hosting does in production. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StaticHandler } from '../shared/http/server.ts';
import { buildPage, getMimeType } from '../tools/build/page.ts';
import { apiPages } from '../tools/openapi/pages.ts';
import { pageHeaders } from '../web/securityPolicy.ts';

export type SiteOptions = { webDir: string; projectId: string; authHost: string; firestoreHost: string };

/** The emulators and fakes listen on ports that are not known in advance. */
const localOrigins = ['http://127.0.0.1:*', 'http://localhost:*'];

/** Builds the page and the API reference in memory, and serves them with the configuration of a Firebase web app. */
export async function createSite(options: SiteOptions): Promise<StaticHandler> {
  const pages = new Map([...(await buildPage(options.webDir)), ...(await apiPages())]);
  const index = pages.get('/studio/index.html');
  if (index) pages.set('/studio', index).set('/studio/', index);
  pages.set('/__/firebase/init.json', {
    type: getMimeType('.json'),
    body: JSON.stringify(toFirebaseInit(options)),
  });
  const headers = pageHeaders(localOrigins);
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path === '/') return respond(request, response, 302, { location: '/studio' });
    const page = pages.get(path);
    return page
      ? respond(request, response, 200, { ...headers, 'content-type': page.type }, page.body)
      : false;
  };
}

/** Answers GET and HEAD. Browsers must not cache the page, because every start builds it again. */
function respond(
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

/** The `init.json` that Hosting serves for a project's web app, with the addresses of the emulators. */
function toFirebaseInit({ projectId, authHost, firestoreHost }: SiteOptions) {
  return {
    projectId,
    // Firebase's client requires these; the emulators ignore them.
    apiKey: 'local',
    appId: '1:1:web:local',
    authDomain: `${projectId}.firebaseapp.com`,
    storageBucket: `${projectId}.firebasestorage.app`,
    messagingSenderId: '1',
    emulators: { auth: parseHostAndPort(authHost), firestore: parseHostAndPort(firestoreHost) },
  };
}

function parseHostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
