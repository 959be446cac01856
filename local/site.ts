/** Serves the page and the API reference on the functions' port, as Firebase Hosting does in production. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StaticHandler } from '../shared/http/server.ts';
import { buildPage, getMimeType } from '../tools/build/page.ts';
import { apiPages } from '../tools/openapi/pages.ts';
import { pageHeaders } from '../web/securityPolicy.ts';
import { loopback } from './ports.ts';

export type SiteOptions = { webDir: string; projectId: string; authHost: string; firestoreHost: string };

/** The fakes listen on ports that are not known in advance. */
const localOrigins = ['http://127.0.0.1:*', 'http://localhost:*'];

/** Builds the page and the API reference in memory, and serves them with the configuration of a Firebase web app. */
export async function createSite(options: SiteOptions): Promise<StaticHandler> {
  const pages = new Map([...(await buildPage(options.webDir)), ...(await apiPages())]);
  const index = pages.get('/studio/index.html');
  if (index) for (const path of ['/studio', '/studio/', '/studio/desk']) pages.set(path, index);
  const emulators = {
    auth: parseHostAndPort(options.authHost),
    firestore: parseHostAndPort(options.firestoreHost),
  };
  pages.set('/__/firebase/init.json', {
    type: getMimeType('.json'),
    body: JSON.stringify({ ...toFirebaseApp(options.projectId), emulators }),
  });
  const emulatorOrigins = Object.values(emulators).map(({ host, port }) => `http://${host}:${port}`);
  const headers = pageHeaders([...localOrigins, ...emulatorOrigins]);
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

/** The configuration of a project's web app, as Hosting serves it. */
function toFirebaseApp(projectId: string) {
  return {
    projectId,
    // Firebase's client requires these; the emulators ignore them.
    apiKey: 'local',
    appId: '1:1:web:local',
    authDomain: `${projectId}.firebaseapp.com`,
    storageBucket: `${projectId}.firebasestorage.app`,
    messagingSenderId: '1',
  };
}

/** The addresses on which a server listens for all networks, as in a container. Nobody can connect to them. */
const unspecifiedHosts = ['0.0.0.0', '[::]'];

function parseHostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return {
    host: unspecifiedHosts.includes(host) ? loopback : host,
    port: Number(address.slice(colon + 1)),
  };
}
