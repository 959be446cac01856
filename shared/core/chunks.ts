/** Many bytes whose number is not known before they are there, each of them in memory once. */

/** More bytes than may be held. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

export type Chunks = ReturnType<typeof createChunks>;

/** What a first piece begins with: most are never filled, and memory outside of the heap has it collected early. */
const firstBytes = 16_384;

/**
 * Bytes as they come, in pieces of one size that are never put together. `all` gives them, the last one cut to length.
 * @throws {TooLarge} for more than `bytesMax`, when they are appended.
 */
export function createChunks(pieceBytes: number, bytesMax: number) {
  let chunks: Uint8Array[] = [];
  let length = 0;

  function pieceWithRoom(filled: number): Uint8Array {
    const last = chunks.at(-1);
    if (filled > 0 && last && filled < last.length) return last;
    const isFirst = chunks.length === 0;
    const piece = Buffer.allocUnsafeSlow(isFirst ? Math.min(firstBytes, pieceBytes) : pieceBytes);
    // The first one is full: what it holds moves into one of the usual size.
    if (filled > 0 && last) piece.set(chunks.pop() ?? last);
    chunks.push(piece);
    return piece;
  }

  return {
    append(bytes: Uint8Array): void {
      if (length + bytes.length > bytesMax) throw new TooLarge();
      for (let at = 0; at < bytes.length; ) {
        const filled = length % pieceBytes;
        const piece = pieceWithRoom(filled);
        const some = bytes.subarray(at, at + piece.length - filled);
        piece.set(some, filled);
        length += some.length;
        at += some.length;
      }
    },
    drop(): void {
      [chunks, length] = [[], 0];
    },
    length: () => length,
    all: () => chunks.map((piece, i) => piece.subarray(0, length - i * pieceBytes)),
  };
}
