/**
 * Takes the images out of a Gemini reply's JSON while it arrives. JSON.parse would hold each image in memory several
 * times at once: the chunks of the body, the whole body, its text, the string within it, and the decoded bytes. Thought
 * signatures that are too long to keep are cut for the same reason.
 */

import { type Chunks, createChunks, TooLarge } from '../core/chunks.ts';
import { headerBytesMax, imageBytesMax } from '../images/imageFormat.ts';
import { createBase64Decoder } from './base64.ts';

/** A reply with a number in place of each image's base64, and no signature that is much too long. */
export type InlineReply = {
  json: Buffer<ArrayBuffer>;
  /** The bytes of the image that `data` replaced, its header in the first chunk; empty for any other `data`. */
  image(data: unknown): Uint8Array[];
};

type Part = { inlineData?: { data?: unknown }; thought?: boolean };

/** Most bytes of images in memory: the image, and a draft that may turn out to be it. */
const imagesBytesMax = 2 * imageBytesMax;
/** Most images in a reply, including drafts. */
export const imagesMax = 64;
/**
 * Longest thought signature to keep, characters of base64: it is read with every document of a generation. Longer ones are
 * cut while they arrive, and are one character longer then.
 */
export const signatureCharactersMax = 65_536;
/** Most bytes of the rest. Parsed they take several times as much memory. */
export const restBytesMax = 8_000_000;
/** Fewest bytes of drafts for which it is worth finding out which of them may be dropped. */
const draftBytesMin = 1_000_000;
const restChunkBytes = 16_384;

/** Depth of a part, `{candidates:[{content:{parts:[{`. */
const partDepth = 6;
/** Depth of an image, `inlineData:{data:"` in a part, and the text that closes the JSON there. */
const imageDepth = partDepth + 1;
const closing = '"}}]}}]}';
/** Most characters of a key to remember: one more than `thoughtSignature` has. */
const keyCharactersMax = 17;

const [quote, backslash] = ['"', '\\'].map((character) => character.charCodeAt(0)) as [number, number];

/**
 * The part with the final image: the last one. Gemini 3 may send drafts before it, marked as thoughts or not. In a
 * reply that ended normally, the final image may be marked as a thought too: the last one is taken if there is no other.
 */
export function findImagePart<P extends Part>(parts: readonly P[], finishReason?: string): P | undefined {
  const final = parts.findLast((part) => part.inlineData && !part.thought);
  if (final || finishReason !== 'STOP') return final;
  return parts.findLast((part) => part.inlineData);
}

/**
 * Reads a body. For a body that is not JSON, `json` is not JSON either.
 * @throws {TooLarge} beyond the limits; {SyntaxError} for an invalid escape; any error of the body.
 */
export async function readInlineReply(body: AsyncIterable<Uint8Array>): Promise<InlineReply> {
  const rest = createChunks(restChunkBytes, restBytesMax);
  const images = createImages();
  let [depth, isInlineData, isString, isImage] = [0, false, false, false];
  /** How many more characters of a thought signature are kept; undefined outside of one. */
  let signatureLeft: number | undefined;
  /** The current or latest string up to the length of a key, the key of the next value, and an incomplete escape. */
  let [string, key, escaped] = ['', '', ''];

  function readStructure(character: string): void {
    if (character === '"') {
      isString = true;
      isImage = isInlineData && depth === imageDepth && key === 'data';
      const isSignature = depth === partDepth && key === 'thoughtSignature';
      signatureLeft = isSignature ? signatureCharactersMax + 1 : undefined;
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

  function readString(character: string): void {
    if (escaped || character === '\\') {
      escaped += character;
      if (escaped.length < (escaped[1] === 'u' ? 6 : 2)) return;
      const unescaped: string = JSON.parse(`"${escaped}"`);
      escaped = '';
      if (isImage) images.decode(Buffer.from(unescaped), 0);
      else if (string.length < keyCharactersMax) string += unescaped;
    } else if (character === '"') {
      isString = isImage = false;
      signatureLeft = undefined;
    } else if (!isImage && string.length < keyCharactersMax) {
      string += character;
    }
  }

  for await (const chunk of body) {
    /** Where the part of the chunk begins that belongs to the rest. */
    let from = 0;
    for (let i = 0; i < chunk.length; i += 1) {
      const letters = isImage && !escaped ? images.decode(chunk, i) - i : 0;
      if (letters > 0) {
        rest.append(chunk.subarray(from, i));
        from = i += letters;
        if (i === chunk.length) break;
      }
      if (signatureLeft !== undefined && !escaped) {
        const end = findStringEnd(chunk, i);
        rest.append(chunk.subarray(from, Math.min(end, i + signatureLeft)));
        signatureLeft = Math.max(0, signatureLeft - (end - i));
        from = i = end;
        if (i === chunk.length) break;
      }
      const wasImage = isImage;
      const character = String.fromCharCode(chunk[i] as number);
      if (isString) readString(character);
      else readStructure(character);
      if (!isImage || wasImage) continue;
      rest.append(chunk.subarray(from, i + 1));
      from = i + 1;
      // The colon ends the number. Bytes that are not base64 follow it, for JSON.parse to judge.
      rest.append(Buffer.from(`${images.begin(rest.all)}:`));
    }
    rest.append(chunk.subarray(from));
  }
  return { json: Buffer.concat(rest.all()), image: images.at };
}

/** Where a string ends, or has its next escape. */
function findStringEnd(chunk: Uint8Array, from: number): number {
  const ends = [quote, backslash].map((byte) => chunk.indexOf(byte, from)).filter((at) => at >= 0);
  return Math.min(chunk.length, ...ends);
}

/** Collects the images while they are decoded. */
function createImages() {
  const images: Chunks[] = [];
  let keptBytes = 0;
  const heldBytes = () => images.reduce((sum, image) => sum + image.length(), 0);
  let decode = createBase64Decoder(() => {});

  const at = (data: unknown) => (typeof data === 'string' ? images[Number.parseInt(data, 10)] : undefined);

  /** Drops all earlier images but the one that is final if the next image turns out to be a thought. */
  function dropDrafts(rest: Uint8Array[]): void {
    const data = findFinalData(`${Buffer.concat(rest)}${closing}`);
    if (data === undefined) return;
    for (const image of images) if (image !== at(data)) image.drop();
    keptBytes = heldBytes();
  }

  return {
    /** Starts a new image where `rest` ends, and returns its number. */
    begin(rest: () => Uint8Array[]): number {
      if (images.length === imagesMax) throw new TooLarge();
      if (heldBytes() - keptBytes > draftBytesMin) dropDrafts(rest());
      const image = createChunks(headerBytesMax, Math.min(imageBytesMax, imagesBytesMax - heldBytes()));
      decode = createBase64Decoder(image.append);
      return images.push(image) - 1;
    },
    decode: (chunk: Uint8Array, from: number) => decode(chunk, from),
    at: (data: unknown) => at(data)?.all() ?? [],
  };
}

/**
 * The `data` of the final image if the last part turns out to be a thought, null without one; undefined if the JSON
 * does not tell. Earlier thoughts are never final: the last part is taken in their place, thought or not.
 */
function findFinalData(json: string): unknown {
  try {
    const parts: Part[] = JSON.parse(json).candidates[0].content.parts;
    // Every image is a number by now, except the one that begins.
    const isLast = parts.at(-1)?.inlineData?.data === '';
    return isLast ? (findImagePart(parts.slice(0, -1))?.inlineData?.data ?? null) : undefined;
  } catch {
    return undefined;
  }
}
