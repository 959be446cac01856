/** Base64 that arrives in pieces, without ever being a string. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const sextets = new Int8Array(256).fill(-1);
for (const alphabet of [`${letters}+/`, `${letters}-_`]) {
  for (const [value, letter] of [...alphabet].entries()) sextets[letter.charCodeAt(0)] = value;
}

const equals = '='.charCodeAt(0);

/** What a chunk becomes before it is handed on. One is enough: nothing waits while it is in use. */
let decoded = new Uint8Array(65_536);

/**
 * A decoder of one text: takes the letters of a chunk from an index on, and returns where the first byte is that
 * is none. Where the caller skips those, it decodes as `Buffer.from(text, 'base64')` does: up to the first `=`.
 * @param append is given bytes that are only there until it returns.
 */
export function createBase64Decoder(append: (bytes: Uint8Array) => void) {
  let [bits, bitCount, isOver] = [0, 0, false];

  return (chunk: Uint8Array, from: number): number => {
    const sextet = (at: number) => sextets[chunk[at] as number] as number;
    if (isOver) return from;
    if (decoded.length < chunk.length) decoded = new Uint8Array(chunk.length);
    const bytes = decoded;
    let [i, length] = [from, 0];
    for (; ; i += 1) {
      // Four at a time is several times as fast.
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
