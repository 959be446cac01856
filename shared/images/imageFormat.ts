/** What image some bytes are, read off the bytes themselves: declared types are not trusted. */
import { imageSize } from 'image-size';

const mimeTypes = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' } as const;

export type ImageFacts = {
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
  width: number;
  height: number;
};

/** How far into a file its size in pixels can stand, bytes: behind a JPEG's metadata, and in all others near the start. */
export const headerBytesMax = 1_048_576;
const shortHeaderBytes = 4096;
const jpegFirstByte = 0xff;

/** Type and size in pixels of a PNG, JPEG or WebP; undefined for anything else. */
export function sniffImage(bytes: Uint8Array): ImageFacts | undefined {
  try {
    const headerBytes = bytes[0] === jpegFirstByte ? headerBytesMax : shortHeaderBytes;
    // A copy: the library reads past the end of a view, into whatever else is in its buffer.
    const { type, width, height } = imageSize(new Uint8Array(bytes.subarray(0, headerBytes)));
    const mimeType = mimeTypes[type as keyof typeof mimeTypes];
    return mimeType && width > 0 && height > 0 ? { mimeType, width, height } : undefined;
  } catch {
    return undefined; // No image format that the library knows, or a header that ends too soon.
  }
}
