/**
 * The Firebase CLI's console of the emulators, for `npm start -- --console`: it shows and edits the documents and the
 * users of the local run, as the Firestore console does in production. It is a page that reads the emulators' addresses
 * from `/api/config`; the CLI would serve it only beside a Firestore emulator that it has started itself.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, normalize } from 'node:path';
import { getMimeType } from '../tools/build/page.ts';
import { getEmulatorsDir } from './firebaseCache.ts';
import { loopback } from './ports.ts';

/** How to get the console, for a machine without it. */
export const consoleMissing = 'not on this machine. Get it once (4 MB): npx firebase setup:emulators:ui';

/** The newest console in the Firebase CLI's cache: the folder of its page. */
export function findConsole(env: NodeJS.ProcessEnv): string | undefined {
  const cache = getEmulatorsDir(env);
  return (existsSync(cache) ? readdirSync(cache) : [])
    .filter((name) => /^ui-v[\d.]+$/.test(name))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(cache, name, 'client'))
    .find((folder) => existsSync(join(folder, 'index.html')));
}

/** Serves the console. Hosts are `host:port`. */
export async function startConsole(
  port: number,
  folder: string,
  { projectId, ...hosts }: { projectId: string; authHost: string; firestoreHost: string },
): Promise<Server> {
  const config = JSON.stringify({
    projectId,
    experiments: [],
    auth: toEmulator('auth', hosts.authHost),
    firestore: toEmulator('firestore', hosts.firestoreHost),
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://console');
    if (pathname === '/api/config') {
      response.writeHead(200, { 'content-type': getMimeType('.json') }).end(config);
      return;
    }
    const file = join(folder, normalize(pathname));
    // The page reads every other address itself.
    const found = statSync(file, { throwIfNoEntry: false })?.isFile() ? file : join(folder, 'index.html');
    response.writeHead(200, { 'content-type': getMimeType(found) }).end(readFileSync(found));
  });
  server.listen(port, loopback);
  await once(server, 'listening');
  return server;
}

/** An emulator as the CLI describes it to its console. */
function toEmulator(name: string, address: string) {
  const { hostname: host, port } = new URL(`http://${address}`);
  return { name, host, port: Number(port), listen: [{ address: host, family: 'IPv4', port: Number(port) }] };
}
