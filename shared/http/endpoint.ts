/**
 * Wraps every HTTP function: checks the method, the caller and the input, sends the answer or the error, and writes
 * the log line. A function only declares its input and does its work.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as z from 'zod';
import type { Admin, User } from '../auth/auth.ts';
import { idempotencyKeySchema } from '../contract/ids.ts';
import { hashIdempotencyKey } from '../core/keyHash.ts';
import type { RequestLog } from '../core/log.ts';
import type { RateLimit } from '../core/rateLimit.ts';
import type { BinaryEvent } from '../database/accountEvent.ts';
import {
  errorAnswer,
  Failure,
  type FieldViolation,
  invalidRequest,
  toFailure,
  withSupport,
} from '../errors.ts';
import type { Dependency, Services } from '../services.ts';
import { type Admit, bodyBytesMaxDefault, readBody, readJsonBody } from './body.ts';
import { getClientAddress } from './clientAddress.ts';
import { createRequestLog } from './requestLog.ts';
import { sendChunks } from './stream.ts';

/** How long a browser may cache the answer to a preflight, seconds. */
const preflightSeconds = 3_600;
/** Most field violations in an error, and most characters of an unknown field's name. */
const violationsMax = 20;
const fieldCharactersMax = 100;

type Callers = { anyone: undefined; user: User; admin: Admin; scheduler: undefined };
export type Access = keyof Callers;

export type RequestContext<A extends Access, Input> = {
  caller: Callers[A];
  /** The parsed body of a POST or query of a GET. */
  input: Input;
  /** The Idempotency-Key header; empty if the function does not require one. */
  idempotencyKey: string;
  /** The caller's network address, for limits on calls without a sign-in. */
  address: string;
  /** Adds fields and durations to the log line of this request. */
  log: RequestLog;
};

export type Answer<Body> = { headers?: Record<string, string> } & (
  | {
      body: Body;
      /** Only of a page: there is none at this address. */
      status?: 404;
    }
  /** The body as pieces of its JSON text, sent as they come. An error before the first is answered as usual. */
  | { chunks: AsyncGenerator<string, void, void> }
);

/** What an endpoint promises its clients. The API description is generated from it. */
export type EndpointSpec<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = {
  method: 'GET' | 'POST';
  access: A;
  input: Input;
  /** The body of a 200. It types `run`; only tests validate it, not every call. */
  answer: Output;
  /** True if the body is an HTML page. Errors stay JSON. */
  isPage?: boolean;
  /** True if the Idempotency-Key header is required. */
  requiresIdempotencyKey?: boolean;
  /**
   * Set if the body is not parsed as JSON, because this header signs its bytes. The input is then `{payload, signature}`: the
   * bytes and the header.
   */
  signatureHeader?: string;
  /** Longest body, bytes; 64 KiB by default. */
  bodyBytesMax?: number;
  /** Most calls of one user, per process. */
  limit?: RateLimit;
};

export type Endpoint<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = EndpointSpec<
  A,
  Input,
  Output
> & {
  /** Modules to load while the caller is verified; the database by default. */
  dependencies?: readonly Dependency[];
  /** Called before a large body is read (see `largeBodyBytes`). It refuses the call by throwing. */
  admit?(context: Omit<RequestContext<A, never>, 'input' | 'address'>, services: Services): Promise<void>;
  run(context: RequestContext<A, z.output<Input>>, services: Services): Promise<Answer<z.input<Output>>>;
};

/** An HTTP function: creates its handler; `spec` describes it. */
export type HttpFunction = ((services: Services, name: string) => Handler) & {
  readonly spec: EndpointSpec<Access, z.ZodType, z.ZodType>;
};

/** Called by functions-framework for each request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Called by functions-framework for each CloudEvent. If it rejects, the event is delivered again. */
export type EventHandler = (event: BinaryEvent) => Promise<void>;

