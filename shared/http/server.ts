/**
 * The HTTP server in front of the functions. Each function is a functions-framework target; the server
 * of our own keeps bodies from the framework's parser (which reads up to 1 GiB before any code of ours
 * runs), bounds slow requests, and drains at shutdown, none of which the framework's own start does.
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

/** A function as the contents page lists it: loaded at its first request. */
export type FunctionModule =
  | (() => Promise<HttpFunction>)
  | { event: () => Promise<(services: Services, name: string) => EventHandler> };

/** Serves what is no function; false where it does not know the path. */
export type StaticHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => boolean | Promise<boolean>;

export type ServerOptions = {
  functions: Record<string, FunctionModule>;
  env: NodeJS.ProcessEnv;
  site?: StaticHandler;
  overrides?: Overrides;
  /** Over the usual ones. */
  limits?: Partial<ConnectionLimits>;
  /** Takes each line of the log; stdout where it is left out. */
  writeLog?: (line: string) => void;
};

/** How long requests in flight may go on after the signal to end, milliseconds; Cloud Run kills at 10 s. */
const drainMs = 8_000;
/** How long connections without a request are kept then, for what may be on its way on them, milliseconds. */
const lingerMs = 300;
/** When the process ends whatever is still open, milliseconds after the signal. */
const shutdownMsMax = 9_700;
/** Largest event: a document of 1 MiB before and after, as base64 text, and room for the rest. Bytes. */
const eventBytesMax = 4 * 1_048_576;

type Track = (work: Promise<void>) => Promise<void>;
type Target = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The server of a studio, not yet listening: with FUNCTION_TARGET that function on every path,
 * otherwise each under its name.
 * @throws {ConfigError} for a bad environment.
 */
export function createFunctionsServer(options: ServerOptions) {
  const { functions, env, site, overrides, writeLog = toStdout } = options;
  const limits = { ...connectionLimits, ...options.limits };
  const config = parseConfig(env);
  const end = new AbortController();
  const log = createLog(writeLog, { ...config, secrets: getSecrets(config) });
  const services = createServices(config, log, end.signal, overrides);
  const running = new Set<Promise<void>>();
  /** A handler goes on when its client is gone: the end of the process has to wait for it. */
  const track: Track = (work) => {
    const done = work.catch(() => {}).finally(() => running.delete(done));
    running.add(done);
    return work;
  };
  const targets = new Map(
    targetNames(config, functions).map((name) => [
      name,
      registered(name, functions[name] as FunctionModule, services, track),
    ]),
  );

  const open = new Set<ServerResponse>();
  let draining = false;
  const server = createConnections(limits, answerHeaders, (request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    if (draining) response.setHeader('Connection', 'close');
    withFields(requestFields(request.headers, config.projectId), () => {
      void route(request, response).catch((error) => answerFailure(request, response, error, services));
    });
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (draining) throw shuttingDown();
    assertUnambiguous(request);
    if (site && (await site(request, response))) return;
    const [path = '', query] = toPath(request).split(/(?=\?)/s, 2);
    const target = targets.get(config.functionTarget ?? path.split('/', 2)[1] ?? '');
    if (!target) throw new Failure('NOT_FOUND', 'There is no such function.');
    response.setHeaders(headersFor(request, config));
    // The path has said what it had to say; the framework would keep some for itself, such as /robots.txt.
    request.url = `/${query ?? ''}`;
    await target(request, response);
  }

  /**
   * Stops accepting, lets requests in flight finish, and after a while has what is left refunded. A client
   * that sends on a connection it holds open is still answered: none is closed under a request.
   */
  async function shutdown(): Promise<void> {
    draining = true;
    for (const response of open) if (!response.headersSent) response.setHeader('Connection', 'close');
    const closed = new Promise<void>((resolve) => server.once('close', resolve));
    // Not http's own close, which ends idle connections at once, with whatever is on its way on them.
    net.Server.prototype.close.call(server);
    const abort = setTimeout(() => end.abort(shuttingDown()), drainMs);
    const linger = setInterval(() => {
      if (open.size === 0) server.closeIdleConnections();
    }, lingerMs);
    const finished = async () => {
      await closed;
      while (running.size > 0) await Promise.all(running);
    };
    // What hangs for good must not keep the process for ever.
    await withDeadline(finished(), shutdownMsMax, 'The shutdown').catch((error) => log.error(String(error)));
    clearTimeout(abort);
    clearInterval(linger);
  }

  return { server, shutdown, config, log, services };
}

function targetNames(
  { functionTarget, deployed }: Config,
  functions: Record<string, FunctionModule>,
): string[] {
  if (functionTarget === undefined) {
    // An event's sender is Cloud Run's to check, which a service that anybody may call leaves out.
    return Object.keys(functions).filter((name) => !deployed || !('event' in (functions[name] ?? {})));
  }
  if (!Object.hasOwn(functions, functionTarget)) throw new Error('FUNCTION_TARGET names no function');
  return [functionTarget];
}

/**
 * Registers a function with the framework, and gives what passes requests to it. The framework sees no error
 * of ours: it would show the client its message, and print its stack as lines of text.
 */
function registered(name: string, module: FunctionModule, services: Services, track: Track): Target {
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
    if ('event' in module) Object.assign(request, { body: await eventBody(request) });
    // Without these the framework's parser takes the body to be empty and leaves the stream to `endpoint`.
    delete request.headers['content-length'];
    delete request.headers['transfer-encoding'];
    framework.emit('request', request, response);
  };
}

