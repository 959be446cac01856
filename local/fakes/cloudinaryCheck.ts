import { createHash, randomBytes } from 'node:crypto';
import { type MeasuredImage, measureImage } from './cloudinaryAssets.ts';
import { cloudinaryError } from './cloudinaryFaults.ts';
import type { Reply } from './server.ts';

export type Form = { fields: Record<string, string>; file: Buffer | string | undefined; refusal?: Reply };

const secondsStaleAfter = 3600;
const unsignedFields = ['file', 'api_key', 'cloud_name', 'resource_type', 'signature'];
const signatureDigests: Readonly<Record<number, string>> = { 40: 'sha1', 64: 'sha256' };

/**
 * Parses a multipart or URL-encoded form. A repeated `name[]` becomes one field of comma-separated values, as the
 * signature treats it.
 */
export async function parseForm(body: Buffer, contentType: string): Promise<Form> {
  let form: FormData;
  try {
    form = await new Response(...replaceBoundary(body, contentType)).formData();
  } catch {
    return { fields: {}, file: undefined, refusal: cloudinaryError(400, 'Invalid request body') };
  }
  const fields: Record<string, string> = {};
  let file: Buffer | string | undefined;
  for (const [rawName, value] of form) {
    if (typeof value !== 'string') {
      if (rawName === 'file') file = Buffer.from(await value.arrayBuffer());
      continue;
    }
    if (rawName === 'file') {
      file = value;
      continue;
    }
    const name = rawName.replace(/\[\]$/, '');
    fields[name] = rawName !== name && name in fields ? `${fields[name]},${value}` : value;
  }
  return { fields, file };
}

/**
 * Replaces the form's boundary with a long random one. Node's parser finds a boundary anywhere in a file, not only at
 * the start of a line after two dashes as RFC 2046 requires, and the SDK's boundary may be two letters long, which
 * every image contains.
 */
function replaceBoundary(body: Buffer, contentType: string): [Uint8Array<ArrayBuffer>, ResponseInit] {
  const originalBoundary = /^multipart\/form-data; *boundary=([^\s;]+)$/i.exec(contentType)?.[1];
  if (!originalBoundary) return [new Uint8Array(body), { headers: { 'content-type': contentType } }];
  const boundary = randomBytes(30).toString('hex');
  const [from, to] = [`\r\n--${originalBoundary}`, `\r\n--${boundary}`].map((text) => Buffer.from(text)) as [
    Buffer,
    Buffer,
  ];
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  const chunks: Buffer[] = [];
  let begin = 0;
  for (let at = whole.indexOf(from); at >= 0; at = whole.indexOf(from, begin)) {
    chunks.push(whole.subarray(begin, at), to);
    begin = at + from.length;
  }
  chunks.push(whole.subarray(begin));
  const bytes = new Uint8Array(Buffer.concat(chunks).subarray(2));
  return [bytes, { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }];
}

/** The string that Cloudinary signs: the sorted non-empty fields, with each `&` in a field written as %26. */
function stringToSign(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .filter(([name, value]) => value !== '' && !unsignedFields.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`.replaceAll('&', '%26'))
    .join('&');
}

/** Checks cloud, key, timestamp and signature, in the real service's order. */
export function refuseCall(
  cloud: string,
  fields: Readonly<Record<string, string>>,
  account: { cloudName: string; apiKey: string; apiSecret: string },
  nowSeconds: number,
): Reply | undefined {
  if (cloud !== account.cloudName) return cloudinaryError(401, `Invalid cloud_name ${cloud}`);
  if (!fields.api_key) return cloudinaryError(401, 'Must supply api_key');
  if (fields.api_key !== account.apiKey) return cloudinaryError(401, `Unknown API key ${fields.api_key}`);
  if (!fields.signature) return cloudinaryError(400, 'Missing required parameter - signature');
  if (!fields.timestamp) return cloudinaryError(400, 'Missing required parameter - timestamp');
  const timestamp = Number(fields.timestamp);
  if (!Number.isInteger(timestamp)) return cloudinaryError(400, 'Invalid value for parameter - timestamp');
  if (nowSeconds - timestamp > secondsStaleAfter) {
    const reportedTime = new Date(timestamp * 1000).toISOString().replace('T', ' ').slice(0, 19);
    return cloudinaryError(
      400,
      `Stale request - reported time is ${reportedTime} +0000 which is more than 1 hour ago`,
    );
  }
  const toSign = stringToSign(fields);
  const digest = signatureDigests[fields.signature.length] ?? 'sha1';
  const expectedSignature = createHash(digest)
    .update(toSign + account.apiSecret)
    .digest('hex');
  if (fields.signature !== expectedSignature) {
    return cloudinaryError(401, `Invalid Signature ${fields.signature}. String to sign - '${toSign}'.`);
  }
  return undefined;
}

/** Refuses public ids that a delivery address cannot contain. */
export function refusePublicId(publicId: string): Reply | undefined {
  if (!/[?&#\\%<>+]/.test(publicId) && !/^[\s/]|[\s/]$/.test(publicId)) return undefined;
  return cloudinaryError(400, `public_id (${publicId}) is invalid`);
}

/** The image of an upload, from a file or a data URI. */
export function parseUpload(
  file: Buffer | string | undefined,
  bytesMax: number,
): MeasuredImage | { refusal: Reply } {
  const refuse = (message: string) => ({ refusal: cloudinaryError(400, message) });
  if (file === undefined || file === '') return refuse('Missing required parameter - file');
  const bytes = typeof file === 'string' ? fromDataUri(file) : file;
  // The real service would download an address. The fake makes no requests.
  if (bytes === undefined) return refuse(`Error in loading ${String(file).slice(0, 200)}`);
  if (bytes.length === 0) return refuse('Empty file');
  if (bytes.length > bytesMax) {
    return refuse(`File size too large. Got ${bytes.length}. Maximum is ${bytesMax}.`);
  }
  return measureImage(bytes) ?? refuse('Invalid image file');
}

function fromDataUri(text: string): Buffer | undefined {
  const comma = text.indexOf(',');
  return /^data:[\w.+/-]*;base64$/.test(text.slice(0, comma))
    ? Buffer.from(text.slice(comma + 1), 'base64')
    : undefined;
}
