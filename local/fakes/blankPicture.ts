import { deflateSync } from 'node:zlib';
import { createCanvas } from '@napi-rs/canvas';
import { assemblePng } from './png.ts';

export type BlankPicture = {
  /** Pixels. */
  width: number;
  height: number;
  mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
};

const made = new Map<string, Promise<Buffer>>();

/** A picture of one colour. The bytes are few, and are made once for each size and type. */
export function createBlankPicture({ width, height, mimeType }: BlankPicture): Promise<Buffer> {
  const key = `${mimeType} ${width} ${height}`;
  const bytes = made.get(key) ?? encode({ width, height, mimeType });
  made.set(key, bytes);
  return bytes;
}

async function encode({ width, height, mimeType }: BlankPicture): Promise<Buffer> {
  if (mimeType === 'image/png') {
    // One bit for each pixel, and the filter before each row.
    const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
    return assemblePng({ width, height, bitDepth: 1, colourType: 0 }, deflateSync(rows));
  }
  return createCanvas(width, height).encode(mimeType === 'image/jpeg' ? 'jpeg' : 'webp');
}
