/** Decodes base64 that arrives in chunks, without making a string of it. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const sextets = new Int8Array(256).fill(-1);
for (const alphabet of [`${letters}+/`, `${letters}-_`]) {
  for (const [value, letter] of [...alphabet].entries()) sextets[letter.charCodeAt(0)] = value;
}

const equals = '='.charCodeAt(0);

/** Output buffer, shared by all decoders: a decoder uses it only synchronously. */
let buffer = new Uint8Array(65_536);

/**
 * Creates a decoder of one text. It decodes a chunk from index `from` and returns the index of the first byte that is not
 * a base64 letter. If the caller skips such bytes, the result equals `Buffer.from(text, 'base64')`, which stops at `=`.
 * @param append receives bytes that are valid only until it returns.
 */
export function createBase64Decoder(append: (bytes: Uint8Array) => void) {
  let [bits, bitCount, isOver] = [0, 0, false];

  return (chunk: Uint8Array, from: number): number => {
    const sextet = (at: number) => sextets[chunk[at] as number] as number;
    if (isOver) return from;
    if (buffer.length < chunk.length) buffer = new Uint8Array(chunk.length);
    const bytes = buffer;
    let [i, length] = [from, 0];
    for (; ; i += 1) {
      // Decoding four letters at a time is several times as fast.
      for (; bitCount === 0 && i + 4 <= chunk.length; i += 4) {
        const four = (sextet(i) << 18) | (sextet(i + 1) << 12) | (sextet(i + 2) << 6) | sextet(i + 3);
        if (four < 0) break;
        bytes[length] = four >> 16;
        bytes[length + 1] = four >> 8;
        bytes[length + 2] = four;
        length += 3;
      }
      const one = i < chunk.length ? sextet(i) : -1;
      if (one < 0) break;
      bits = ((bits << 6) | one) & 0xfff;
      bitCount += 6;
      if (bitCount < 8) continue;
      bitCount -= 8;
      bytes[length] = bits >> bitCount;
      length += 1;
    }
    isOver = chunk[i] === equals;
    append(bytes.subarray(0, length));
    return i;
  };
}
