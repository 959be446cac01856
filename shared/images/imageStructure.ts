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

/** True if the image is whole: neither cut off nor broken in its structure. */
export function isWholeImage(
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp',
  chunks: Iterable<Uint8Array>,
): boolean {
  const reader = createByteReader(chunks);
  switch (mimeType) {
    case 'image/png':
      return isWholePng(reader);
    case 'image/jpeg':
      return isWholeJpeg(reader);
    case 'image/webp':
      return isWholeWebp(reader);
  }
}

/** Each chunk: length, type, data, checksum. The first is IHDR, the last IEND, and one has pixels. */
function isWholePng(reader: ByteReader): boolean {
  if (reader.text(8) !== '\x89PNG\r\n\x1a\n') return false;
  let hasPixels = false;
  for (let count = 0; count < sectionsMax; count += 1) {
    const length = reader.uint32();
    const type = reader.text(4);
    if (count === 0 && type !== 'IHDR') return false;
    let checksum = crc32(type);
    const isComplete = reader.forEachPart(length, (part) => {
      checksum = crc32(part, checksum);
    });
    if (!isComplete || reader.uint32() !== checksum) return false;
    if (type === 'IDAT' && length > 0) hasPixels = true;
    if (type === 'IEND') return hasPixels && length === 0;
  }
  return false;
}

const jpeg = { start: 0xd8, end: 0xd9, scan: 0xda };
/** The frames that every browser shows: baseline, extended and progressive. */
const jpegFrames = [0xc0, 0xc1, 0xc2];

/** A JPEG has a frame and a scan before its end marker. A thumbnail in the metadata is inside of a segment. */
function isWholeJpeg(reader: ByteReader): boolean {
  const markers = new Set<number>();
  for (const { marker, length } of readJpegSegments(reader)) {
    if (marker === jpeg.end) {
      return markers.has(jpeg.scan) && jpegFrames.some((frame) => markers.has(frame));
    }
    if (!reader.skip(length)) return false;
    markers.add(marker);
  }
  return false;
}

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
function isWholeWebp(reader: ByteReader): boolean {
  if (reader.text(4) !== 'RIFF') return false;
  const size = reader.uint32LittleEndian();
  if (reader.text(4) !== 'WEBP') return false;
  let hasPixels = false;
  for (let count = 0; count < sectionsMax; count += 1) {
    if (reader.position() >= 8 + size) return hasPixels && reader.position() === 8 + size + (size % 2);
    const type = reader.text(4);
    const length = reader.uint32LittleEndian();
    if (!reader.skip(length + (length % 2))) return false;
    if (['VP8 ', 'VP8L', 'ANMF'].includes(type) && length > 0) hasPixels = true;
  }
  return false;
}
