/**
 * The way in and out of every HTTP function: method, caller, request, answer, error model, log line.
 * A function says what it takes and does; nothing else answers a request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as z from 'zod';
import type { Admin, User } from '../auth.ts';
import { idempotencyKeySchema } from '../contract.ts';
import type { RateLimit } from '../core/rateLimit.ts';
import type { BinaryEvent } from '../database/accountEvent.ts';
import { errorAnswer, Failure, type FieldViolation, invalidRequest, toFailure } from '../errors.ts';
import type { Dependency, Services } from '../services.ts';
import { jsonBody } from './body.ts';
import { createRequestLog, type RequestLog } from './requestLog.ts';

/** How long a browser may keep the answer to a preflight, seconds. */
const preflightSeconds = 3_600;
/** How many faults of a request are told, and how much of the name of a field that somebody made up. */
const violationsMax = 20;
const fieldCharactersMax = 100;

type Callers = { anyone: undefined; user: User; admin: Admin; scheduler: { actor: string } };
export type Access = keyof Callers;

export type RequestContext<A extends Access, Input> = {
  caller: Callers[A];
  /** The body of a POST, the query of a GET, parsed. */
  input: Input;
  /** The Idempotency-Key header; empty where the function takes none. */
  idempotencyKey: string;
  /** Adds fields and durations to the log line of this request. */
  log: RequestLog;
};

export type Answer<Body> = { body: Body; headers?: Record<string, string> };

/** What an endpoint promises to those outside: all that the description of the API needs to know of it. */
export type EndpointSpec<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = {
  method: 'GET' | 'POST';
  access: A;
  input: Input;
  /** The body of a 200. `run` is typed by it; that it keeps to it is for the tests to see, not for each call. */
  answer: Output;
  /** Whether an Idempotency-Key header is required. */
  requiresIdempotencyKey?: boolean;
  /** Longest body it takes, bytes; 64 KiB where it says nothing. */
  bodyBytesMax?: number;
  /** How often one user may call it, in one process. */
  limit?: RateLimit;
};

export type Endpoint<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = EndpointSpec<
  A,
  Input,
  Output
> & {
  /** What it will need, loaded while its caller is looked at; the database where it says nothing. */
  dependencies?: readonly Dependency[];
  run(call: RequestContext<A, z.output<Input>>, services: Services): Promise<Answer<z.input<Output>>>;
};

/** An HTTP function: makes its handler, and says what it promises. */
export type HttpFunction = ((services: Services, name: string) => Handler) & {
  readonly spec: EndpointSpec<Access, z.ZodType, z.ZodType>;
};

/** What functions-framework calls for a request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What functions-framework calls for a CloudEvent; a rejection has the event delivered again. */
export type EventHandler = (event: BinaryEvent) => Promise<void>;

/** An endpoint as a function: makes the handler for the studio it is called with. */
export function endpoint<A extends Access, Input extends z.ZodType, Output extends z.ZodType>(
  spec: Endpoint<A, Input, Output>,
): HttpFunction {
  const handlerFor =
    (services: Services, name: string): Handler =>
    async (request, response) => {
      const log = createRequestLog(services, name);
      for (const [header, value] of Object.entries(commonHeaders(request, services.config.allowedOrigins))) {
        response.setHeader(header, value);
      }
      try {
        if (request.method === 'OPTIONS') return sendPreflight(response, spec.method);
        const { body, headers } = await handle(spec, request, services, log);
        send(response, 200, body, headers);
        log.ok();
      } catch (error) {
        const failure = toFailure(error);
        const { code, headers, body } = errorAnswer(failure);
        send(response, code, body, headers);
        log.fail(failure, code);
      }
    };
  return Object.assign(handlerFor, { spec });
}

async function handle<A extends Access, Input extends z.ZodType, Output extends z.ZodType>(
  spec: Endpoint<A, Input, Output>,
  request: IncomingMessage,
  services: Services,
  log: RequestLog,
): Promise<Answer<z.input<Output>>> {
  if (request.method !== spec.method) {
    throw new Failure('METHOD_NOT_ALLOWED', `Please use ${spec.method}.`, {
      headers: { Allow: `${spec.method}, OPTIONS` },
    });
  }
  const caller = await identify(spec, request, services);
  if (spec.limit && caller && 'uid' in caller) services.rateLimiter.take(spec.limit, caller.uid);
  const raw = spec.method === 'GET' ? query(request) : await jsonBody(request, spec.bodyBytesMax);
  const key = spec.requiresIdempotencyKey
    ? idempotencyKeySchema.safeParse(request.headers['idempotency-key'])
    : undefined;
  const input = spec.input.safeParse(raw);
  const violations = [
    ...(key?.error?.issues.map(({ message }) => ({ field: 'Idempotency-Key', description: message })) ?? []),
    ...(input.error ? toFieldViolations(input.error) : []),
  ];
  if (!input.success || violations.length > 0) throw invalidRequest(violations.slice(0, violationsMax));
  return spec.run({ caller, input: input.data, idempotencyKey: key?.data ?? '', log }, services);
}

async function identify<A extends Access>(
  { access, dependencies = ['database'] }: { access: A; dependencies?: readonly Dependency[] },
  request: IncomingMessage,
  services: Services,
) {
  if (access === 'anyone') return undefined as Callers[A];
  const auth = await services.auth();
  const { authorization, host } = request.headers;
  const remoteAddress = request.socket.remoteAddress;
  const caller = auth[access as 'user']({ authorization, remoteAddress, host });
  services.preload(dependencies);
  return (await caller) as Callers[A];
}

function toFieldViolations(error: z.ZodError): FieldViolation[] {
  return error.issues.flatMap((issue): FieldViolation[] => {
    const at = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, violationsMax).map((key) => {
        const field = key.slice(0, fieldCharactersMax);
        return { field: at ? `${at}.${field}` : field, description: 'is not known' };
      });
    }
    return [{ field: at || 'body', description: at ? issue.message : 'must be a JSON object' }];
  });
}

function query({ url = '' }: IncomingMessage): unknown {
  const parameters = new URLSearchParams(/\?.*/s.exec(url)?.[0]);
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (seen.has(name)) throw invalidRequest([{ field: name, description: 'must be given once' }]);
    seen.add(name);
  }
  return Object.fromEntries(parameters);
}

/** The headers of every answer, whatever it is. */
export const answerHeaders = {
  'Cache-Control': 'no-store',
  // An answer is data: whoever opens one as a page gets a page that can do nothing.
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-site',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=63072000',
  'X-Content-Type-Options': 'nosniff',
  Vary: 'Origin',
};

/** The same, and CORS for the origins that were named, exactly as they were. */
export function commonHeaders(
  { headers: { origin } }: IncomingMessage,
  allowedOrigins: readonly string[],
): Record<string, string> {
  if (!origin || !allowedOrigins.includes(origin)) return answerHeaders;
  return {
    ...answerHeaders,
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Retry-After, Idempotent-Replayed',
  };
}

function sendPreflight(response: ServerResponse, method: string): void {
  if (response.hasHeader('Access-Control-Allow-Origin')) {
    response.setHeader('Access-Control-Allow-Methods', method);
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, Idempotency-Key');
    response.setHeader('Access-Control-Max-Age', String(preflightSeconds));
  }
  response.writeHead(204).end();
}

function send(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}
