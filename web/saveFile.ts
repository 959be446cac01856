/** Saves files on the user's device. */

/** Bytes that are collected in memory before the browser may move them to the disk. */
const partBytes = 8_000_000;

/** Writes a stream to a file. Rejects with the signal's reason if it aborts; then there is no file. */
export type SaveStream = (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
) => Promise<void>;

/** A part of the File System Access API, which some browsers have. */
type FilePicker = (options: { suggestedName: string }) => Promise<{
  createWritable(): Promise<WritableStream<Uint8Array<ArrayBuffer>>>;
}>;

export function saveBlob(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  const link = document.createElement('a');
  Object.assign(link, { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/**
 * Asks where to save a file, if the browser can write to it piece by piece. Must be called in the handler of a click.
 * @returns undefined if the user cancels.
 */
export async function chooseFile(name: string, type: string): Promise<SaveStream | undefined> {
  const { showSaveFilePicker } = globalThis as { showSaveFilePicker?: FilePicker };
  if (!showSaveFilePicker) return (stream, signal) => saveAsDownload(stream, signal, name, type);
  try {
    const file = await showSaveFilePicker({ suggestedName: name });
    return async (stream, signal) => stream.pipeTo(await file.createWritable(), { signal });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  }
}

/** Collects the stream in Blobs, which the browser keeps outside of the page's memory, and downloads them as one. */
async function saveAsDownload(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  name: string,
  type: string,
): Promise<void> {
  saveBlob(await collectBlob(stream, signal, type), name);
}

export async function collectBlob(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  type: string,
): Promise<Blob> {
  const parts: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const endPart = () => {
    parts.push(new Blob(chunks));
    [chunks, bytes] = [[], 0];
  };
  const collector = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= partBytes) endPart();
    },
  });
  await stream.pipeTo(collector, { signal });
  endPart();
  return new Blob(parts, { type });
}

/** A file name from the first words of the prompt; part of the id keeps names of equal prompts apart. */
export function fileName(prompt: string | null, id: string, mimeType: string): string {
  const words = (prompt ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const name = words.slice(0, 8).join('-').slice(0, 60) || 'image';
  return `${name}-${id.slice(0, 8)}.${mimeType.split('/')[1] ?? 'png'}`;
}
