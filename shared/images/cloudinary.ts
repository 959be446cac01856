/**
 * Stores images at Cloudinary. The only file that imports its SDK.
 * Facts are from Cloudinary's upload API reference and from the source of the SDK, version 2.11.
 */
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { v2 as cloudinary } from 'cloudinary';
import * as z from 'zod';
import { DeadlinePassed, withDeadline } from '../core/deadline.ts';
import { Failure } from '../errors.ts';

export type StoredUrls = { url: string; thumbnailUrl: string };

export type ImageStore = {
  /**
   * Stores the bytes unchanged under `publicId`, replacing an image of that name. Empties `chunks` once they are stored,
   * to free their memory; after a failure they are still there for another try.
   * @throws {Failure} STORAGE_ERROR, whose `providerFailure` is `passing` if another try may succeed;
   * PROVIDER_MISCONFIGURED if the store refuses us; PROVIDER_TIMEOUT; the signal's reason when it aborts.
   */
  store(
    publicId: string,
    chunks: Uint8Array[],
    millisecondsLeft: number,
    signal: AbortSignal,
  ): Promise<StoredUrls>;
  /**
   * Returns the bytes of an image of this store. Refuses any other URL.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT; the signal's reason when it aborts.
   */
  fetch(url: string, millisecondsLeft: number, signal: AbortSignal): Promise<Buffer>;
  /**
   * Deletes an image, also from the CDN. Returns false if it did not exist.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_MISCONFIGURED, PROVIDER_TIMEOUT.
   */
  destroy(publicId: string, millisecondsLeft: number): Promise<boolean>;
};

/** Largest image that `fetch` returns, bytes. */
const fetchedBytesMax = 20_000_000;

/** Most bytes of an upload in one write. TLS holds an encrypted copy of each write. */
const sentBytesMax = 65_536;

const thumbnail = 'c_fill,f_auto,h_320,q_auto,w_320';

const uploadedSchema = z.object({ public_id: z.string(), version: z.number(), secure_url: z.url() });
const destroyedSchema = z.object({ result: z.enum(['ok', 'not found']) });

type Callback = (error: unknown, result: unknown) => void;
type CallOptions = Credentials & { agent: http.Agent; timeout: number; disable_promises: true };
type Credentials = { cloud_name: string; api_key: string; api_secret: string; upload_prefix?: string };

/**
 * Creates the image store. The SDK chooses http or https when it is imported, from CLOUDINARY_URL in the process's
 * environment; every call passes all other settings.
 * @throws {Failure} PROVIDER_MISCONFIGURED without CLOUDINARY_URL.
 */
export function createImageStore({ cloudinaryUrl }: { cloudinaryUrl: string | undefined }): ImageStore {
  if (!cloudinaryUrl) {
    throw misconfigured(new Error('CLOUDINARY_URL is not set'));
  }
  const credentials = parseCredentials(cloudinaryUrl);
  const call = createCaller(credentials, credentials.upload_prefix?.startsWith('http:') ? http : https);

  return {
    async store(publicId, chunks, millisecondsLeft, signal) {
      const options = { public_id: publicId, overwrite: true, resource_type: 'image' as const };
      const answer = await call('Storing', millisecondsLeft, signal, (callOptions, done) => {
        Readable.from(split(chunks)).pipe(
          cloudinary.uploader.upload_stream({ ...options, ...callOptions }, done as never),
        );
      });
      const uploaded = uploadedSchema.safeParse(answer);
      if (!uploaded.success || uploaded.data.public_id !== publicId) throw passingFailure(uploaded.error);
      chunks.length = 0;
      const url = uploaded.data.secure_url;
      return { url, thumbnailUrl: url.replace('/image/upload/', `/image/upload/${thumbnail}/`) };
    },

    async fetch(url, millisecondsLeft, signal) {
      if (!isOfStore(url, credentials)) throw storageFailure({ name: 'the URL is not of this image store' });
      const timeout = AbortSignal.timeout(Math.ceil(millisecondsLeft));
      try {
        const response = await fetch(url, { signal: AbortSignal.any([signal, timeout]), redirect: 'error' });
        if (!response.ok) throw { http_code: response.status };
        const bytes = Number(response.headers.get('content-length') ?? 0);
        if (bytes > fetchedBytesMax) throw { name: 'the image is too large' };
        return Buffer.from(await response.arrayBuffer());
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (timeout.aborted) throw timeoutFailure(error);
        throw storageFailure(error);
      }
    },

    async destroy(publicId, millisecondsLeft) {
      const answer = await call('Deleting', millisecondsLeft, undefined, (callOptions, done) => {
        const options = { invalidate: true, resource_type: 'image', ...callOptions };
        // With disable_promises the SDK only calls back.
        void cloudinary.uploader.destroy(publicId, options as object, done as never);
      });
      const destroyed = destroyedSchema.safeParse(answer);
      if (!destroyed.success) throw storageFailure(destroyed.error);
      return destroyed.data.result === 'ok';
    },
  };
}

