/**
 * The HTTP server below the functions: how long and how large a request may be before any code of ours sees
 * it, and the same answers for what never becomes a request. Node's parser refuses what two servers could
 * read differently (two lengths, a length and chunks); what it lets through is refused here.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorAnswer, Failure, invalidRequest } from '../errors.ts';
import { type BodyRequest, bodyBytesMaxDefault } from './body.ts';

// An import of node:http reads all that it exports, and so loads the client behind fetch: a fifth of a cold start.
const http = process.getBuiltinModule('node:http');

/** What a connection may take, in time and in headers. */
export const connectionLimits = {
  /** Longest time for a request's headers, and for the whole of it, milliseconds. */
  headersMs: 10_000,
  requestMs: 60_000,
  /** How often those two are looked at, milliseconds. */
  checkMs: 1_000,
  /** How long a client that was answered in the middle of its body has for reading that, milliseconds. */
  lingerMs: 1_000,
  /** Most bytes of a request's line and headers together, so of its address too; Node's own default. */
  headersBytes: 16_384,
  /** Most headers; Google's front end adds about fifteen. */
  headers: 100,
};
export type ConnectionLimits = typeof connectionLimits;

/** Headers of which a second one could mean something else to somebody else. */
const givenOnce = ['host', 'authorization', 'content-type', 'content-encoding', 'idempotency-key', 'origin'];

/** @param headers those of every answer, for what is answered before there is a request. */
export function createConnections(
  limits: ConnectionLimits,
  headers: Record<string, string>,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  /** The answer that is under way on a connection. */
  const answers = new WeakMap<Socket, ServerResponse>();
  const take = (request: IncomingMessage, response: ServerResponse) => {
    answers.set(request.socket, response);
    if (isLong(request)) response.on('finish', () => leaveUnread(request, limits.lingerMs));
    handle(request, response);
  };
  const server = http.createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: limits.headersBytes,
      // `assertSound` looks for it, and answers as everything is answered.
      requireHostHeader: false,
    },
    take,
  );
  server.maxHeadersCount = limits.headers;
  server.on('checkExpectation', take);
  server.on('checkContinue', (request: BodyRequest, response: ServerResponse) => {
    request.wantBody = () => response.writeContinue();
    take(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answers.get(socket);
    // One that was answered, and whose body goes on all the same, gets no second answer; and what comes after a
    // whole request gets none in place of that request's own, which may have been debited.
    const isPortFree = !answer || (isWhole(answer.req) ? answer.writableFinished : !answer.headersSent);
    if (socket.writable && isPortFree) socket.write(findRefusal(error.code, headers));
    socket.destroySoon();
  });
  return server;
}

/** What has no version ends with its first line, and what was meant for its headers is none of it. */
const isWhole = ({ complete, httpVersion }: IncomingMessage) => complete && httpVersion !== '0.9';

const isLong = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > bodyBytesMaxDefault;

/**
 * Ends the connection of a request that was answered before all of its body had come. Node would read the
 * rest and throw it away, which costs 64 MB of garbage before any is collected. Closing at once would
 * reset the connection under a client that has not read its answer yet.
 */
function leaveUnread({ complete, socket }: IncomingMessage, lingerMs: number): void {
  if (complete) return;
  socket.end();
  // After Node has begun to read on.
  setImmediate(() => socket.pause());
  const lingering = setTimeout(() => socket.destroy(), lingerMs);
  socket.on('close', () => clearTimeout(lingering));
}

/** @throws {Failure} INVALID_REQUEST for headers that mean two things or none. */
export function assertSound(request: IncomingMessage): void {
  const { headersDistinct, httpVersion } = request;
  if (httpVersion === '1.1' && headersDistinct.host === undefined) {
    throw invalidRequest([{ field: 'Host', description: 'is required' }]);
  }
  const repeated = givenOnce.filter((name) => (headersDistinct[name]?.length ?? 0) > 1);
  if (repeated.length > 0) {
    throw invalidRequest(repeated.map((field) => ({ field, description: 'must be given once' })));
  }
}

/** HTTP's own statuses for what Node's parser and clock refuse, with one of our reasons. */
const refusals: Record<string, [status: string, Failure]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    new Failure('INVALID_REQUEST', 'The request took too long to arrive.'),
  ],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    new Failure('TOO_LARGE', 'The address and the headers are too long, or too many.'),
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    '413 Content Too Large',
    new Failure('TOO_LARGE', 'The extensions of the chunks are too long.'),
  ],
};

/** The bytes of a refusal, for a connection that is closed then. */
function findRefusal(code: string | undefined, common: Record<string, string>): string {
  const [status, failure] = refusals[code ?? ''] ?? [
    '400 Bad Request',
    new Failure('INVALID_REQUEST', 'The request is not HTTP.'),
  ];
  const { error } = errorAnswer(failure).body;
  const body = JSON.stringify({ error: { ...error, code: Number(status.slice(0, 3)) } });
  const headers = {
    ...common,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`;
}
