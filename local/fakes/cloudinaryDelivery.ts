import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Asset, AssetStore } from './cloudinaryAssets.ts';
import { drawCover } from './cover.ts';
import type { Reply } from './server.ts';

const mimeTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif',
};
const openToAll = { 'access-control-allow-origin': '*', 'timing-allow-origin': '*' };
const sidePixelsMax = 8192;
/** A thumbnail of a 4K image takes 150 ms, so the latest are kept: at most 300 of up to 128 KiB. */
const keptMax = 300;
const keptBytesMax = 128 * 1024;
const kept = new Map<string, Buffer>();

type Transformation = { crop: string; width?: number; height?: number; format?: string; quality?: number };

const toDeliveryError = (status: number, problem: string): Reply => ({
  status,
  headers: { ...openToAll, 'x-cld-error': problem, 'content-type': 'text/plain; charset=UTF-8' },
  body: '',
});

/**
 * Delivers `{transformation}/v{version}/{public_id}.{format}`, the part of an address after `/image/upload/`. As on
 * the real CDN, the version only separates cache entries: every version returns the current image.
 */
export async function deliver(path: string, accept: string, store: AssetStore): Promise<Reply> {
  const segments = path.split('/').map(decodeURIComponent);
  const transformation: Transformation = { crop: 'scale' };
  while (segments.length > 1 && isTransformation(segments[0] ?? '')) {
    const problem = readTransformation(segments.shift() ?? '', transformation);
    if (problem !== undefined) return toDeliveryError(400, problem);
  }
  if (segments.length > 1 && /^v\d+$/.test(segments[0] ?? '')) segments.shift();
  const name = segments.join('/');
  const { publicId, extension } = splitName(name, store);
  const asset = store.assets.get(publicId);
  if (asset === undefined) return toDeliveryError(404, `Resource not found - ${encodeURI(name)}`);
  const requestedFormat = transformation.format ?? extension ?? asset.format;
  const format =
    requestedFormat === 'auto' ? (accept.includes('image/webp') ? 'webp' : asset.format) : requestedFormat;
  const isOriginal = format === asset.format && !transformation.width && !transformation.height;
  const bytes =
    isOriginal && !transformation.quality
      ? store.read(asset)
      : await transformOnce(asset, store, transformation, format);
  if (bytes === undefined)
    return toDeliveryError(400, `Invalid extension in transformation: ${encodeURI(format)}`);
  return {
    status: 200,
    headers: {
      ...openToAll,
      'content-type': mimeTypes[format] ?? 'application/octet-stream',
      'cache-control': 'public, no-transform, immutable, max-age=2592000',
      ...(requestedFormat === 'auto' ? { vary: 'Accept' } : {}),
    },
    body: bytes,
  };
}

/** Splits off the extension. Tries the whole name first, because a public id may contain a dot. */
function splitName(name: string, store: AssetStore): { publicId: string; extension?: string } {
  const match = /^(?<publicId>.+)\.(?<extension>\w+)$/.exec(name)?.groups;
  if (store.assets.has(name) || !match) return { publicId: name };
  const { publicId = '', extension = '' } = match;
  return { publicId, extension: extension === 'jpeg' ? 'jpg' : extension };
}

const isTransformation = (segment: string) => /^[a-z]{1,3}_[^,]+(,[a-z]{1,3}_[^,]+)*$/.test(segment);

/** Adds the segment's parts to the transformation, or returns what is wrong with them. */
function readTransformation(segment: string, to: Transformation): string | undefined {
  for (const piece of segment.split(',')) {
    const [key = '', value = ''] = piece.split(/_(.*)/);
    if (key === 'c' && ['fill', 'thumb', 'scale', 'fit', 'limit'].includes(value)) to.crop = value;
    else if ((key === 'w' || key === 'h') && Number(value) >= 1 && Number(value) <= sidePixelsMax) {
      to[key === 'w' ? 'width' : 'height'] = Math.round(Number(value));
    } else if (key === 'f' && (value === 'auto' || value in mimeTypes))
      to.format = value === 'jpeg' ? 'jpg' : value;
    else if (key === 'q' && (/^auto(:\w+)?$/.test(value) || (Number(value) >= 1 && Number(value) <= 100))) {
      to.quality = Number(value) || 80;
    } else if (!['g', 'dpr', 'fl'].includes(key))
      return `Invalid transformation component - ${encodeURI(piece)}`;
  }
  return undefined;
}

async function transformOnce(
  asset: Asset,
  store: AssetStore,
  transformation: Transformation,
  format: string,
): Promise<Buffer | undefined> {
  const key = JSON.stringify([asset.assetId, asset.version, transformation, format]);
  const bytes = kept.get(key) ?? (await transformImage(asset, store, transformation, format));
  if (bytes !== undefined && bytes.length <= keptBytesMax) kept.set(key, bytes);
  if (kept.size > keptMax) kept.delete(kept.keys().next().value ?? '');
  return bytes;
}

async function transformImage(
  asset: Asset,
  store: AssetStore,
  transformation: Transformation,
  format: string,
) {
  if (format !== 'png' && format !== 'jpg' && format !== 'webp') return undefined;
  const { width, height } = targetSize(asset, transformation);
  const canvas = createCanvas(width, height);
  const image = await loadImage(store.read(asset));
  const context = canvas.getContext('2d');
  if (transformation.crop === 'fill' || transformation.crop === 'thumb')
    drawCover(context, image, { x: 0, y: 0, width, height });
  else {
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
  }
  return format === 'png'
    ? canvas.encode('png')
    : canvas.encode(format === 'jpg' ? 'jpeg' : 'webp', transformation.quality ?? 80);
}

/** A missing side follows from the other one. `fit` and `limit` keep the image's proportions. */
function targetSize(
  asset: Asset,
  { crop, width, height }: Transformation,
): { width: number; height: number } {
  const ratio = asset.width / asset.height;
  const across = width ?? (height === undefined ? asset.width : height * ratio);
  const down = height ?? across / ratio;
  if (crop !== 'fit' && crop !== 'limit')
    return { width: Math.max(1, Math.round(across)), height: Math.max(1, Math.round(down)) };
  const scale = Math.min(
    across / asset.width,
    down / asset.height,
    crop === 'limit' ? 1 : Number.POSITIVE_INFINITY,
  );
  return {
    width: Math.max(1, Math.round(asset.width * scale)),
    height: Math.max(1, Math.round(asset.height * scale)),
  };
}
