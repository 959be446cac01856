/**
 * Cloudinary, where images are kept, and the only place that imports its SDK.
 * Facts are from Cloudinary's upload API reference and from the SDK's source, version 2.11.
 */
import http from 'node:http';
import https from 'node:https';
import { v2 as cloudinary } from 'cloudinary';
import { z } from 'zod';
import type { Config } from './config.ts';
import { DeadlinePassed, withDeadline } from './deadline.ts';
import { Failure } from './errors.ts';

export type StoredUrls = { url: string; thumbnailUrl: string };

export type ImageStore = {
  /**
   * Stores the bytes untouched under a name of their own; the same name again replaces them.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT; the signal's reason when it aborts.
   */
  store(publicId: string, bytes: Buffer, millisecondsLeft: number, signal: AbortSignal): Promise<StoredUrls>;
  /**
   * Deletes an image and asks the CDN to forget it. Returns whether it was there.
   * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT.
   */
  destroy(publicId: string, millisecondsLeft: number): Promise<boolean>;
};

const thumbnail = 'c_fill,f_auto,h_320,q_auto,w_320';

const uploadedSchema = z.object({ public_id: z.string(), version: z.number(), secure_url: z.url() });
const destroyedSchema = z.object({ result: z.enum(['ok', 'not found']) });

type Callback = (error: unknown, result: unknown) => void;
type CallOptions = { agent: http.Agent; timeout: number; disable_promises: true };

/**
 * The image store of a configuration. The SDK reads CLOUDINARY_URL by itself when it is imported, which
 * is the only way to give it an address that is not https.
 * @throws {Failure} PROVIDER_MISCONFIGURED without CLOUDINARY_URL.
 */
export function createImageStore({ cloudinaryUrl }: Config): ImageStore {
  if (!cloudinaryUrl) {
    const cause = new Error('CLOUDINARY_URL is not set');
    throw new Failure('PROVIDER_MISCONFIGURED', 'Storing images is not set up correctly on our side.', {
      cause,
    });
  }
  const call = createCaller(/[?&]upload_prefix=http:/.test(cloudinaryUrl) ? http : https);

  return {
    async store(publicId, bytes, millisecondsLeft, signal) {
      const options = { public_id: publicId, overwrite: true, resource_type: 'image' as const };
      const answer = await call('Storing', millisecondsLeft, signal, (callOptions, done) => {
        cloudinary.uploader.upload_stream({ ...options, ...callOptions }, done as never).end(bytes);
      });
      const uploaded = uploadedSchema.safeParse(answer);
      if (!uploaded.success || uploaded.data.public_id !== publicId) throw storageError(uploaded.error);
      const url = uploaded.data.secure_url;
      return { url, thumbnailUrl: url.replace('/image/upload/', `/image/upload/${thumbnail}/`) };
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
 * each call has an agent to itself while it runs: destroying that closes the connection. Agents whose
 * call went well are kept with their connection for the next.
 */
function createCaller({ Agent }: typeof http | typeof https) {
  const idle: http.Agent[] = [];
  return async (
    what: string,
    millisecondsLeft: number,
    signal: AbortSignal | undefined,
    start: (options: CallOptions, done: Callback) => void,
  ): Promise<unknown> => {
    const agent = idle.pop() ?? new Agent({ keepAlive: true, maxSockets: 1 });
    // A promise that the SDK rejects beside its callback would be nobody's and end the process.
    const options: CallOptions = { agent, timeout: Math.max(1, millisecondsLeft), disable_promises: true };
    const answer = new Promise((resolve, reject) => {
      start(options, (error, result) => (error ? reject(error) : resolve(result)));
    });
    try {
      const result = await withDeadline(answer, millisecondsLeft, what, signal);
      idle.push(agent);
      return result;
    } catch (error) {
      agent.destroy();
      if (signal?.aborted) throw error;
      if (error instanceof DeadlinePassed || isTimeout(error)) {
        throw new Failure('PROVIDER_TIMEOUT', 'The image store took too long.', { cause: error });
      }
      throw storageError(error);
    }
  };
}

const isTimeout = (error: unknown) => (error as { name?: unknown } | null)?.name === 'TimeoutError';

/** Rejections are plain objects whose message may hold the string that was signed: only their kind is kept. */
function storageError(error: unknown): Failure {
  const outer = error as { error?: unknown } | null;
  const { http_code, name, code } = (outer?.error ?? outer ?? {}) as Record<string, unknown>;
  const cause = new Error(`Cloudinary failed: ${http_code ?? code ?? name ?? 'unknown'}`);
  return new Failure('STORAGE_ERROR', 'The image could not be stored.', { cause });
}