/**
 * The framework calls a function within a `domain`, which takes a promise that anybody has forgotten in it for
 * the function's own failure, and answers with its message while the function is still at work.
 */
function leaveDomain(): void {
  (process as { domain?: { exit(): void } | null }).domain?.exit();
}

const withoutStack = (message: string) => Object.assign(new Error(message), { stack: message });

/** @throws {Failure} for what is no CloudEvent in binary mode, which the framework would answer with a page. */
async function eventBody(request: IncomingMessage): Promise<Buffer> {
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

/** The path and query of a request; a client may name the server as well. */
const toPath = ({ url = '/' }: IncomingMessage) => url.replace(/^https?:\/\/[^/?]*/i, '');

const toStdout = (line: string) => void process.stdout.write(line);

const headersFor = (request: IncomingMessage, { allowedOrigins }: Config) =>
  new Map(Object.entries(commonHeaders(request, allowedOrigins)));

function shuttingDown(): Failure {
  return new Failure('SHUTTING_DOWN', 'The server is being replaced.', { retryAfterSeconds: 1 });
}

/** For what fails before any function is reached, and outside of its endpoint. */
function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { log, config }: Pick<Services, 'log' | 'config'>,
): void {
  const failure = toFailure(error);
  if (failure.reason === 'INTERNAL') log.error('The server failed', { error: failure });
  // An answer that has begun cannot become another one; that it breaks off is all that can be told.
  if (response.headersSent) return void response.destroy();
  const { code, headers, body } = errorAnswer(failure);
  response.setHeaders(headersFor(request, config));
  response.writeHead(code, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

/**
 * Serves the studio of the process's environment on PORT until it is told to end.
 * A bad environment ends the process with a message on stderr.
 */
export function serve(options: Omit<ServerOptions, 'env'>): void {
  try {
    const { server, shutdown, config, log } = createFunctionsServer({ ...options, env: process.env });
    let ending = false;
    const finish = (exitCode: number) => {
      // A signal to the process group arrives twice when npm hands it on as well.
      if (ending) return;
      ending = true;
      void shutdown().then(() => process.exit(exitCode));
    };
    // A vendor's stray promise is no reason to drop the generations in flight.
    process.on('unhandledRejection', (error) =>
      log.error('A promise was rejected and nobody looked', { error }),
    );
    process.on('SIGTERM', () => finish(0));
    process.on('SIGINT', () => finish(0));
    for (const warning of modelWarnings(config.modelIds, new Date())) log.warning(warning);
    server.listen(config.port, () => {
      // Nobody knows what a stray throw has left half done: the process ends, but as at a signal, not at once.
      process.on('uncaughtException', (error) => {
        log.error('An error was thrown and nobody caught it', { error });
        finish(1);
      });
      log.info('Serving', { port: config.port, target: config.functionTarget });
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}
