/** Images, alone or with the user's data, as one ZIP file, made in the browser. Imported lazily, with the package that makes it. */
import { makeZip } from 'client-zip';
import type { AccountExport, Generation } from '../shared/contract.ts';
import { fileName } from './saveFile.ts';

/** Longest time for one image, milliseconds. */
const imageMsMax = 60_000;
/** How often an image is asked for before it counts as missing. */
const attemptsMax = 2;

export type ZipOptions = {
  fetch?: (url: string, init: { signal: AbortSignal }) => Promise<Response>;
  signal: AbortSignal;
  /** Called before each image and after the last one. */
  onProgress: (done: number, total: number) => void;
};

export type ExportZip = {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The files of images that could not be fetched; complete when the stream has ended. */
  missing: readonly string[];
};

type ZipImage = Pick<Generation, 'id' | 'prompt' | 'createdAt'> & {
  image: Pick<NonNullable<Generation['image']>, 'url' | 'mimeType'> | null;
};
type File = { name: string; input: string | Uint8Array<ArrayBuffer>; lastModified: Date };

/** The user's data as JSON, and the images in a folder. */
export function createExportZip(data: AccountExport, options: ZipOptions): ExportZip {
  const json = JSON.stringify(data, null, 2);
  const file = { name: 'account.json', input: json, lastModified: new Date(data.exportedAt) };
  return createZip([file], data.generations, 'images/', options);
}

export const createImageZip = (images: readonly ZipImage[], options: ZipOptions): ExportZip =>
  createZip([], images, '', options);

/**
 * Makes the ZIP as fast as it is read, with one image in memory at a time. Images are stored as they are: they are
 * compressed already. A missing image does not end it: `missing-images.txt` lists them.
 */
function createZip(
  first: readonly File[],
  images: readonly ZipImage[],
  folder: string,
  options: ZipOptions,
): ExportZip {
  const missing: string[] = [];
  const stream = makeZip(listFiles(first, images, folder, options, missing)) as ExportZip['stream'];
  return { stream, missing };
}

async function* listFiles(
  first: readonly File[],
  generations: readonly ZipImage[],
  folder: string,
  options: ZipOptions,
  missing: string[],
) {
  yield* first;
  const images = generations.flatMap(({ id, prompt, image, createdAt }) =>
    image ? [{ name: folder + fileName(prompt, id, image.mimeType), url: image.url, createdAt }] : [],
  );
  for (const [i, { name, url, createdAt }] of images.entries()) {
    options.onProgress(i, images.length);
    const input = await fetchImage(url, options);
    if (input) yield { name, input, lastModified: new Date(createdAt) };
    else missing.push(`${name}  ${url}`);
  }
  options.onProgress(images.length, images.length);
  if (missing.length > 0) {
    const lines = ['These images could not be fetched. Please try again later.', '', ...missing, ''];
    yield { name: 'missing-images.txt', input: lines.join('\n'), lastModified: new Date() };
  }
}

/** Undefined if the image cannot be had. @throws the signal's reason. */
async function fetchImage(
  url: string,
  { fetch = (...args) => globalThis.fetch(...args), signal }: ZipOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    try {
      const response = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(imageMsMax)]),
      });
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
    } catch {
      signal.throwIfAborted();
    }
  }
  return undefined;
}
