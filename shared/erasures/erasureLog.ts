/**
 * The erasure log: one empty object for each erasure, in a bucket of Cloud Storage or, in a local run, in a folder. The
 * name says everything: time, kind, uid, generation and the hash of the image. The writer needs to create objects, and
 * nothing else.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Erasure, ErasureLog } from './erasures.ts';

/** Longest wait for Cloud Storage, milliseconds. */
const storageMsMax = 5_000;
const storageUrl = 'https://storage.googleapis.com';

/** Escapes what separates parts, and what a file name cannot have. Names sort by their time. */
const escapePart = (text: string) => encodeURIComponent(text).replace(/[.*~'()!]/g, toHex);
const toHex = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;

/** Such as `2026-11-26T05-42-01-123Z.takedown.UID.GENERATION.HASH`; a deletion has no hash, a closing no generation. */
export function formatErasure({ at, kind, uid, generationId, imageHash }: Erasure): string {
  const image = generationId ? [generationId, ...(imageHash ? [imageHash] : [])] : [];
  return [toStamp(at), kind, escapePart(uid), ...image].join('.');
}

/** Without a dot, which separates parts, and without a colon, which not every file system takes. */
const toStamp = (at: Date) => at.toISOString().replaceAll(/[:.]/g, '-');
const stampPattern = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z$/;

/** @returns undefined for the name of anything else. */
export function parseErasure(name: string): Erasure | undefined {
  const [stamp = '', kind = '', uid = '', generationId, imageHash] = name.split('.');
  if (!stampPattern.test(stamp) || !isKind(kind) || uid === '') return undefined;
  const at = new Date(stamp.replace(stampPattern, '$1T$2:$3:$4.$5Z'));
  const image = { ...(generationId && { generationId }), ...(imageHash && { imageHash }) };
  return { kind, uid: decodeURIComponent(uid), ...image, at };
}

const isKind = (kind: string): kind is Erasure['kind'] => ['closing', 'deletion', 'takedown'].includes(kind);

/**
 * @param place the name of a bucket, or the `file:` address of a folder.
 * @param fetchToken an access token for Cloud Storage.
 */
export const createErasureLog = (place: string, fetchToken: () => Promise<string>): ErasureLog =>
  place.startsWith('file:') ? createFolderLog(fileURLToPath(place)) : createBucketLog(place, fetchToken);

function createFolderLog(folder: string): ErasureLog {
  return {
    async add(erasure) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, formatErasure(erasure)), '');
    },
    async *read(since) {
      const names = await readdir(folder).catch(() => []);
      for (const name of names.sort()) {
        const erasure = parseErasure(name);
        if (erasure && erasure.at >= since) yield erasure;
      }
    },
  };
}

const pageSchema = z.object({
  items: z.array(z.object({ name: z.string() })).default([]),
  nextPageToken: z.string().optional(),
});

/** https://cloud.google.com/storage/docs/json_api/v1/objects */
function createBucketLog(bucket: string, fetchToken: () => Promise<string>): ErasureLog {
  async function call(path: string, query: Record<string, string>, method: 'GET' | 'POST') {
    return fetch(`${storageUrl}${path}/b/${encodeURIComponent(bucket)}/o?${new URLSearchParams(query)}`, {
      method,
      headers: { authorization: `Bearer ${await fetchToken()}` },
      signal: AbortSignal.timeout(storageMsMax),
      ...(method === 'POST' && { body: '' }),
    });
  }
  return {
    async add(erasure) {
      // Creates the object or fails with 412: the writer may not replace one.
      const query = { uploadType: 'media', name: formatErasure(erasure), ifGenerationMatch: '0' };
      const { ok, status } = await call('/upload/storage/v1', query, 'POST');
      if (!ok && status !== 412) throw new Error(`Cloud Storage answered ${status}`);
    },
    async *read(since) {
      let pageToken: string | undefined;
      do {
        const query = { startOffset: toStamp(since), ...(pageToken && { pageToken }) };
        const response = await call('/storage/v1', query, 'GET');
        if (!response.ok) throw new Error(`Cloud Storage answered ${response.status}`);
        const page = pageSchema.parse(await response.json());
        for (const { name } of page.items) {
          const erasure = parseErasure(name);
          if (erasure) yield erasure;
        }
        pageToken = page.nextPageToken;
      } while (pageToken);
    },
  };
}
