/** Detects the type and size of an image from its bytes. Declared types are not trusted. */
import { imageSize } from 'image-size';
import { findJpegSize } from './imageStructure.ts';

const mimeTypes = { png: 'image/png', webp: 'image/webp' } as const;

export type ImageFacts = {
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
  width: number;
  height: number;
};

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

/** The brands with which a HEIC or HEIF begins, as phones write them (ISO/IEC 23008-12). */
const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'];

/** True for HEIC and HEIF, the formats of phones that no model is sent. */
export function isHeic(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(4, 12)).toString('latin1');
  return text.startsWith('ftyp') && heicBrands.includes(text.slice(4));
}
