/**
 * Checks that the bytes of an image go on to its end. The image may come in chunks, which are never joined. No pixel is
 * decoded, and bytes after the end are ignored, as every decoder does.
 * Sources: the PNG specification (W3C), ITU-T T.81 for JPEG, and Google's WebP container specification.
 */
import { crc32 } from 'node:zlib';
import { type ByteReader, createByteReader } from './byteReader.ts';

/**
 * Most chunks of a PNG or WebP, or segments of a JPEG. A PNG of 32 MB in chunks of 8 KiB, as libpng writes it, has
 * 4,000. More are read as a broken image, so that a check takes milliseconds whatever the bytes are.
 */
const sectionsMax = 16_384;

/** What a look at the structure of an image finds. */
export type ImageStructure = {
  /** True if the image is neither cut off nor broken in its structure. */
  isWhole: boolean;
  /**
   * True if it has a C2PA manifest (C2PA specification 2.2, embedding in asset formats): a PNG in a `caBX` chunk, a JPEG
   * in APP11 segments of JPEG universal metadata, a WebP in a `C2PA` chunk. The manifest is not verified.
   */
  hasContentCredentials: boolean;
};

export const isWholeImage = (...image: Parameters<typeof inspectImage>) => inspectImage(...image).isWhole;

/** Walks through the whole structure of an image. */
export function inspectImage(
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp',
  chunks: Iterable<Uint8Array>,
): ImageStructure {
  const reader = createByteReader(chunks);
  switch (mimeType) {
    case 'image/png':
      return inspectPng(reader);
    case 'image/jpeg':
      return inspectJpeg(reader);
    case 'image/webp':
      return inspectWebp(reader);
  }
}

const broken: ImageStructure = { isWhole: false, hasContentCredentials: false };

/** Each chunk: length, type, data, checksum. The first is IHDR, the last IEND, and one has pixels. */
function inspectPng(reader: ByteReader): ImageStructure {
  if (reader.text(8) !== '\x89PNG\r\n\x1a\n') return broken;
  let [hasPixels, hasContentCredentials] = [false, false];
  for (let count = 0; count < sectionsMax; count += 1) {
    const length = reader.uint32();
    const type = reader.text(4);
    if (count === 0 && type !== 'IHDR') return broken;
    let checksum = crc32(type);
    const isComplete = reader.forEachPart(length, (part) => {
      checksum = crc32(part, checksum);
    });
    if (!isComplete || reader.uint32() !== checksum) return broken;
    if (type === 'IDAT' && length > 0) hasPixels = true;
    if (type === 'caBX') hasContentCredentials = true;
    if (type === 'IEND') return { isWhole: hasPixels && length === 0, hasContentCredentials };
  }
  return broken;
}

const jpeg = { start: 0xd8, end: 0xd9, scan: 0xda, app11: 0xeb };
/** The frames that every browser shows: baseline, extended and progressive. */
const jpegFrames = [0xc0, 0xc1, 0xc2];

/** A JPEG has a frame and a scan before its end marker. A thumbnail in the metadata is inside of a segment. */
function inspectJpeg(reader: ByteReader): ImageStructure {
  const markers = new Set<number>();
  let hasContentCredentials = false;
  for (const { marker, length } of readJpegSegments(reader)) {
    if (marker === jpeg.end) {
      const isWhole = markers.has(jpeg.scan) && jpegFrames.some((frame) => markers.has(frame));
      return { isWhole, hasContentCredentials };
    }
    let left = length;
    if (marker === jpeg.app11 && length >= jumbfStart) {
      left -= jumbfStart;
      if (reader.text(jumbfStart).match(jumbfStartPattern)) hasContentCredentials = true;
    }
    if (!reader.skip(left)) return broken;
    markers.add(marker);
  }
  return broken;
}

/**
 * How an APP11 segment with C2PA begins: `JP`, box instance, packet number, then a `jumb` box with a `jumd` box of type
 * `c2pa` (ISO/IEC 19566-5). Bytes.
 */
const jumbfStart = 28;
const jumbfStartPattern = /^JP.{6}.{4}jumb.{4}jumdc2pa$/s;

/** The size of a JPEG in pixels, undefined if its frame does not come within these bytes. */
export function findJpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const reader = createByteReader([bytes]);
  for (const { marker, length } of readJpegSegments(reader)) {
    if (jpegFrames.includes(marker)) {
      reader.skip(1); // Bits of a sample.
      const height = reader.uint16();
      return { height, width: reader.uint16() };
    }
    if (marker === jpeg.scan || marker === jpeg.end || !reader.skip(length)) return undefined;
  }
  return undefined;
}

/**
 * The segments of a JPEG up to its end. The caller reads or skips the `length` bytes of each. Bytes between segments are
 * the compressed pixels of a scan, in which 0xFF is followed by 0 or by the number of a restart.
 */
function* readJpegSegments(reader: ByteReader): Generator<{ marker: number; length: number }> {
  if (reader.uint16() !== 0xff00 + jpeg.start) return;
  for (let count = 0; count < sectionsMax; count += 1) {
    const marker = findJpegMarker(reader);
    if (marker === jpeg.end) yield { marker, length: 0 };
    const length = reader.uint16() - 2;
    if (!(length >= 0)) return;
    yield { marker, length };
  }
}

/** The next marker that is not part of a scan's pixels; NaN at the end of the bytes. */
function findJpegMarker(reader: ByteReader): number {
  for (;;) {
    if (!reader.skipUntilMarker()) return Number.NaN;
    let byte = reader.uint8();
    while (byte === 0xff) byte = reader.uint8();
    const isPixels = byte <= 0x01 || (byte >= 0xd0 && byte <= 0xd7);
    if (!isPixels) return byte;
  }
}

/** The size of the whole file comes first. Then each chunk: type, length, data, and a byte to make it even. */
function inspectWebp(reader: ByteReader): ImageStructure {
  if (reader.text(4) !== 'RIFF') return broken;
  const size = reader.uint32LittleEndian();
  if (reader.text(4) !== 'WEBP') return broken;
  let [hasPixels, hasContentCredentials] = [false, false];
  for (let count = 0; count < sectionsMax; count += 1) {
    if (reader.position() >= 8 + size) {
      const isWhole = hasPixels && reader.position() === 8 + size + (size % 2);
      return { isWhole, hasContentCredentials };
    }
    const type = reader.text(4);
    const length = reader.uint32LittleEndian();
    if (!reader.skip(length + (length % 2))) return broken;
    if (['VP8 ', 'VP8L', 'ANMF'].includes(type) && length > 0) hasPixels = true;
    if (type === 'C2PA') hasContentCredentials = true;
  }
  return broken;
}
