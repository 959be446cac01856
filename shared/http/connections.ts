/**
 * The HTTP server underneath the functions. It limits the size and duration of a request before our code
 * runs, and answers broken requests in our error model. Node's parser refuses framing that two servers could
 * read differently (two lengths, a length and chunks); `assertUnambiguous` refuses what the parser accepts.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorAnswer, Failure, invalidRequest } from '../errors.ts';
import { type BodyRequest, bodyBytesMaxDefault } from './body.ts';
import { createStandstill } from './standstill.ts';

// `import` of node:http reads every export, which loads the client behind fetch: a fifth of a cold start.
const http = process.getBuiltinModule('node:http');

/** Limits of a connection in time and in headers. */
export const connectionLimits = {
  /** Longest time for a request's headers, and for the whole request, milliseconds. */
  headersMs: 10_000,
  requestMs: 60_000,
  /** How often Node checks these two limits, milliseconds. */
  checkMs: 1_000,
  /**
   * How long a connection without a request stays open after its first one, milliseconds. Longer than the 600 s of
   * Google's load balancer, which could otherwise send a request on a connection that is just being closed (Cloud Load
   * Balancing, "Timeouts and retries").
   */
  keepAliveMs: 620_000,
  /** How long a client that was answered before it sent its whole body has to read the answer, milliseconds. */
  lingerMs: 1_000,
  /** Most bytes of a request's first line and headers together; Node's own default. */
  headersBytes: 16_384,
  /** Most headers; Google's front end adds about fifteen. */
  headers: 100,
};
export type ConnectionLimits = typeof connectionLimits;

/** Headers that another server could read differently if they came twice. */
const singleHeaders = [
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'idempotency-key',
  'origin',
];

/** @param headers are sent with every answer to a request that never reaches `handle`. */
export function createConnections(
  limits: ConnectionLimits,
  headers: Record<string, string>,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  /** The latest response of each connection. */
  const responses = new WeakMap<Socket, ServerResponse>();
  const accept = (request: IncomingMessage, response: ServerResponse) => {
    responses.set(request.socket, response);
    if (hasLongBody(request)) response.on('finish', () => closeUnread(request, limits.lingerMs));
    handle(request, response);
  };
  const server = http.createServer(
    {
      connectionsCheckingInterval: limits.checkMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.headersBytes,
      // `assertUnambiguous` checks the header and answers in our error model.
      requireHostHeader: false,
    },
    accept,
  );
  server.maxHeadersCount = limits.headers;
  limitTime(server, limits);
  server.on('checkExpectation', accept);
  server.on('checkContinue', (request: BodyRequest, response: ServerResponse) => {
    request.wantBody = () => response.writeContinue();
    accept(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = responses.get(socket);
    // Never answer a request twice. A complete request may have been debited: its own answer, not a refusal of
    // the bytes behind it, must be the next one on the connection.
    const mayAnswer =
      !response || (response.req.complete ? response.writableFinished : !response.headersSent);
    if (socket.writable && mayAnswer) socket.write(toRefusal(error.code, headers));
    socket.destroySoon();
  });
  return server;
}

/**
 * Node reads both limits at each check. They do not count the time in which this process stood still: the bytes that
 * arrived meanwhile are still to be read.
 */
function limitTime(server: Server, { headersMs, requestMs, checkMs }: ConnectionLimits): void {
  const standstillMs = createStandstill(checkMs, requestMs);
  Object.defineProperties(server, {
    headersTimeout: { get: () => headersMs + standstillMs() },
    requestTimeout: { get: () => requestMs + standstillMs() },
  });
}

const hasLongBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > bodyBytesMaxDefault;

/**
 * Closes the connection of a request that was answered before its whole body arrived. Node would read and
 * discard the rest, which makes 64 MB of garbage before any of it is collected. Closing at once would reset the
 * connection before the client has read its answer.
 */
function closeUnread({ complete, socket }: IncomingMessage, lingerMs: number): void {
  if (complete) return;
  socket.end();
  // Node resumes reading first; pause after that.
  setImmediate(() => socket.pause());
  const lingering = setTimeout(() => socket.destroy(), lingerMs);
  socket.on('close', () => clearTimeout(lingering));
}

/** @throws {Failure} INVALID_REQUEST if Host is missing (HTTP/1.1) or a header that must be unique is repeated. */
export function assertUnambiguous(request: IncomingMessage): void {
  const { headersDistinct, httpVersion } = request;
  if (httpVersion === '1.1' && headersDistinct.host === undefined) {
    throw invalidRequest([{ field: 'Host', description: 'is required' }]);
  }
  const repeated = singleHeaders.filter((name) => (headersDistinct[name]?.length ?? 0) > 1);
  if (repeated.length > 0) {
    throw invalidRequest(repeated.map((field) => ({ field, description: 'must be given once' })));
  }
}

type Refusal = { code: number; status: string; failure: Failure };

/** What Node's error codes mean. Any other code is a 400. */
const refusals: Record<string, Refusal> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 408,
    status: 'DEADLINE_EXCEEDED',
    failure: new Failure('INVALID_REQUEST', 'The request did not arrive in time.', { retry: 'same_key' }),
  },
  HPE_HEADER_OVERFLOW: {
    code: 431,
    status: 'INVALID_ARGUMENT',
    failure: new Failure('TOO_LARGE', 'The URL or the headers are too long, or there are too many headers.'),
  },
};
const malformed: Refusal = {
  code: 400,
  status: 'INVALID_ARGUMENT',
  failure: new Failure('INVALID_REQUEST', 'The request is not valid HTTP.'),
};

/** The bytes of a refusal. The connection closes after it. */
function toRefusal(errorCode: string | undefined, commonHeaders: Record<string, string>): string {
  const { code, status, failure } = refusals[errorCode ?? ''] ?? malformed;
  const { error } = errorAnswer(failure).body;
  const body = JSON.stringify({ error: { ...error, code, status } });
  const headers = {
    ...commonHeaders,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${code} ${http.STATUS_CODES[code]}\r\n${lines.join('')}\r\n${body}`;
}
