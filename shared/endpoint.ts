/**
 * The way in and out of every HTTP function: method, caller, request, answer, error model, log line.
 * A function says what it takes and does; nothing else answers a request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { BinaryEvent } from './accountEvent.ts';
import type { Admin, User } from './auth.ts';
import { idempotencyKeySchema } from './contract.ts';
import { asFailure, errorAnswer, Failure, type FieldViolation, invalidRequest } from './errors.ts';
import { type Notes, startLine } from './requestLine.ts';
import type { Studio } from './studio.ts';

/** Longest body where a function says nothing else, bytes. */
export const bodyBytesMaxDefault = 65_536;
/** How long a browser may keep the answer to a preflight, seconds. */
const preflightSeconds = 3_600;

type Callers = { anyone: undefined; user: User; admin: Admin; scheduler: { actor: string } };
export type Access = keyof Callers;

export type Call<A extends Access, Input> = {
  caller: Callers[A];
  /** The body of a POST, the query of a GET, parsed. */
  input: Input;
  /** The Idempotency-Key header; empty where the function takes none. */
  idempotencyKey: string;
} & Notes;

export type Answer<Body> = { body: Body; headers?: Record<string, string> };

/** What an endpoint promises to those outside: all that the description of the API needs to know of it. */
export type Promised<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = {
  method: 'GET' | 'POST';
  access: A;
  input: Input;
  /** The body of a 200. `run` is typed by it; that it keeps to it is for the tests to see, not for each call. */
  answer: Output;
  /** Whether an Idempotency-Key header is required. */
  keyed?: boolean;
  /** Longest body it takes, bytes; 64 KiB where it says nothing. */
  bodyBytesMax?: number;
};

export type Endpoint<A extends Access, Input extends z.ZodType, Output extends z.ZodType> = Promised<
  A,
  Input,
  Output
> & {
  run(call: Call<A, z.output<Input>>, studio: Studio): Promise<Answer<z.input<Output>>>;
};

/** An HTTP function: makes its handler, and says what it promises. */
export type HttpFunction = ((studio: Studio, name: string) => Handler) & {
  readonly spec: Promised<Access, z.ZodType, z.ZodType>;
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
    (studio: Studio, name: string): Handler =>
    async (request, response) => {
      const line = startLine(studio, name);
      for (const [header, value] of Object.entries(commonHeaders(request, studio.config.allowedOrigins))) {
        response.setHeader(header, value);
      }
      try {
        if (request.method === 'OPTIONS') return sendPreflight(response, spec.method);
        const { body, headers } = await handle(spec, request, studio, line.notes);
        send(response, 200, body, headers);
        line.ok();
      } catch (error) {
        const failure = asFailure(error);
        const { code, headers, body } = errorAnswer(failure);
        send(response, code, body, headers);
        line.failed(failure, code);
      }
    };
  return Object.assign(handlerFor, { spec });
}

async function handle<A extends Access, Input extends z.ZodType, Output extends z.ZodType>(
  spec: Endpoint<A, Input, Output>,
  request: IncomingMessage,
  studio: Studio,
  notes: Notes,
): Promise<Answer<z.input<Output>>> {
  if (request.method !== spec.method) {
    throw new Failure('METHOD_NOT_ALLOWED', `Please use ${spec.method}.`, {
      headers: { Allow: `${spec.method}, OPTIONS` },
    });
  }
  const caller = await identify(spec.access, request, studio);
  const raw = spec.method === 'GET' ? query(request) : await jsonBody(request, spec.bodyBytesMax);
  const key = spec.keyed ? idempotencyKeySchema.safeParse(request.headers['idempotency-key']) : undefined;
  const input = spec.input.safeParse(raw);
  const violations = [
    ...(key?.error?.issues.map(({ message }) => ({ field: 'Idempotency-Key', description: message })) ?? []),
    ...(input.error ? violationsOf(input.error) : []),
  ];
  if (!input.success || violations.length > 0) throw invalidRequest(violations);
  return spec.run({ caller, input: input.data, idempotencyKey: key?.data ?? '', ...notes }, studio);
}

async function identify<A extends Access>(access: A, request: IncomingMessage, studio: Studio) {
  if (access === 'anyone') return undefined as Callers[A];
  const auth = await studio.auth();
  const { authorization } = request.headers;
  const remoteAddress = request.socket.remoteAddress;
  return (await auth[access as 'user']({ authorization, remoteAddress })) as Callers[A];
}

function violationsOf(error: z.ZodError): FieldViolation[] {
  return error.issues.flatMap((issue): FieldViolation[] => {
    const at = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: at ? `${at}.${key}` : key, description: 'is not known' }));
    }
    return [{ field: at || 'body', description: at ? issue.message : 'must be a JSON object' }];
  });
}

function query(request: IncomingMessage): unknown {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const names = [...searchParams.keys()];
  const repeated = names.filter((name, i) => names.indexOf(name) < i);
  if (repeated.length > 0) {
    throw invalidRequest(repeated.map((field) => ({ field, description: 'must be given once' })));
  }
  return Object.fromEntries(searchParams);
}

async function jsonBody(request: IncomingMessage, bytesMax = bodyBytesMaxDefault): Promise<unknown> {
  const bytes = await readBody(request, bytesMax);
  if (bytes.length === 0) return {};
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw invalidRequest([{ field: 'Content-Type', description: 'must be application/json' }]);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalidRequest([{ field: 'body', description: 'is not valid JSON' }]);
  }
}

/** The body, never more of it in memory than the limit; what is over it is refused and thrown away as it comes. */
export async function readBody(
  request: IncomingMessage & { rawBody?: Buffer },
  bytesMax: number,
): Promise<Buffer> {
  const tooLarge = () =>
    new Failure('TOO_LARGE', `The body is larger than ${bytesMax} bytes.`, {
      metadata: { bytesMax: String(bytesMax) },
    });
  if (request.rawBody) {
    if (request.rawBody.length > bytesMax) throw tooLarge();
    return request.rawBody;
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (cause) => reject(new Failure('INVALID_REQUEST', 'The body broke off.', { cause })));
  });
}

export function commonHeaders(
  request: IncomingMessage,
  allowedOrigins: readonly string[],
): Record<string, string> {
  const headers = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-site',
    Vary: 'Origin',
  };
  const { origin } = request.headers;
  if (!origin || !allowedOrigins.includes(origin)) return headers;
  return {
    ...headers,
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
