/** The functions' server without a database or upstreams, and raw connections to it that send any bytes. */
import { connect, type Socket } from 'node:net';
import { functions } from '../../functions/index.ts';
import type { Auth } from '../../shared/auth/auth.ts';
import { Failure } from '../../shared/errors.ts';
import { createFunctionsServer, type ServerOptions } from '../../shared/http/server.ts';
import type { Overrides } from '../../shared/services.ts';
import { listen } from './listen.ts';

/** Accepts one user: `Bearer ann`. */
const annsAuth: Auth = {
  async user({ authorization }) {
    if (authorization !== 'Bearer ann') throw new Failure('UNAUTHENTICATED', 'Please sign in.');
    return { uid: 'ann', email: undefined, verified: true, identities: [], signedInAt: new Date() };
  },
  admin: () => Promise.reject(new Failure('FORBIDDEN', 'This is for admins.')),
  scheduler: () => Promise.reject(new Failure('FORBIDDEN', 'This is for the scheduler.')),
};

export type RawAnswer = {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests read replies as a client without types does.
  body: any;
};

/** Starts the server on a free port. */
export async function startRawServer(
  env: Record<string, string> = {},
  { auth = annsAuth, limits, ...overrides }: Overrides & Pick<ServerOptions, 'limits'> = {},
) {
  const logs: Record<string, unknown>[] = [];
  const { server, shutdown } = createFunctionsServer({
    functions,
    env: { GOOGLE_CLOUD_PROJECT: 'demo-raw', ...env },
    overrides: { auth, ...overrides },
    ...(limits && { limits }),
    writeLog: (line) => void logs.push(JSON.parse(line)),
  });
  const host = await listen(server);
  const port = Number(host.split(':')[1]);
  return {
    logs,
    shutdown,
    url: `http://${host}`,
    connect: () => rawConnection(port),
    /** Sends bytes and reads until the server closes the connection or has sent `answersMax` replies. */
    async exchange(bytes: string | Buffer, answersMax = Number.POSITIVE_INFINITY) {
      const connection = rawConnection(port);
      connection.socket.write(bytes);
      await connection.until(() => connection.isClosed() || connection.answers().length >= answersMax);
      connection.socket.destroy();
      return { answers: connection.answers(), closed: connection.isClosed() };
    },
    async close() {
      server.closeAllConnections();
      await shutdown();
    },
  };
}

export type RawServer = Awaited<ReturnType<typeof startRawServer>>;

function rawConnection(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  let received = '';
  let closed = false;
  let wake = () => {};
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  // The server resets the connection for bytes that it no longer reads.
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    closed = true;
    wake();
  });
  return {
    socket,
    received: () => received,
    isClosed: () => closed,
    answers: () => parseAnswers(received),
    async until(check: () => boolean) {
      while (!check()) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

/** All complete replies of a connection, including interim ones. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const head = /^HTTP\/1\.1 (\d{3})[^\r]*\r\n((?:[^\r]+\r\n)*)\r\n/.exec(rest);
    if (!head) return answers;
    rest = rest.slice(head[0].length);
    const lines = (head[2] ?? '').split('\r\n').filter((line) => line !== '');
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.replace(/^[^:]*:\s*/, '')]),
    );
    const body = parseBody(rest, headers);
    if (!body) return answers;
    rest = rest.slice(body.length);
    const isJson = headers['content-type']?.startsWith('application/json') && body.text !== '';
    answers.push({ status: Number(head[1]), headers, body: isJson ? JSON.parse(body.text) : body.text });
  }
}

function parseBody(
  rest: string,
  headers: Record<string, string>,
): { text: string; length: number } | undefined {
  if (headers['transfer-encoding'] === 'chunked') {
    const chunks = /^(?:[1-9a-f][\da-f]*\r\n[\s\S]*?\r\n)*?0\r\n\r\n/.exec(rest)?.[0];
    return chunks === undefined
      ? undefined
      : { text: chunks.replace(/^[\da-f]+\r\n|\r\n(?:[\da-f]+\r\n)?/gm, ''), length: chunks.length };
  }
  const length = Number(headers['content-length'] ?? 0);
  return rest.length < length ? undefined : { text: rest.slice(0, length), length };
}
