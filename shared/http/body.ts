/** Reads the body of a request within limits on its bytes and on its number of JSON values. */
import type { IncomingMessage } from 'node:http';
import { countOf } from '../contract.ts';
import { Failure, invalidRequest } from '../errors.ts';

/** Longest body of a function without its own limit, bytes. */
export const bodyBytesMaxDefault = 65_536;
/**
 * Most `[`, `{` and `,` in a longer body. A valid body is long because of images in base64, which has none of them.
 * JSON.parse makes a gigabyte of 19 MB of brackets.
 */
const structureBytesMax = 65_536;
const structureBytes = new Set(Buffer.from('[{,'));

/** A request as the server passes it to `endpoint`. */
export type BodyRequest = IncomingMessage & {
  /** The body, if the framework has already read it. */
  rawBody?: Buffer;
  /** Answers 100 to a client that sent `Expect: 100-continue` and waits to send its body. */
  wantBody?: () => void;
};

/**
 * Parses the body as JSON. An empty body is an empty object.
 * @throws {Failure} TOO_LARGE, INVALID_REQUEST.
 */
export async function readJsonBody(request: BodyRequest, bytesMax = bodyBytesMaxDefault): Promise<unknown> {
  const encoding = request.headers['content-encoding']?.trim() ?? '';
  if (!/^(identity)?$/i.test(encoding)) {
    throw invalidRequest([{ field: 'Content-Encoding', description: 'must be identity' }]);
  }
  const bytes = await readBody(request, bytesMax);
  if (bytes.length === 0) return {};
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw invalidRequest([{ field: 'Content-Type', description: 'must be application/json' }]);
  }
  if (hasTooManyValues(bytes)) throw invalidRequest([{ field: 'body', description: 'has too many values' }]);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalidRequest([{ field: 'body', description: 'is not valid JSON' }]);
  }
}

function hasTooManyValues(bytes: Buffer): boolean {
  if (bytes.length <= bodyBytesMaxDefault) return false;
  let count = 0;
  for (const byte of bytes) if (structureBytes.has(byte)) count += 1;
  return count > structureBytesMax;
}

/**
 * Reads the bytes of a body. A body whose Content-Length is over the limit is not read. A body that exceeds the limit
 * while it arrives is refused and the rest discarded.
 * @throws {Failure} TOO_LARGE; INVALID_REQUEST if the connection closes before the end of the body.
 */
export async function readBody(request: BodyRequest, bytesMax: number): Promise<Buffer> {
  const length = request.rawBody?.length ?? getContentLength(request);
  if (length > bytesMax) throw tooLargeFailure(bytesMax);
  if (request.rawBody) return request.rawBody;
  request.wantBody?.();
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let left = bytesMax;
    request.on('data', (chunk: Buffer) => {
      const wasWithin = left >= 0;
      left -= chunk.length;
      if (left >= 0) chunks.push(chunk);
      else if (wasWithin) {
        chunks = [];
        reject(tooLargeFailure(bytesMax));
      }
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks));
      // The listeners keep `chunks` alive as long as the request, which goes on while its image is generated.
      chunks = [];
    });
    const fail = (cause?: unknown) =>
      reject(new Failure('INVALID_REQUEST', 'The request body is incomplete.', { cause }));
    request.on('error', fail);
    // If the connection closed before the listener was added, no error event follows.
    if (request.destroyed && !request.readableEnded) fail();
  });
}

/** The Content-Length, or 0. Read from the raw headers: the server hides the header from the framework. */
function getContentLength({ rawHeaders }: IncomingMessage): number {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length');
  return at < 0 ? 0 : Number(rawHeaders[at + 1]);
}

function tooLargeFailure(bytesMax: number): Failure {
  return new Failure('TOO_LARGE', `The request body is larger than ${countOf(bytesMax, 'byte')}.`, {
    metadata: { bytesMax: String(bytesMax) },
  });
}
