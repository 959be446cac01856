/** Collects a stream of unknown length without ever copying it into one buffer. */

/** More bytes than the limit. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

export type Chunks = ReturnType<typeof createChunks>;

/**
 * Size of the first chunk, bytes. Most first chunks stay almost empty, and memory outside of the heap makes the garbage
 * collector run early.
 */
const firstBytes = 16_384;

/**
 * Collects bytes in chunks of `chunkBytes`. `all` returns the chunks, the last one cut to length.
 * `append` throws TooLarge beyond `bytesMax`.
 */
export function createChunks(chunkBytes: number, bytesMax: number) {
  let chunks: Uint8Array[] = [];
  let length = 0;

  function chunkWithRoom(filled: number): Uint8Array {
    const last = chunks.at(-1);
    if (filled > 0 && last && filled < last.length) return last;
    const isFirst = chunks.length === 0;
    const chunk = Buffer.allocUnsafeSlow(isFirst ? Math.min(firstBytes, chunkBytes) : chunkBytes);
    // The small first chunk is full: move its bytes into a chunk of full size.
    if (filled > 0 && last) chunk.set(chunks.pop() ?? last);
    chunks.push(chunk);
    return chunk;
  }

  return {
    append(bytes: Uint8Array): void {
      if (length + bytes.length > bytesMax) throw new TooLarge();
      for (let at = 0; at < bytes.length; ) {
        const filled = length % chunkBytes;
        const chunk = chunkWithRoom(filled);
        const some = bytes.subarray(at, at + chunk.length - filled);
        chunk.set(some, filled);
        length += some.length;
        at += some.length;
      }
    },
    drop(): void {
      [chunks, length] = [[], 0];
    },
    length: () => length,
    all: () => chunks.map((chunk, i) => chunk.subarray(0, length - i * chunkBytes)),
  };
}