/** Turns an endpoint into an HTTP function. */
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
        const answer = await handle(spec, request, services, log);
        if ('chunks' in answer) {
          const { chunks, headers } = answer;
          log.add(await sendChunks(response, chunks, { ...jsonHeaders, ...headers }, services.shutdown));
        } else if (spec.isPage) sendPage(response, answer.status ?? 200, String(answer.body), answer.headers);
        else send(response, 200, answer.body, answer.headers);
        log.ok();
      } catch (error) {
        const failure = withSupport(toFailure(error), services.config.supportEmail);
        const { code, headers, body } = errorAnswer(failure);
        if (!response.headersSent) send(response, code, body, headers);
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
  // Uptime checks and load balancers ask with HEAD. Node sends the same headers as for GET, and no body.
  const methods = spec.method === 'GET' ? ['GET', 'HEAD'] : [spec.method];
  if (!methods.includes(request.method ?? '')) {
    throw new Failure('METHOD_NOT_ALLOWED', `Please use ${spec.method}.`, {
      headers: { Allow: [...methods, 'OPTIONS'].join(', ') },
    });
  }
  const caller = await identify(spec, request, services);
  if (caller && 'uid' in caller) log.add({ [spec.access === 'admin' ? 'admin' : 'uid']: caller.uid });
  if (spec.limit && caller && 'uid' in caller) services.rateLimiter.take(spec.limit, caller.uid);
  const { idempotencyKey, keyViolations } = readIdempotencyKey(spec, request);
  if (idempotencyKey) log.add({ keyHash: hashIdempotencyKey(idempotencyKey) });
  const admit = async () => {
    if (keyViolations.length > 0) throw invalidRequest(keyViolations);
    await spec.admit?.({ caller, idempotencyKey, log }, services);
  };
  const raw = await readInput(spec, request, admit);
  const input = spec.input.safeParse(raw);
  const violations = [...keyViolations, ...(input.error ? toFieldViolations(input.error) : [])];
  if (!input.success || violations.length > 0) throw invalidRequest(violations.slice(0, violationsMax));
  const address = getClientAddress(request, services.config.deployed);
  return spec.run({ caller, input: input.data, idempotencyKey, address, log }, services);
}

async function readInput(
  {
    method,
    signatureHeader,
    bodyBytesMax,
  }: Pick<EndpointSpec<Access, z.ZodType, z.ZodType>, 'method' | 'signatureHeader' | 'bodyBytesMax'>,
  request: IncomingMessage,
  admit: Admit,
): Promise<unknown> {
  if (method === 'GET') return parseQuery(request);
  if (signatureHeader === undefined) return readJsonBody(request, bodyBytesMax, admit);
  const payload = await readBody(request, bodyBytesMax ?? bodyBytesMaxDefault);
  return { payload, signature: request.headers[signatureHeader.toLowerCase()] ?? '' };
}

function readIdempotencyKey(
  { requiresIdempotencyKey }: { requiresIdempotencyKey?: boolean },
  { headers }: IncomingMessage,
): { idempotencyKey: string; keyViolations: FieldViolation[] } {
  if (!requiresIdempotencyKey) return { idempotencyKey: '', keyViolations: [] };
  const { data = '', error } = idempotencyKeySchema.safeParse(headers['idempotency-key']);
  const issues = error?.issues ?? [];
  return {
    idempotencyKey: data,
    keyViolations: issues.map(({ message }) => ({ field: 'Idempotency-Key', description: message })),
  };
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
        return { field: at ? `${at}.${field}` : field, description: 'is unknown' };
      });
    }
    return [{ field: at || 'body', description: at ? issue.message : 'must be a JSON object' }];
  });
}

function parseQuery({ url = '' }: IncomingMessage): unknown {
  const parameters = new URLSearchParams(/\?.*/s.exec(url)?.[0]);
  const names = new Set<string>();
  for (const name of parameters.keys()) {
    if (names.has(name)) throw invalidRequest([{ field: name, description: 'must be given once' }]);
    names.add(name);
  }
  return Object.fromEntries(parameters);
}

/** The headers of every answer. */
export const answerHeaders = {
  'Cache-Control': 'no-store',
  // Block scripts if a browser renders a JSON response.
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-site',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=63072000',
  'X-Content-Type-Options': 'nosniff',
  Vary: 'Origin',
};

/** The headers of every answer, and those of CORS if the request's origin is exactly one of the allowed origins. */
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

function sendPage(
  response: ServerResponse,
  code: number,
  html: string,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(html);
  response.writeHead(code, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': bytes.length,
    ...headers,
  });
  // Node leaves the body out of the answer to HEAD.
  response.end(bytes);
}
const jsonHeaders = { 'Content-Type': 'application/json; charset=utf-8' };

function send(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    ...jsonHeaders,
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}
