/** The server of `npm run dev` in front of the functions' process. It holds requests while that process restarts. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { loopback } from './ports.ts';

const stopped = JSON.stringify({
  error: {
    code: 503,
    status: 'UNAVAILABLE',
    message:
      'The functions do not run. The terminal of npm run dev says why; they start again at the next change.',
  },
});

/**
 * Serves on `port`.
 * @param functionsPort the port of the functions' process
 * @param whenOpen resolves once that process serves; to false if it has ended
 */
export async function startDevProxy(
  port: number,
  functionsPort: number,
  whenOpen: () => Promise<boolean>,
): Promise<Server> {
  const server = createServer(async (incoming, response) => {
    if (await whenOpen()) forward(functionsPort, incoming, response);
    else response.writeHead(503, { 'content-type': 'application/json' }).end(stopped);
  });
  server.listen(port, loopback);
  await once(server, 'listening');
  return server;
}

function forward(port: number, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, rawHeaders } = incoming;
  const outgoing = request({ host: loopback, port, method, path, headers: withoutConnection(rawHeaders) });
  outgoing.once('response', (reply) => {
    response.writeHead(reply.statusCode ?? 502, withoutConnection(reply.rawHeaders));
    reply.pipe(response);
    reply.once('error', () => response.destroy());
  });
  // A process that dies breaks its connections, and so does this server.
  outgoing.once('error', () => response.destroy());
  response.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** Names and values in turn, without what concerns one connection only. */
function withoutConnection(headers: string[]): string[] {
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
  return pairs.filter(([name = '']) => !/^(connection|keep-alive)$/i.test(name)).flat();
}
