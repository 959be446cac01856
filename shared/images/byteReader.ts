/** Reads bytes forward through chunks, without joining them. Past the last byte every number is NaN. */

export type ByteReader = ReturnType<typeof createByteReader>;

export function createByteReader(chunks: Iterable<Uint8Array>) {
  const iterator = chunks[Symbol.iterator]();
  let chunk = new Uint8Array(0);
  /** The index in `chunk` of the next byte, and how many bytes came before `chunk`. */
  let [at, before] = [0, 0];

  /** Goes on to the next chunk, false if there is none. */
  function advance(): boolean {
    const next = iterator.next();
    if (next.done) return false;
    at -= chunk.length;
    before += chunk.length;
    chunk = next.value as Uint8Array<ArrayBuffer>;
    return true;
  }

  function uint8(): number {
    while (at >= chunk.length) if (!advance()) return Number.NaN;
    const byte = chunk[at] as number;
    at += 1;
    return byte;
  }

  /** Skips so many bytes. False, and at the end, if there are fewer. */
  function skip(count: number): boolean {
    if (!(count >= 0)) return false;
    at += count;
    while (at > chunk.length) {
      if (advance()) continue;
      at = chunk.length;
      return false;
    }
    return true;
  }

  /** Passes so many bytes to `visit`, as they lie in the chunks. False if there are fewer. */
  function forEachPart(count: number, visit: (part: Uint8Array) => void): boolean {
    let left = count;
    while (left > 0) {
      while (at >= chunk.length) if (!advance()) return false;
      const part = chunk.subarray(at, at + left);
      visit(part);
      at += part.length;
      left -= part.length;
    }
    return left === 0;
  }

  const uint16 = () => uint8() * 0x100 + uint8();
  const uint16LittleEndian = () => uint8() + uint8() * 0x100;

  return {
    uint8,
    uint16,
    uint32: () => uint16() * 0x1_0000 + uint16(),
    uint32LittleEndian: () => uint16LittleEndian() + uint16LittleEndian() * 0x1_0000,
    skip,
    forEachPart,
    /** Skips up to and including the next 0xFF, except one that 0 or 0xFF follows in its chunk. False if there is none. */
    skipUntilMarker(): boolean {
      for (;;) {
        const bytes = chunk;
        let i = at;
        while (i < bytes.length && (bytes[i] !== 0xff || bytes[i + 1] === 0 || bytes[i + 1] === 0xff)) i += 1;
        at = i;
        if (i < bytes.length) {
          at += 1;
          return true;
        }
        if (!advance()) return false;
      }
    },
    /** The next bytes as Latin-1; fewer at the end. */
    text(length: number): string {
      let text = '';
      for (let i = 0; i < length; i += 1) {
        const byte = uint8();
        if (Number.isNaN(byte)) return text;
        text += String.fromCharCode(byte);
      }
      return text;
    },
    /** How many bytes were read or skipped. */
    position: () => before + at,
  };
}
