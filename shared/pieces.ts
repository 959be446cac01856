/** Many bytes whose number is not known before they are there, each of them in memory once. */

/** More bytes than may be held. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

export type Pieces = ReturnType<typeof createPieces>;

/**
 * Bytes as they come, in pieces of one size that are never put together. `all` gives them, the last one cut to length.
 * @throws {TooLarge} for more than `bytesMax`, when they are appended.
 */
export function createPieces(pieceBytes: number, bytesMax: number) {
  let pieces: Uint8Array[] = [];
  let length = 0;
  return {
    append(bytes: Uint8Array): void {
      if (length + bytes.length > bytesMax) throw new TooLarge();
      for (let at = 0; at < bytes.length; ) {
        const filled = length % pieceBytes;
        if (filled === 0) pieces.push(Buffer.allocUnsafeSlow(pieceBytes));
        const some = bytes.subarray(at, at + pieceBytes - filled);
        pieces.at(-1)?.set(some, filled);
        length += some.length;
        at += some.length;
      }
    },
    drop(): void {
      [pieces, length] = [[], 0];
    },
    length: () => length,
    all: () => pieces.map((piece, i) => piece.subarray(0, length - i * pieceBytes)),
  };
}
