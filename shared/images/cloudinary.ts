/**
 * Stores images at Cloudinary. The only file that imports its SDK.
 * Facts are from Cloudinary's upload API reference and from the source of the SDK, version 2.11.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { v2 as cloudinary } from 'cloudinary';
import * as z from 'zod';
import { DeadlinePassed, withDeadline } from '../core/deadline.ts';
import { Failure } from '../errors.ts';
import {
  misconfiguredStore,
  type Received,
  type StoreCall,
  timeoutFailure,
  toFaultyAnswer,
  toPassing,
  toStorageFailure,
  toUploadFailure,
} from './cloudinaryFailures.ts';
import { imageBytesMax } from './imageFormat.ts';

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
   * Returns a smaller version of an image, as a JPEG of at most `bytesMax`: the store makes it at its first use.
   * @throws {Failure} as `fetch`.
   */
  fetchSmaller(url: string, bytesMax: number, millisecondsLeft: number, signal: AbortSignal): Promise<Buffer>;
  /**
   * Deletes an image, also from the CDN. Returns false if it did not exist.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_MISCONFIGURED, PROVIDER_TIMEOUT.
   */
  destroy(publicId: string, millisecondsLeft: number): Promise<boolean>;
};

/**
 * Longest sides of smaller versions, pixels: the second one if the first has too many bytes. A JPEG of 1024 pixels a side
 * has less than 1 MB whatever it shows.
 */
const smallerSides = [2048, 1024];

/** Most bytes of an upload in one write. TLS holds an encrypted copy of each write. */
const sentBytesMax = 65_536;

const thumbnail = 'c_limit,f_auto,h_640,q_auto,w_640';

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
    throw misconfiguredStore(new Error('CLOUDINARY_URL is not set'));
  }
  const credentials = parseCredentials(cloudinaryUrl);
  const call = createCaller(credentials, credentials.upload_prefix?.startsWith('http:') ? http : https);

  /** The bytes at an address of this store; undefined if there are more than `bytesMax`. */
  async function fetchBytes(url: string, bytesMax: number, millisecondsLeft: number, signal: AbortSignal) {
    if (!isOfStore(url, credentials)) throw toFaultyAnswer('fetch', 'foreign_address');
    const timeout = AbortSignal.timeout(Math.ceil(millisecondsLeft));
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, timeout]), redirect: 'error' });
      if (!response.ok) {
        const { status, headers } = response;
        const received = { status, headers: Object.fromEntries(headers) };
        throw toStorageFailure('fetch', undefined, received, Date.now());
      }
      return await readAtMost(response, bytesMax);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeout.aborted) throw timeoutFailure();
      throw error instanceof Failure ? error : toStorageFailure('fetch', error, {}, Date.now());
    }
  }

  return {
    async store(publicId, chunks, millisecondsLeft, signal) {
      const options = { public_id: publicId, overwrite: true, resource_type: 'image' as const };
      const answer = await call('store', millisecondsLeft, signal, (callOptions, done) => {
        Readable.from(split(chunks)).pipe(
          cloudinary.uploader.upload_stream({ ...options, ...callOptions }, done as never),
        );
      });
      const uploaded = uploadedSchema.safeParse(answer);
      if (!uploaded.success) throw toPassing(toFaultyAnswer('store', 'unreadable_answer'));
      const { public_id: storedId, secure_url: url } = uploaded.data;
      if (storedId !== publicId) throw toPassing(toFaultyAnswer('store', 'other_image'));
      if (!isSecure(url, credentials)) throw toPassing(toFaultyAnswer('store', 'insecure_address'));
      chunks.length = 0;
      return { url, thumbnailUrl: toVersion(url, thumbnail) };
    },

    async fetch(url, millisecondsLeft, signal) {
      const bytes = await fetchBytes(url, imageBytesMax, millisecondsLeft, signal);
      if (!bytes) throw toFaultyAnswer('fetch', 'too_large');
      return bytes;
    },

    async fetchSmaller(url, bytesMax, millisecondsLeft, signal) {
      const endsAt = performance.now() + millisecondsLeft;
      for (const side of smallerSides) {
        const version = `c_limit,f_jpg,h_${side},q_85,w_${side}`;
        const left = Math.max(1, endsAt - performance.now());
        const bytes = await fetchBytes(toVersion(url, version), bytesMax, left, signal);
        if (bytes) return bytes;
      }
      throw toFaultyAnswer('fetch', 'too_large');
    },

    async destroy(publicId, millisecondsLeft) {
      const answer = await call('destroy', millisecondsLeft, undefined, (callOptions, done) => {
        const options = { invalidate: true, resource_type: 'image', ...callOptions };
        // With disable_promises the SDK only calls back.
        void cloudinary.uploader.destroy(publicId, options as object, done as never);
      });
      const destroyed = destroyedSchema.safeParse(answer);
      if (!destroyed.success) throw toFaultyAnswer('destroy', 'unreadable_answer');
      return destroyed.data.result === 'ok';
    },
  };
}

/** The address at which the store delivers an image after this transformation. */
const toVersion = (url: string, transformation: string) =>
  url.replace('/image/upload/', `/image/upload/${transformation}/`);

/** The body of a response; undefined, with the rest unread, if it is longer. */
async function readAtMost({ headers, body }: Response, bytesMax: number): Promise<Buffer | undefined> {
  if (Number(headers.get('content-length')) > bytesMax) {
    await body?.cancel();
    return undefined;
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > bytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * Calls the SDK under a hard deadline. The SDK cannot abort a call (its timeout is an idle timeout), so each call has its
 * own agent: destroying the agent closes the connection. Connections are never reused: Cloudinary may have closed one
 * while the instance was paused, and the upload on it would fail after its image was generated and billed.
 */
function createCaller(credentials: Credentials, { Agent }: typeof http | typeof https) {
  return async (
    what: StoreCall,
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
    const { received, stopListening } = listenToResponse(agent);
    const answer = new Promise((resolve, reject) => {
      start(options, (error, result) => (error ? reject(error) : resolve(result)));
    });
    try {
      return await withDeadline(answer, millisecondsLeft, 'Cloudinary', signal);
    } catch (error) {
      agent.destroy();
      if (signal?.aborted) throw error;
      if (error instanceof DeadlinePassed || isTimeout(error)) throw timeoutFailure();
      throw toUploadFailure(what, error, received, Date.now());
    } finally {
      stopListening();
    }
  };
}

/** Records status and headers of the response to the agent's one request. The SDK drops them. */
function listenToResponse(agent: http.Agent) {
  const channel = 'http.client.response.finish';
  const received: Received = {};
  const record = (message: unknown) => {
    const { request, response } = message as {
      request: { agent?: unknown };
      response: http.IncomingMessage;
    };
    if (request.agent !== agent) return;
    received.status = response.statusCode;
    received.headers = response.headers as Record<string, string | undefined>;
  };
  subscribe(channel, record);
  return { received, stopListening: () => unsubscribe(channel, record) };
}

/** Yields the bytes of the chunks in writes of at most `sentBytesMax`. */
function* split(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += sentBytesMax) yield chunk.subarray(at, at + sentBytesMax);
  }
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

/** True for an https address, and for one of the server that CLOUDINARY_URL names itself, such as a fake. */
function isSecure(url: string, { upload_prefix }: Credentials): boolean {
  const { protocol, origin } = new URL(url);
  return protocol === 'https:' || (upload_prefix !== undefined && origin === new URL(upload_prefix).origin);
}

const isTimeout = (error: unknown) => (error as { name?: unknown } | null)?.name === 'TimeoutError';
