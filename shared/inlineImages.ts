/**
 * The images of a Gemini reply, taken out of its JSON while it arrives. Read as JSON, an image is in memory
 * several times at once: the pieces of the body, all of them together, the text, the string in it, and its bytes.
 */

/** A reply in which a number stands in the place of each image's base64. */
export type InlineReply = {
  json: Uint8Array<ArrayBuffer>;
  /** The bytes of the image in whose place this `data` stands; none for anything else. */
  image(data: unknown): Buffer;
};

type Part = { inlineData?: { data?: unknown }; thought?: boolean };

/** Most bytes of images at once. A large one has 5 MB, and a draft that may still be meant is kept beside it. */
export const imageBytesMax = 32_000_000;
/** Most bytes of the rest, which is parsed to several times as much. Signatures of thoughts are the bulk of it. */
export const restBytesMax = 8_000_000;
/** From how many bytes of drafts on it is worth to look which of them may still be meant. */
const draftBytesMin = 1_000_000;
const growthBytes = 262_144;
let scratch = new Uint8Array(65_536);

/** Brackets that are open around an image, `{candidates:[{content:{parts:[{inlineData:{data:"`, and what closes them. */
const imageDepth = 7;
const closing = '"}}]}}]}';
/** Of a longer key it is enough to know that it is longer than `inlineData`. */
const keyCharactersMax = 11;

