/** A note inside an image, which no viewer shows: a tEXt chunk of a PNG or a comment of a JPEG. */
import { createPngChunk, signature } from './png.ts';

const keyword = 'fake-gemini';
const start = Buffer.from(`${keyword}\0`);
const end = '\n';
/** After the signature and IHDR, which is 25 bytes long. */
const pngPlace = signature.length + 25;
/** How much of an image is searched. Drawings have their note at the beginning. */
const searchedBytes = 128 * 1024;

/** Adds a note of ASCII text in one line, at most 65,000 bytes. */
export function addNote(image: Buffer, note: string): Buffer {
  const content = Buffer.concat([start, Buffer.from(note + end, 'latin1')]);
  const isPng = image.subarray(0, signature.length).equals(signature);
  // A JPEG begins with its two-byte marker and, usually, an APP0 segment, which must come first.
  const jpegPlace = image[3] === 0xe0 ? 4 + image.readUInt16BE(4) : 2;
  const place = isPng ? pngPlace : jpegPlace;
  const part = isPng ? createPngChunk('tEXt', content) : createJpegComment(content);
  return Buffer.concat([image.subarray(0, place), part, image.subarray(place)]);
}

function createJpegComment(content: Buffer): Buffer {
  const header = Buffer.from([0xff, 0xfe, 0, 0]);
  header.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([header, content]);
}

/** The note of an image; undefined if it has none. */
export function findNote(image: Uint8Array): string | undefined {
  const searched = Buffer.from(image.buffer, image.byteOffset, Math.min(image.length, searchedBytes));
  const at = searched.indexOf(start);
  const until = searched.indexOf(end, at);
  return at < 0 || until < 0 ? undefined : searched.toString('latin1', at + start.length, until);
}
