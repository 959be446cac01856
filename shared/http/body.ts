/** The body of a request: never more of it in memory than its limit, and no more in it than a request can need. */
import type { IncomingMessage } from 'node:http';
import { Failure, invalidRequest } from '../errors.ts';

/** Longest body where a function says nothing else, bytes. */
export const bodyBytesMaxDefault = 65_536;
/**
 * Most brackets and commas of a body that is longer than that. What makes a body long is images in base64,
 * which has none of them; 19 MB of brackets would be parsed to a gigabyte.
 */
const structureBytesMax = 65_536;
const structureBytes = new Set(Buffer.from('[{,'));

/** A request as the server hands it on. */
export type BodyRequest = IncomingMessage & {
  /** The body, where somebody has read it already. */
  rawBody?: Buffer;
  /** Tells a client that waits for it (`Expect: 100-continue`) to send its body. */
  wantBody?: () => void;
};

/**
 * The JSON of a request's body; an empty body is an empty object.
 * @throws {Failure} TOO_LARGE, INVALID_REQUEST.
 */
export async function jsonBody(request: BodyRequest, bytesMax = bodyBytesMaxDefault): Promise<unknown> {
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
  if (!isModest(bytes)) throw invalidRequest([{ field: 'body', description: 'has too many values' }]);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalidRequest([{ field: 'body', description: 'is not valid JSON' }]);
  }
}

function isModest(bytes: Buffer): boolean {
  if (bytes.length <= bodyBytesMaxDefault) return true;
  let found = 0;
  for (const byte of bytes) if (structureBytes.has(byte)) found += 1;
  return found <= structureBytesMax;
}

/**
 * The bytes of a body. One that says that it is over the limit is not read at all; one that turns out to be
 * is thrown away as it comes.
 * @throws {Failure} TOO_LARGE; INVALID_REQUEST where it broke off.
 */
export async function readBody(request: BodyRequest, bytesMax: number): Promise<Buffer> {
  const length = request.rawBody?.length ?? toldLength(request);
  if (length > bytesMax) throw tooLarge(bytesMax);
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
        reject(tooLarge(bytesMax));
      }
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks));
      // This listener is there as long as the request, which is painted meanwhile.
      chunks = [];
    });
    const breakOff = (cause?: unknown) =>
      reject(new Failure('INVALID_REQUEST', 'The body broke off.', { cause }));
    request.on('error', breakOff);
    // The connection may be gone before anybody listened, and then there is no error any more.
    if (request.destroyed && !request.readableEnded) breakOff();
  });
}

/** What a request says of its length, 0 where it says nothing. The server hides that header from the framework. */
function toldLength({ rawHeaders }: IncomingMessage): number {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length');
  return at < 0 ? 0 : Number(rawHeaders[at + 1]);
}

function tooLarge(bytesMax: number): Failure {
  return new Failure('TOO_LARGE', `The body is larger than ${bytesMax} bytes.`, {
    metadata: { bytesMax: String(bytesMax) },
  });
}
