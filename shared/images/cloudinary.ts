/**
 * Cloudinary, where images are kept, and the only place that imports its SDK.
 * Facts are from Cloudinary's upload API reference and from the SDK's source, version 2.11.
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
   * Stores the bytes untouched under a name of their own; the same name again replaces them. The pieces are taken
   * out of their list as they are sent, so that none is in memory longer.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT; the signal's reason when it aborts.
   */
  store(
    publicId: string,
    chunks: Uint8Array[],
    millisecondsLeft: number,
    signal: AbortSignal,
  ): Promise<StoredUrls>;
  /**
   * The bytes of an image that is stored here; never of any other address.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT; the signal's reason when it aborts.
   */
  fetch(url: string, millisecondsLeft: number, signal: AbortSignal): Promise<Buffer>;
  /**
   * Deletes an image and asks the CDN to forget it. Returns whether it was there.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT.
   */
  destroy(publicId: string, millisecondsLeft: number): Promise<boolean>;
};

/** Largest image that is fetched again, bytes. */
const fetchedBytesMax = 20_000_000;

/** Most bytes of an upload that are sent at once: TLS keeps as many again of what it encrypts. */
const sentBytesMax = 65_536;

const thumbnail = 'c_fill,f_auto,h_320,q_auto,w_320';

const uploadedSchema = z.object({ public_id: z.string(), version: z.number(), secure_url: z.url() });
const destroyedSchema = z.object({ result: z.enum(['ok', 'not found']) });

type Callback = (error: unknown, result: unknown) => void;
type CallOptions = Credentials & { agent: http.Agent; timeout: number; disable_promises: true };
type Credentials = { cloud_name: string; api_key: string; api_secret: string; upload_prefix?: string };

/**
 * The image store of a configuration. Whether the SDK speaks http or https it decides when it is imported,
 * by the process's own CLOUDINARY_URL; the rest is told with each call.
 * @throws {Failure} PROVIDER_MISCONFIGURED without CLOUDINARY_URL.
 */
export function createImageStore({ cloudinaryUrl }: { cloudinaryUrl: string | undefined }): ImageStore {
  if (!cloudinaryUrl) {
    const cause = new Error('CLOUDINARY_URL is not set');
    throw new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', {
      cause,
    });
  }
  const credentials = credentialsIn(cloudinaryUrl);
  const call = createCaller(credentials, credentials.upload_prefix?.startsWith('http:') ? http : https);

  return {
    async store(publicId, chunks, millisecondsLeft, signal) {
      const options = { public_id: publicId, overwrite: true, resource_type: 'image' as const };
      const answer = await call('Storing', millisecondsLeft, signal, (callOptions, done) => {
        Readable.from(takenFrom(chunks)).pipe(
          cloudinary.uploader.upload_stream({ ...options, ...callOptions }, done as never),
        );
      });
      const uploaded = uploadedSchema.safeParse(answer);
      if (!uploaded.success || uploaded.data.public_id !== publicId) throw storageError(uploaded.error);
      const url = uploaded.data.secure_url;
      return { url, thumbnailUrl: url.replace('/image/upload/', `/image/upload/${thumbnail}/`) };
    },

    async fetch(url, millisecondsLeft, signal) {
      if (!isOurs(url, credentials)) throw storageError({ name: 'an address that is not ours' });
      const timeout = AbortSignal.timeout(Math.ceil(millisecondsLeft));
      try {
        const response = await fetch(url, { signal: AbortSignal.any([signal, timeout]), redirect: 'error' });
        if (!response.ok) throw { http_code: response.status };
        const bytes = Number(response.headers.get('content-length') ?? 0);
        if (bytes > fetchedBytesMax) throw { name: 'a larger image than any that was stored' };
        return Buffer.from(await response.arrayBuffer());
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (timeout.aborted) throw tooSlow(error);
        throw storageError(error);
      }
    },

    async destroy(publicId, millisecondsLeft) {
      const answer = await call('Deleting', millisecondsLeft, undefined, (callOptions, done) => {
        const options = { invalidate: true, resource_type: 'image', ...callOptions };
        // Its promise is off by disable_promises; a callback is all that there is.
        void cloudinary.uploader.destroy(publicId, options as object, done as never);
      });
      const destroyed = destroyedSchema.safeParse(answer);
      if (!destroyed.success) throw storageError(destroyed.error);
      return destroyed.data.result === 'ok';
    },
  };
}

/**
 * Calls the SDK under a hard deadline. It has no abort of its own (its timeout is only an idle one), so
 * each call has an agent to itself: destroying that closes the connection. And a connection to itself: one that
 * was kept may have been closed by the other side, which an idle instance that stood still meanwhile learns
 * only from the upload that it loses. That image would be painted, billed and refunded to save a handshake.
 */
function createCaller(credentials: Credentials, { Agent }: typeof http | typeof https) {
  return async (
    what: string,
    millisecondsLeft: number,
    signal: AbortSignal | undefined,
    start: (options: CallOptions, done: Callback) => void,
  ): Promise<unknown> => {
    const agent = new Agent({ maxSockets: 1 });
    // A promise that the SDK rejects beside its callback would be nobody's and end the process.
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
        throw tooSlow(error);
      }
      throw storageError(error);
    }
  };
}

/** The bytes of pieces that are taken out of their list, in as many as may be sent at once. */
function* takenFrom(chunks: Uint8Array[]): Generator<Uint8Array> {
  for (let piece = chunks.shift(); piece; piece = chunks.shift()) {
    for (let at = 0; at < piece.length; at += sentBytesMax) yield piece.subarray(at, at + sentBytesMax);
  }
}

function tooSlow(cause: unknown): Failure {
  return new Failure('PROVIDER_TIMEOUT', 'The image store took too long.', { cause });
}

/** What CLOUDINARY_URL says. The SDK would read it by itself, but once for the whole process. */
function credentialsIn(cloudinaryUrl: string): Credentials {
  const { hostname, username, password, searchParams } = new URL(cloudinaryUrl);
  const prefix = searchParams.get('upload_prefix');
  return {
    cloud_name: hostname,
    api_key: decodeURIComponent(username),
    api_secret: decodeURIComponent(password),
    ...(prefix && { upload_prefix: prefix }),
  };
}

/** Whether an address is where this configuration's images are delivered from. */
function isOurs(url: string, { cloud_name, upload_prefix }: Credentials): boolean {
  const delivery = [`https://res.cloudinary.com/${cloud_name}/`, `https://${cloud_name}-res.cloudinary.com/`];
  if (upload_prefix) delivery.push(`${new URL(upload_prefix).origin}/`);
  return delivery.some((start) => new URL(url).href.startsWith(start));
}

const isTimeout = (error: unknown) => (error as { name?: unknown } | null)?.name === 'TimeoutError';

/** Rejections are plain objects whose message may hold the string that was signed: only their kind is kept. */
function storageError(error: unknown): Failure {
  const outer = error as { error?: unknown } | null;
  const { http_code, name, code } = (outer?.error ?? outer ?? {}) as Record<string, unknown>;
  const cause = new Error(`Cloudinary failed: ${http_code ?? code ?? name ?? 'unknown'}`);
  return new Failure('STORAGE_ERROR', 'The image could not be stored.', { cause });
}
