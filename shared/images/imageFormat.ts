/** Detects the type and size of an image from its bytes. Declared types are not trusted. */
import { imageSize } from 'image-size';
import type { OtherFormat } from '../contract/references.ts';
import { findJpegSize } from './imageStructure.ts';

const mimeTypes = { png: 'image/png', webp: 'image/webp' } as const;

export type ImageFacts = {
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
  width: number;
  height: number;
};

/** Most bytes of an image that a model returns, and so of one in the store. A PNG of 4K has about 25 MB. */
export const imageBytesMax = 32_000_000;

/** Bytes that always include the size in pixels. Only in a JPEG can a lot of metadata come before it. */
export const headerBytesMax = 1_048_576;
const shortHeaderBytes = 4096;
const jpegFirstByte = 0xff;

/** Type and size in pixels of a PNG, JPEG or WebP; undefined for anything else. The rest may be missing or broken. */
export function sniffImage(bytes: Uint8Array): ImageFacts | undefined {
  if (bytes[0] === jpegFirstByte) {
    // Not with the library, which takes long for a JPEG of very many segments.
    const size = findJpegSize(bytes.subarray(0, headerBytesMax));
    return size && size.width > 0 && size.height > 0 ? { mimeType: 'image/jpeg', ...size } : undefined;
  }
  try {
    // Copy the bytes: the library reads past the end of a view into the rest of its buffer.
    const { type, width, height } = imageSize(new Uint8Array(bytes.subarray(0, shortHeaderBytes)));
    const mimeType = mimeTypes[type as keyof typeof mimeTypes];
    return mimeType && width > 0 && height > 0 ? { mimeType, width, height } : undefined;
  } catch {
    return undefined; // An unknown format, or an incomplete header.
  }
}

/** The brands with which a HEIC, a HEIF and an AVIF begin (ISO/IEC 23008-12, and AVIF's own specification). */
const brands: Readonly<Record<OtherFormat, readonly string[]>> = {
  HEIC: ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'],
  AVIF: ['avif', 'avis'],
};

/** The format of phones or browsers that the bytes begin as, if no model is sent it. */
export function sniffOtherFormat(bytes: Uint8Array): OtherFormat | undefined {
  const text = Buffer.from(bytes.subarray(4, 12)).toString('latin1');
  if (!text.startsWith('ftyp')) return undefined;
  return (['HEIC', 'AVIF'] as const).find((format) => brands[format].includes(text.slice(4)));
}
