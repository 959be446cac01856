/**
 * The HTTP server of the functions. Each function is a functions-framework target. The framework's own server
 * would parse bodies of up to 1 GiB before our code runs; this one keeps bodies away from that parser, limits
 * slow requests, and drains at shutdown.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import { cloudEvent as registerEvent, http as registerHttp } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { type Config, getSecrets, parseConfig } from '../config/config.ts';
import { withDeadline } from '../core/deadline.ts';
import { createLog, withFields } from '../core/log.ts';
import type { BinaryEvent } from '../database/accountEvent.ts';
import { errorAnswer, Failure, invalidRequest, toFailure } from '../errors.ts';
import { modelWarnings } from '../imagegen/models.ts';
import { createServices, lazy, type Overrides, type Services } from '../services.ts';
import { readBody } from './body.ts';
import {
  assertUnambiguous,
  type ConnectionLimits,
  connectionLimits,
  createConnections,
} from './connections.ts';
import { answerHeaders, commonHeaders, type EventHandler, type HttpFunction } from './endpoint.ts';
import { requestFields } from './trace.ts';

/** A function as functions/index.ts lists it. It is loaded at its first request. */
export type FunctionModule =
  | (() => Promise<HttpFunction>)
  | { event: () => Promise<(services: Services, name: string) => EventHandler> };

/** Serves static files. Returns false for a path it does not know. */
export type StaticHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => boolean | Promise<boolean>;

export type ServerOptions = {
  functions: Record<string, FunctionModule>;
  env: NodeJS.ProcessEnv;
  site?: StaticHandler;
  overrides?: Overrides;
  /** Override `connectionLimits`. */
  limits?: Partial<ConnectionLimits>;
  /** Writes a line of the log; to stdout by default. */
  writeLog?: (line: string) => void;
};

/** How long requests in flight may continue after SIGTERM, milliseconds. Cloud Run kills the process at 10 s. */
const drainMs = 8_000;
/** How long idle connections stay open after SIGTERM, for requests already on their way, milliseconds. */
const lingerMs = 300;
/** When the process exits even if work is still in flight, milliseconds after SIGTERM. */
const shutdownMsMax = 9_700;
/** Largest event, bytes: a document of 1 MiB before and after the change, in base64, and some room. */
const eventBytesMax = 4 * 1_048_576;

type Track = (work: Promise<void>) => Promise<void>;
type Target = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Creates the server; the caller makes it listen. With FUNCTION_TARGET it serves that function on every path,
 * otherwise each function under its name.
 * @throws {ConfigError} for an invalid environment.
 */
