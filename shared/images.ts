/** What image some bytes are, read off the bytes themselves: declared types are not trusted. */
import { imageSize } from 'image-size';

const mimeTypes = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' } as const;

export type ImageFacts = {
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
  width: number;
  height: number;
};

/** Type and size in pixels of a PNG, JPEG or WebP; undefined for anything else. */
export function sniffImage(bytes: Uint8Array): ImageFacts | undefined {
  try {
    const { type, width, height } = imageSize(bytes);
    const mimeType = mimeTypes[type as keyof typeof mimeTypes];
    return mimeType && width > 0 && height > 0 ? { mimeType, width, height } : undefined;
  } catch {
    return undefined; // No image format that the library knows, or a header that ends too soon.
  }
}
