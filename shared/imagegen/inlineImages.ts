/**
 * The images of a Gemini reply, taken out of its JSON while it arrives. Read as JSON, an image is in memory
 * several times at once: the pieces of the body, all of them together, the text, the string in it, and its bytes.
 */

import { type Chunks, createChunks, TooLarge } from '../core/chunks.ts';
import { headerBytesMax } from '../images/imageFormat.ts';
import { createBase64Decoder } from './base64.ts';

/** A reply in which a number stands in the place of each image's base64. */
export type InlineReply = {
  json: Buffer<ArrayBuffer>;
  /** The bytes of the image in whose place this `data` stands, the header in the first piece; none for anything else. */
  image(data: unknown): Uint8Array[];
};

type Part = { inlineData?: { data?: unknown }; thought?: boolean };

/** Most bytes of images at once. A large one has 5 MB, and a draft that may still be meant is kept beside it. */
export const imageBytesMax = 32_000_000;
/** Most images, drafts and all. */
export const imagesMax = 64;
/** Most bytes of the rest, which is parsed to several times as much. Signatures of thoughts are the bulk of it. */
export const restBytesMax = 8_000_000;
/** From how many bytes of drafts on it is worth to look which of them may still be meant. */
const draftBytesMin = 1_000_000;
const restChunkBytes = 16_384;

/** Brackets that are open around an image, `{candidates:[{content:{parts:[{inlineData:{data:"`, and what closes them. */
const imageDepth = 7;
const closing = '"}}]}}]}';
/** Of a longer key it is enough to know that it is longer than `inlineData`. */
const keyCharactersMax = 11;

/** The part with the image that is meant. Gemini 3 may send drafts first, as thoughts or not: it is the last. */
export function imagePart<P extends Part>(parts: readonly P[]): P | undefined {
  return parts.findLast((part) => part.inlineData && !part.thought);
}

/**
 * Reads a body. What is no JSON gives `json` that is none.
 * @throws {TooLarge} by the limits; {SyntaxError} for an escape that is none; what the body throws.
 */
export async function readInlineReply(body: AsyncIterable<Uint8Array>): Promise<InlineReply> {
  const rest = createChunks(restChunkBytes, restBytesMax);
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
      if (isImage) images.decode(Buffer.from(meant), 0);
      else if (string.length < keyCharactersMax) string += meant;
    } else if (character === '"') {
      isString = isImage = false;
    } else if (!isImage && string.length < keyCharactersMax) {
      string += character;
    }
  }

  for await (const chunk of body) {
    /** What is from here on in the chunk belongs to the rest. */
    let from = 0;
    for (let i = 0; i < chunk.length; i += 1) {
      const letters = isImage && !escaped ? images.decode(chunk, i) - i : 0;
      if (letters > 0) {
        rest.append(chunk.subarray(from, i));
        from = i += letters;
        if (i === chunk.length) break;
      }
      const wasImage = isImage;
      const character = String.fromCharCode(chunk[i] as number);
      if (isString) inside(character);
      else outside(character);
      if (!isImage || wasImage) continue;
      rest.append(chunk.subarray(from, i + 1));
      from = i + 1;
      // The colon ends the number. What else is no base64 comes behind it, to be judged as JSON.
      rest.append(Buffer.from(`${images.begin(rest.all)}:`));
    }
    rest.append(chunk.subarray(from));
  }
  return { json: Buffer.concat(rest.all()), image: images.at };
}

/** The images as they are decoded. */
function createImages() {
  const images: Chunks[] = [];
  let keptBytes = 0;
  const heldBytes = () => images.reduce((sum, image) => sum + image.length(), 0);
  let decode = createBase64Decoder(() => {});

  const at = (data: unknown) => (typeof data === 'string' ? images[Number.parseInt(data, 10)] : undefined);

  /** Of the images before this one, keeps only the one that is meant if this turns out to be a thought. */
  function dropDrafts(rest: Uint8Array[]): void {
    const data = meantSoFar(`${Buffer.concat(rest)}${closing}`);
    if (data === undefined) return;
    for (const image of images) if (image !== at(data)) image.drop();
    keptBytes = heldBytes();
  }

  return {
    /** Returns the number of the image that begins where `rest` ends. */
    begin(rest: () => Uint8Array[]): number {
      if (images.length === imagesMax) throw new TooLarge();
      if (heldBytes() - keptBytes > draftBytesMin) dropDrafts(rest());
      const image = createChunks(headerBytesMax, imageBytesMax - heldBytes());
      decode = createBase64Decoder(image.append);
      return images.push(image) - 1;
    },
    decode: (chunk: Uint8Array, from: number) => decode(chunk, from),
    at: (data: unknown) => at(data)?.all() ?? [],
  };
}

/** The `data` of the image that is meant without the last part, null where none is; undefined where nobody can tell. */
function meantSoFar(json: string): unknown {
  try {
    const parts: Part[] = JSON.parse(json).candidates[0].content.parts;
    // A number stands in the place of every image but the one that begins.
    const isLast = parts.at(-1)?.inlineData?.data === '';
    return isLast ? (imagePart(parts.slice(0, -1))?.inlineData?.data ?? null) : undefined;
  } catch {
    return undefined;
  }
}