export function createFunctionsServer(options: ServerOptions) {
  const { functions, env, site, overrides, writeLog = toStdout } = options;
  const limits = { ...connectionLimits, ...options.limits };
  const config = parseConfig(env);
  const end = new AbortController();
  const log = createLog(writeLog, { ...config, secrets: getSecrets(config) });
  const services = createServices(config, log, end.signal, overrides);
  const running = new Set<Promise<void>>();
  /** A handler continues after its client disconnects, so shutdown must wait for it. */
  const track: Track = (work) => {
    const done = work.catch(() => {}).finally(() => running.delete(done));
    running.add(done);
    return work;
  };
  const targets = new Map(
    targetNames(config, functions).map((name) => [
      name,
      registerTarget(name, functions[name] as FunctionModule, services, track),
    ]),
  );

  const openResponses = new Set<ServerResponse>();
  let draining = false;
  const server = createConnections(limits, answerHeaders, (request, response) => {
    openResponses.add(response);
    response.on('close', () => openResponses.delete(response));
    if (draining) response.setHeader('Connection', 'close');
    withFields(requestFields(request.headers, config.projectId), () => {
      void route(request, response).catch((error) => answerFailure(request, response, error, services));
    });
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (draining) throw shutdownFailure();
    assertUnambiguous(request);
    if (site && (await site(request, response))) return;
    const [path = '', query] = toPath(request).split(/(?=\?)/s, 2);
    const shared = /^\/i\/([^/]*)$/.exec(path);
    const name = config.functionTarget ?? (shared ? 'sharedImage' : path.split('/', 2)[1]) ?? '';
    const target = targets.get(name);
    if (!target) throw new Failure('NOT_FOUND', 'There is no such function.');
    response.setHeaders(headersFor(request, config));
    // Hide the path, which is no longer needed: the framework would answer some itself, such as /robots.txt.
    // The token of a shared image is the one part of a path that a function needs. It gets it as a query.
    const isShared = shared && name === 'sharedImage';
    request.url = isShared ? `/?${new URLSearchParams({ token: shared[1] ?? '' })}` : `/${query ?? ''}`;
    await target(request, response);
  }

  /**
   * Stops accepting connections, lets requests in flight finish, and after `drainMs` aborts the rest, which refunds
   * them. A client that sends a request on an open connection still gets an answer.
   */
  async function shutdown(): Promise<void> {
    draining = true;
    for (const response of openResponses) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    const connectionsEnd = new Promise<void>((resolve) => server.once('close', resolve));
    // http's own close would close idle connections at once and lose requests on their way.
    net.Server.prototype.close.call(server);
    const abort = setTimeout(() => end.abort(shutdownFailure()), drainMs);
    const linger = setInterval(() => {
      if (openResponses.size === 0) server.closeIdleConnections();
    }, lingerMs);
    const waitForAll = async () => {
      await connectionsEnd;
      while (running.size > 0) await Promise.all(running);
    };
    // Work that hangs must not keep the process alive.
    await withDeadline(waitForAll(), shutdownMsMax, 'The shutdown').catch((error) =>
      log.error(String(error)),
    );
    clearTimeout(abort);
    clearInterval(linger);
  }

  return { server, shutdown, config, log };
}

function targetNames(
  { functionTarget, deployed }: Config,
  functions: Record<string, FunctionModule>,
): string[] {
  if (functionTarget === undefined) {
    // Cloud Run checks the sender of an event, but not on a service that anybody may call.
    return Object.keys(functions).filter((name) => !deployed || !('event' in (functions[name] ?? {})));
  }
  if (!Object.hasOwn(functions, functionTarget)) throw new Error('FUNCTION_TARGET names no function');
  return [functionTarget];
}

/**
 * Registers a function with the framework and returns what passes requests to it. Our errors never reach the
 * framework, which would send their message to the client and print their stack as plain text.
 */
function registerTarget(name: string, module: FunctionModule, services: Services, track: Track): Target {
  if ('event' in module) {
    const handler = lazy(async () => (await module.event())(services, name));
    const handle = async (event: BinaryEvent) => {
      leaveDomain();
      return (await handler())(event);
    };
    registerEvent(name, (event: unknown) =>
      track(handle(event as BinaryEvent)).catch((error) => {
        const { document } = event as BinaryEvent;
        services.log.error(`${name}: failed`, { function: name, outcome: 'failed', document, error });
        throw withoutStack('The event was not handled.');
      }),
    );
  } else {
    const handler = lazy(async () => (await module())(services, name));
    const handle: Target = async (request, response) => {
      leaveDomain();
      return (await handler())(request, response);
    };
    registerHttp(name, (request, response) =>
      track(handle(request, response)).catch((error) => answerFailure(request, response, error, services)),
    );
  }
  const framework = getTestServer(name);
  return async (request, response) => {
    if ('event' in module) Object.assign(request, { body: await readEventBody(request) });
    // Without these headers the framework's parser assumes an empty body and leaves the stream to `endpoint`.
    delete request.headers['content-length'];
    delete request.headers['transfer-encoding'];
    framework.emit('request', request, response);
  };
}

/**
 * The framework runs a function within a `domain`. An unhandled rejection in the domain counts as a failure of the
 * function: the framework would answer with its message while the function still runs.
 */
function leaveDomain(): void {
  (process as { domain?: { exit(): void } | null }).domain?.exit();
}

const withoutStack = (message: string) => Object.assign(new Error(message), { stack: message });

/** @throws {Failure} if the request is not a CloudEvent in binary mode; the framework would answer with an HTML page. */
async function readEventBody(request: IncomingMessage): Promise<Buffer> {
  if (request.method !== 'POST') {
    throw new Failure('METHOD_NOT_ALLOWED', 'Please use POST.', { headers: { Allow: 'POST' } });
  }
  const missing = ['ce-id', 'ce-source', 'ce-specversion', 'ce-type'].filter(
    (name) => !request.headers[name],
  );
  if (missing.length > 0) {
    throw invalidRequest(missing.map((field) => ({ field, description: 'is required of an event' })));
  }
  return readBody(request, eventBytesMax);
}

/** The path and query of a request. A client may send an absolute URL. */
const toPath = ({ url = '/' }: IncomingMessage) => url.replace(/^https?:\/\/[^/?]*/i, '');

const toStdout = (line: string) => void process.stdout.write(line);

const headersFor = (request: IncomingMessage, { allowedOrigins }: Config) =>
  new Map(Object.entries(commonHeaders(request, allowedOrigins)));

function shutdownFailure(): Failure {
  return new Failure('SHUTTING_DOWN', 'The server is being replaced.', { retryAfterSeconds: 1 });
}

/** Answers a failure outside of an endpoint, such as an unknown path. */
function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { log, config }: Pick<Services, 'log' | 'config'>,
): void {
  const failure = toFailure(error);
  if (failure.reason === 'INTERNAL') log.error('The server failed', { error: failure });
  // The headers are sent: closing the connection is the only way left to signal the failure.
  if (response.headersSent) return void response.destroy();
  const { code, headers, body } = errorAnswer(failure);
  response.setHeaders(headersFor(request, config));
  response.writeHead(code, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

/**
 * Serves the functions on PORT, as the process's environment configures them, until SIGTERM or SIGINT.
 * An invalid environment ends the process with a message on stderr.
 */
export function serve(options: Omit<ServerOptions, 'env'>): void {
  try {
    const { server, shutdown, config, log } = createFunctionsServer({ ...options, env: process.env });
    let ending = false;
    const finish = (exitCode: number) => {
      // A signal to the process group arrives twice if npm forwards it too.
      if (ending) return;
      ending = true;
      void shutdown().then(() => process.exit(exitCode));
    };
    // An unhandled rejection in a vendor's library must not end the generations in flight.
    process.on('unhandledRejection', (error) => log.error('Unhandled rejection', { error }));
    process.on('SIGTERM', () => finish(0));
    process.on('SIGINT', () => finish(0));
    const { modelIds, prompt } = config;
    for (const warning of modelWarnings(modelIds, prompt.modelId, new Date())) log.warning(warning);
    server.listen(config.port, () => {
      // After an uncaught exception the state of the process is unknown. It shuts down as after SIGTERM.
      process.on('uncaughtException', (error) => {
        log.error('Uncaught exception', { error });
        finish(1);
      });
      log.info('Serving', { port: config.port, target: config.functionTarget });
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}
