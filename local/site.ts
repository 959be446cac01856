/** What the local port serves beside the functions: what Firebase Hosting serves in production. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StaticHandler } from '../shared/http/server.ts';
import { buildPage, getMimeType } from '../tools/build/page.ts';
import { apiPages } from '../tools/openapi/pages.ts';
import { pageHeaders } from '../web/securityPolicy.ts';

export type SiteOptions = { webDir: string; projectId: string; authHost: string; firestoreHost: string };

/** Emulators and stand-ins are on ports of this machine that are not known before. */
const localOrigins = ['http://127.0.0.1:*', 'http://localhost:*'];

/** Builds the studio's page and the reference of the functions, in memory, and serves them with the configuration that Hosting would give it. */
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

/** Answers a GET or HEAD; what is built anew at every start is never to be kept. */
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

/** As Hosting answers for a project's web app, with the addresses of the emulators. */
function toFirebaseInit({ projectId, authHost, firestoreHost }: SiteOptions) {
  return {
    projectId,
    // Neither is looked at by the emulators, but Firebase's client wants them.
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
