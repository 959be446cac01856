/**
 * The HTTP server in front of the functions. Each function is a functions-framework target; the server
 * of our own keeps bodies from the framework's parser (which reads up to 1 GiB before any code of ours
 * runs), bounds slow requests, and drains at shutdown, none of which the framework's own start does.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { http as register } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { type Config, parseConfig } from './config.ts';
import type { Handler } from './endpoint.ts';
import { errorAnswer, Failure } from './errors.ts';
import { createLog } from './log.ts';
import { createStudio, type Parts, type Studio } from './studio.ts';

/** A function as the contents page lists it: loaded at its first request. */
export type FunctionModule = () => Promise<(studio: Studio, name: string) => Handler>;

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
/** Longest time for a request's headers, and for the whole of it, milliseconds. */
const headersMsMax = 10_000;
const requestMsMax = 60_000;

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
  const targets = new Map(
    targetNames(config, functions).map((name) => [
      name,
      registered(name, functions[name] as FunctionModule, studio),
    ]),
  );

  const open = new Set<ServerResponse>();
  const server = http.createServer(
    { headersTimeout: headersMsMax, requestTimeout: requestMsMax },
    (request, response) => {
      open.add(response);
      response.on('close', () => open.delete(response));
      void route(request, response).catch((error) => {
        log.error('The server failed', { error });
        response.destroy();
      });
    },
  );

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (site && (await site(request, response))) return;
    const name = config.functionTarget ?? request.url?.split(/[/?]/, 2)[1] ?? '';
    const target = targets.get(name);
    if (target) target(request, response);
    else sendNotFound(response);
  }

  /** Stops accepting, lets requests in flight finish, then has what is left refunded. */
  async function shutdown(): Promise<void> {
    for (const response of open) if (!response.headersSent) response.setHeader('Connection', 'close');
    const closed = new Promise((resolve) => server.close(resolve));
    const timer = setTimeout(() => end.abort(shuttingDown()), drainMs);
    await closed;
    clearTimeout(timer);
  }

  return { server, shutdown, config, log, studio };
}

function targetNames({ functionTarget }: Config, functions: Record<string, FunctionModule>): string[] {
  if (functionTarget === undefined) return Object.keys(functions);
  if (!Object.hasOwn(functions, functionTarget)) throw new Error('FUNCTION_TARGET names no function');
  return [functionTarget];
}

/** Registers a function with the framework, and gives what passes requests to it. */
function registered(name: string, load: FunctionModule, studio: Studio) {
  let handler: Promise<Handler> | undefined;
  register(name, async (request, response) => {
    handler ??= load().then((make) => make(studio, name));
    await (await handler)(request, response);
  });
  const framework = getTestServer(name);
  return (request: IncomingMessage, response: ServerResponse) => {
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

function sendNotFound(response: ServerResponse): void {
  const { code, body } = errorAnswer(new Failure('NOT_FOUND', 'There is no such function.'));
  response.writeHead(code, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
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
    process.on('SIGTERM', finish);
    process.on('SIGINT', finish);
    server.listen(config.port, () =>
      log.info('Serving', { port: config.port, target: config.functionTarget }),
    );
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}