const sextets = new Int8Array(256).fill(-1);
for (const last of ['+/', '-_']) {
  const letters = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}`;
  for (const [value, letter] of [...letters].entries()) sextets[letter.charCodeAt(0)] = value;
}

/** The part with the image that is meant. Gemini 3 may send drafts first, as thoughts or not: it is the last. */
export function imagePart<P extends Part>(parts: readonly P[]): P | undefined {
  return parts.findLast((part) => part.inlineData && !part.thought);
}

/**
 * Reads a body. What is no JSON gives `json` that is none.
 * @throws {RangeError} for more than may be held; {SyntaxError} for an escape that is none; what the body throws.
 */
export async function readInlineReply(body: AsyncIterable<Uint8Array>): Promise<InlineReply> {
  const rest = createBytes(restBytesMax);
  const images = createImages();
  let [depth, isInlineData, isString, isImage] = [0, false, false, false];
  /** The string that is read or was read last, as far as it may be a key; the key of the value that comes next. */
  let [string, key, escaped] = ['', '', ''];

  function outside(character: string): void {
    if (character === '"') {
      isString = true;
      isImage = isInlineData && depth === imageDepth && key === 'data';
      string = '';
    } else if (character === ':') {
      key = string;
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth === imageDepth) isInlineData = key === 'inlineData';
      key = '';
    } else if (character === '}' || character === ']') {
      depth -= 1;
      key = '';
    } else if (character === ',') {
      key = '';
    }
  }

  function inside(character: string): void {
    if (escaped || character === '\\') {
      escaped += character;
      if (escaped.length < (escaped[1] === 'u' ? 6 : 2)) return;
      const meant: string = JSON.parse(`"${escaped}"`);
      escaped = '';
      if (isImage) images.take(Buffer.from(meant), 0);
      else if (string.length < keyCharactersMax) string += meant;
    } else if (character === '"') {
      if (isImage) images.end();
      isString = isImage = false;
    } else if (!isImage && string.length < keyCharactersMax) {
      string += character;
    }
  }

  for await (const chunk of body) {
    /** From here on the chunk is the rest's. */
    let from = 0;
    for (let i = 0; i < chunk.length; i += 1) {
      if (isImage && !escaped) {
        const end = images.take(chunk, i);
        if (end > i) {
          rest.append(chunk.subarray(from, i));
          from = i = end;
          if (end === chunk.length) break;
        }
      }
      const wasImage = isImage;
      const character = String.fromCharCode(chunk[i] as number);
      if (isString) inside(character);
      else outside(character);
      if (!isImage || wasImage) continue;
      rest.append(chunk.subarray(from, i + 1));
      from = i + 1;
      // The colon ends the number. What else is no base64 comes behind it, to be judged as JSON.
      rest.append(Buffer.from(`${images.begin(rest)}:`));
    }
    rest.append(chunk.subarray(from));
  }
  return { json: rest.bytes(0).slice(), image: images.at };
}

/** The images as they are decoded, one behind the other in one place. */
function createImages() {
  const store = createBytes(imageBytesMax);
  let ranges: [start: number, end: number][] = [];
  let [bits, bitCount, keptBytes] = [0, 0, 0];

  /** Keeps of the images before this one only the one that is meant if this turns out to be a thought. */
  function dropDrafts(rest: Bytes): void {
    const parts = partsOf(`${rest.bytes(0)}${closing}`);
    // Numbers stand in all places but this one's.
    if (parts.at(-1)?.inlineData?.data !== '') return;
    const kept = numberOf(imagePart(parts.slice(0, -1))?.inlineData?.data);
    const [start, end] = ranges[kept] ?? [0, 0];
    store.keep(start, end);
    keptBytes = end - start;
    ranges = ranges.map((_, number) => (number === kept ? [0, keptBytes] : [0, 0]));
  }

  return {
    /** Returns the number of the image that begins where `rest` ends. */
    begin(rest: Bytes): number {
      if (store.length() - keptBytes > draftBytesMin) dropDrafts(rest);
      [bits, bitCount] = [0, 0];
      return ranges.push([store.length(), store.length()]) - 1;
    },
    end(): void {
      const range = ranges.at(-1);
      if (range) range[1] = store.length();
    },
    /** Takes base64 as Buffer does. Returns where there is a byte that is none. */
    take(chunk: Uint8Array, from: number): number {
      const sextet = (at: number) => sextets[chunk[at] as number] as number;
      if (scratch.length < chunk.length) scratch = new Uint8Array(chunk.length);
      const out = scratch;
      let [i, length] = [from, 0];
      for (; ; i += 1) {
        // Four at a time is several times as fast.
        for (; bitCount === 0 && i + 4 <= chunk.length; i += 4) {
          const four = (sextet(i) << 18) | (sextet(i + 1) << 12) | (sextet(i + 2) << 6) | sextet(i + 3);
          if (four < 0) break;
          out[length] = four >> 16;
          out[length + 1] = four >> 8;
          out[length + 2] = four;
          length += 3;
        }
        const one = i < chunk.length ? sextet(i) : -1;
        if (one < 0) break;
        bits = ((bits << 6) | one) & 0xfff;
        bitCount += 6;
        if (bitCount < 8) continue;
        bitCount -= 8;
        out[length] = bits >> bitCount;
        length += 1;
      }
      store.append(out.subarray(0, length));
      return i;
    },
    at(data: unknown): Buffer {
      const [start, end] = ranges[numberOf(data)] ?? [0, 0];
      return store.bytes(start, end);
    },
  };
}

type Bytes = ReturnType<typeof createBytes>;

/** Bytes that grow where they are, without ever being copied. @throws {RangeError} beyond `bytesMax`. */
function createBytes(bytesMax: number) {
  const buffer = new ArrayBuffer(0, { maxByteLength: bytesMax });
  const all = new Uint8Array(buffer);
  let length = 0;
  return {
    append(bytes: Uint8Array): void {
      const end = length + bytes.length;
      if (end > buffer.byteLength) buffer.resize(Math.max(end, Math.min(end + growthBytes, bytesMax)));
      all.set(bytes, length);
      length = end;
    },
    /** Keeps these and no others. */
    keep(start: number, end: number): void {
      all.copyWithin(0, start, end);
      length = end - start;
    },
    length: () => length,
    bytes: (start: number, end = length) => Buffer.from(buffer, start, end - start),
  };
}

/** The parts of a reply, none where there are none. */
function partsOf(json: string): Part[] {
  try {
    return JSON.parse(json).candidates[0].content.parts;
  } catch {
    return [];
  }
}

const numberOf = (data: unknown) => (typeof data === 'string' ? Number.parseInt(data, 10) : Number.NaN);
