/**
 * The HTTP server in front of the functions. Each function is a functions-framework target; the server
 * of our own keeps bodies from the framework's parser (which reads up to 1 GiB before any code of ours
 * runs), bounds slow requests, and drains at shutdown, none of which the framework's own start does.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net from 'node:net';
import { cloudEvent as registerEvent, http as registerHttp } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { BinaryEvent } from './accountEvent.ts';
import { type Config, parseConfig } from './config.ts';
import { withDeadline } from './deadline.ts';
import { commonHeaders, type EventHandler, type HttpFunction, readBody } from './endpoint.ts';
import { asFailure, errorAnswer, Failure } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { modelWarnings } from './models.ts';
import { createStudio, once, type Parts, type Studio } from './studio.ts';

/** A function as the contents page lists it: loaded at its first request. */
export type FunctionModule =
  | (() => Promise<HttpFunction>)
  | { event: () => Promise<(studio: Studio, name: string) => EventHandler> };

/** Serves what is no function; false where it does not know the path. */
export type Site = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export type ServerOptions = {
  functions: Record<string, FunctionModule>;
  env: NodeJS.ProcessEnv;
  site?: Site;
  parts?: Parts;
  /** Takes each line of the log; stdout where it is left out. */
  writeLog?: (line: string) => void;
};

/** How long requests in flight may go on after the signal to end, milliseconds; Cloud Run kills at 10 s. */
const drainMs = 8_000;
/** How long connections without a request are kept then, for what may be on its way on them, milliseconds. */
const lingerMs = 300;
/** When the process ends whatever is still open, milliseconds after the signal. */
const shutdownMsMax = 9_700;
/** Longest time for a request's headers, and for the whole of it, milliseconds. */
const headersMsMax = 10_000;
const requestMsMax = 60_000;
/** Largest event: a document of 1 MiB before and after, as base64 text, and room for the rest. Bytes. */
const eventBytesMax = 4 * 1_048_576;

type Track = (work: Promise<void>) => Promise<void>;
type Target = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The server of a studio, not yet listening: with FUNCTION_TARGET that function on every path,
 * otherwise each under its name.
 * @throws {ConfigError} for a bad environment.
 */
export function createStudioServer({ functions, env, site, parts, writeLog = toStdout }: ServerOptions) {
  const config = parseConfig(env);
  const end = new AbortController();
  const log = createLog(writeLog);
  const studio = createStudio(config, log, end.signal, parts);
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
      registered(name, functions[name] as FunctionModule, studio, track),
    ]),
  );

  const open = new Set<ServerResponse>();
  let draining = false;
  const server = http.createServer(
    { headersTimeout: headersMsMax, requestTimeout: requestMsMax },
    (request, response) => {
      open.add(response);
      response.on('close', () => open.delete(response));
      if (draining) response.setHeader('Connection', 'close');
      void route(request, response).catch((error) => {
        response.setHeaders(new Map(Object.entries(commonHeaders(request, config.allowedOrigins))));
        sendFailure(response, asFailure(error), log);
      });
    },
  );

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (draining) throw shuttingDown();
    if (site && (await site(request, response))) return;
    const name = config.functionTarget ?? request.url?.split(/[/?]/, 2)[1] ?? '';
    const target = targets.get(name);
    if (!target) throw new Failure('NOT_FOUND', 'There is no such function.');
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

  return { server, shutdown, config, log, studio };
}

function targetNames({ functionTarget }: Config, functions: Record<string, FunctionModule>): string[] {
  if (functionTarget === undefined) return Object.keys(functions);
  if (!Object.hasOwn(functions, functionTarget)) throw new Error('FUNCTION_TARGET names no function');
  return [functionTarget];
}

/** Registers a function with the framework, and gives what passes requests to it. */
function registered(name: string, module: FunctionModule, studio: Studio, track: Track): Target {
  if ('event' in module) {
    const handler = once(async () => (await module.event())(studio, name));
    registerEvent(name, (event: unknown) => track(handler().then((handle) => handle(event as BinaryEvent))));
  } else {
    const handler = once(async () => (await module())(studio, name));
    registerHttp(name, (request, response) => track(handler().then((handle) => handle(request, response))));
  }
  const framework = getTestServer(name);
  return async (request, response) => {
    if ('event' in module) Object.assign(request, { body: await readBody(request, eventBytesMax) });
    // Without these the framework's parser takes the body to be empty and leaves the stream to `endpoint`.
    delete request.headers['content-length'];
    delete request.headers['transfer-encoding'];
    framework.emit('request', request, response);
  };
}

const toStdout = (line: string) => void process.stdout.write(line);

function shuttingDown(): Failure {
  return new Failure('SHUTTING_DOWN', 'The server is being replaced.', { retryAfterSeconds: 1 });
}

/** For what fails before any function is reached. */
function sendFailure(response: ServerResponse, failure: Failure, log: Log): void {
  if (failure.reason === 'INTERNAL') log.error('The server failed', { error: failure });
  const { code, headers, body } = errorAnswer(failure);
  response.writeHead(code, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

/**
 * Serves the studio of the process's environment on PORT until it is told to end.
 * A bad environment ends the process with a message on stderr.
 */
export function serve(options: Omit<ServerOptions, 'env'>): void {
  try {
    const { server, shutdown, config, log } = createStudioServer({ ...options, env: process.env });
    let ending = false;
    const finish = () => {
      // A signal to the process group arrives twice when npm hands it on as well.
      if (ending) return;
      ending = true;
      void shutdown().then(() => process.exit(0));
    };
    // A vendor's stray promise is no reason to drop the generations in flight.
    process.on('unhandledRejection', (error) =>
      log.error('A promise was rejected and nobody looked', { error }),
    );
    process.on('SIGTERM', finish);
    process.on('SIGINT', finish);
    for (const warning of modelWarnings(config.modelIds, new Date())) log.warning(warning);
    server.listen(config.port, () => {
      // Nor is its stray throw. Only from here on: a port that is taken still ends the process.
      process.on('uncaughtException', (error) =>
        log.error('An error was thrown and nobody caught it', { error }),
      );
      log.info('Serving', { port: config.port, target: config.functionTarget });
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}