/**
 * Calls the SDK under a hard deadline. The SDK cannot abort a call (its timeout is an idle timeout), so each call has its
 * own agent: destroying the agent closes the connection. Connections are never reused: Cloudinary may have closed one
 * while the instance was paused, and the upload on it would fail after its image was generated and billed.
 */
function createCaller(credentials: Credentials, { Agent }: typeof http | typeof https) {
  return async (
    what: string,
    millisecondsLeft: number,
    signal: AbortSignal | undefined,
    start: (options: CallOptions, done: Callback) => void,
  ): Promise<unknown> => {
    const agent = new Agent({ maxSockets: 1 });
    // Without disable_promises the SDK also rejects a promise that no code handles.
    const options: CallOptions = {
      ...credentials,
      agent,
      timeout: Math.max(1, millisecondsLeft),
      disable_promises: true,
    };
    const answer = new Promise((resolve, reject) => {
      start(options, (error, result) => (error ? reject(error) : resolve(result)));
    });
    try {
      return await withDeadline(answer, millisecondsLeft, what, signal);
    } catch (error) {
      agent.destroy();
      if (signal?.aborted) throw error;
      if (error instanceof DeadlinePassed || isTimeout(error)) {
        throw timeoutFailure(error);
      }
      throw toStoreFailure(error);
    }
  };
}

/** Yields the bytes of the chunks in writes of at most `sentBytesMax`. */
function* split(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += sentBytesMax) yield chunk.subarray(at, at + sentBytesMax);
  }
}

function timeoutFailure(cause: unknown): Failure {
  return new Failure('PROVIDER_TIMEOUT', 'The image store took too long.', { cause });
}

/** Parses CLOUDINARY_URL. The SDK would parse it too, but only once per process. */
function parseCredentials(cloudinaryUrl: string): Credentials {
  const { hostname, username, password, searchParams } = new URL(cloudinaryUrl);
  const prefix = searchParams.get('upload_prefix');
  return {
    cloud_name: hostname,
    api_key: decodeURIComponent(username),
    api_secret: decodeURIComponent(password),
    ...(prefix && { upload_prefix: prefix }),
  };
}

/** True if this store delivers images from the URL. */
function isOfStore(url: string, { cloud_name, upload_prefix }: Credentials): boolean {
  const delivery = [`https://res.cloudinary.com/${cloud_name}/`, `https://${cloud_name}-res.cloudinary.com/`];
  if (upload_prefix) delivery.push(`${new URL(upload_prefix).origin}/`);
  return delivery.some((start) => new URL(url).href.startsWith(start));
}

const isTimeout = (error: unknown) => (error as { name?: unknown } | null)?.name === 'TimeoutError';

/** The causes that the log tells apart, each with how Cloudinary's message about it begins or what it contains. */
const causes = [
  ['invalid signature', /^Invalid Signature/],
  ['unknown API key', /^Unknown API key/],
  ['unknown cloud name', /^Invalid cloud_name/],
  ['account disabled', /cloud_name is disabled/],
  ['stale request: check the clock of this machine', /^Stale request/],
  ['file too large for the plan', /^File size too large/],
  ['not an image', /^Invalid image file/],
] as const;

/** The SDK rejects with plain objects whose message may quote the string to sign, so only their kind is logged. */
function describeError(error: unknown): { status: number | undefined; cause: Error } {
  const outer = error as { error?: unknown } | null;
  const { http_code, name, code, message } = (outer?.error ?? outer ?? {}) as Record<string, unknown>;
  const recognised = causes.find(([, pattern]) => typeof message === 'string' && pattern.test(message))?.[0];
  const kind = `Cloudinary failed: ${http_code ?? code ?? name ?? 'unknown'}`;
  return {
    status: typeof http_code === 'number' ? http_code : undefined,
    cause: new Error(recognised ? `${kind} (${recognised})` : kind),
  };
}

/** Timed out, in use, and too many calls at once. The hourly limit of calls is a 420, which stays. */
const passingStatuses = [408, 423, 429];

/** A failed call to the upload API. A broken connection or answer and a 5xx may pass; most of 4xx stay. */
function toStoreFailure(error: unknown): Failure {
  const { status, cause } = describeError(error);
  if (status === 401 || status === 403) return misconfigured(cause);
  const mayPass = status === undefined || status < 400 || status >= 500 || passingStatuses.includes(status);
  return mayPass ? passingFailure(error) : storageFailure(error);
}

function storageFailure(error: unknown): Failure {
  const { cause } = describeError(error);
  return new Failure('STORAGE_ERROR', 'The image could not be stored.', { cause });
}

/** A failure after which the same call may succeed. */
const passingFailure = (error: unknown) =>
  storageFailure(error).with({ providerFailure: { kind: 'passing' } });

const misconfigured = (cause: Error) =>
  new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', { cause });
