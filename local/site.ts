/** Serves the page and the API reference on the functions' port, as Firebase Hosting does in production. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StaticHandler } from '../shared/http/server.ts';
import { buildPage, getMimeType } from '../tools/build/page.ts';
import { rootFiles } from '../tools/build/rootFiles.ts';
import { apiPages } from '../tools/openapi/pages.ts';
import { pageHeaders } from '../web/securityPolicy.ts';
import { getBrowserUrl } from './environment.ts';
import { loopback } from './ports.ts';

export type SiteOptions = {
  webDir: string;
  projectId: string;
  authHost: string;
  firestoreHost: string;
  /** The first parts of the paths that belong to functions. */
  functionPaths: readonly string[];
  env: NodeJS.ProcessEnv;
};

/** The fakes listen on ports that are not known in advance. */
const localOrigins = ['http://127.0.0.1:*', 'http://localhost:*'];

/**
 * Builds the page and the API reference in memory, and serves them with the configuration of a Firebase web app. A
 * browser that opens an unknown address gets a page, anybody else the functions' JSON.
 */
export async function createSite(options: SiteOptions): Promise<StaticHandler> {
  const { functionPaths, projectId, env } = options;
  const pages = new Map([...rootFiles(), ...(await buildPage(options.webDir)), ...(await apiPages())]);
  const index = pages.get('/studio/index.html');
  if (index) for (const path of ['/studio', '/studio/', '/studio/desk']) pages.set(path, index);
  const emulators = {
    auth: parseHostAndPort(options.authHost),
    firestore: parseHostAndPort(options.firestoreHost),
  };
  const emulatorOrigins = Object.values(emulators).map(({ host, port }) => `http://${host}:${port}`);
  const headers = pageHeaders([...localOrigins, ...emulatorOrigins, ...getForwardedOrigins(env)]);
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path === '/') return respond(request, response, 302, { location: '/studio' });
    if (path === '/__/firebase/init.json') {
      const config = { ...toFirebaseApp(projectId), emulators: toForwarded(emulators, request, env) };
      return respond(
        request,
        response,
        200,
        { 'content-type': getMimeType('.json') },
        JSON.stringify(config),
      );
    }
    const page = pages.get(path);
    if (page) return respond(request, response, 200, { ...headers, 'content-type': page.type }, page.body);
    if (!isNavigation(request) || functionPaths.includes(path.split('/', 2)[1] ?? '')) return false;
    const missing = pages.get('/404.html');
    return respond(request, response, 404, { 'content-type': missing?.type ?? '' }, missing?.body);
  };
}

/** True if a person opened the address in a browser. */
const isNavigation = ({ method, headers }: IncomingMessage) =>
  (method === 'GET' || method === 'HEAD') && headers.accept?.includes('text/html') === true;

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

type Emulators = Record<'auth' | 'firestore', { host: string; port: number }>;

/** In a codespace, the origins of all forwarded ports. */
function getForwardedOrigins(env: NodeJS.ProcessEnv): string[] {
  const domain = env.GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN;
  return env.CODESPACE_NAME && domain ? [`https://*.${domain}`] : [];
}

/** The emulators' forwarded addresses, for a page that was itself opened at a forwarded address. */
function toForwarded(emulators: Emulators, { headers }: IncomingMessage, env: NodeJS.ProcessEnv): Emulators {
  const host = String(headers['x-forwarded-host'] ?? headers.host);
  const forward = ({ port }: { port: number }) => ({
    host: new URL(getBrowserUrl(env, port)).hostname,
    port: 443,
  });
  const [domain] = getForwardedOrigins(env).map((origin) => origin.slice('https://*'.length));
  return domain && host.endsWith(domain)
    ? { auth: forward(emulators.auth), firestore: forward(emulators.firestore) }
    : emulators;
}

/** The addresses on which a server listens for all networks, as in a container. Nobody can connect to them. */
const unspecifiedHosts = ['0.0.0.0', '[::]'];

function parseHostAndPort(address: string) {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return {
    host: unspecifiedHosts.includes(host) ? loopback : host,
    port: Number(address.slice(colon + 1)),
  };
}
