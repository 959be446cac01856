/** Images are read from the store up to a limit, and smaller versions of them as JPEG. */
import { createCanvas } from '@napi-rs/canvas';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import type { ImageStore } from '../../../shared/images/cloudinary.ts';
import { onePixelPng } from '../../support/pictures.ts';

const longMs = 60_000;
const { signal } = new AbortController();
let fake: Awaited<ReturnType<typeof startFakeCloudinary>>;
let images: ImageStore;
let url: string;

beforeAll(async () => {
  fake = await startFakeCloudinary({ cloudName: 'test', apiKey: '12345', apiSecret: 'test-secret' });
  const cloudinaryUrl = `cloudinary://12345:test-secret@test?upload_prefix=${fake.url}`;
  // The SDK reads the environment when it is imported.
  process.env.CLOUDINARY_URL = cloudinaryUrl;
  const { createImageStore } = await import('../../../shared/images/cloudinary.ts');
  images = createImageStore(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-test', CLOUDINARY_URL: cloudinaryUrl }),
  );
  const large = createCanvas(4096, 2304).toBuffer('image/png');
  ({ url } = await images.store('large', [large], longMs, signal));
});
afterAll(() => fake.close());

const toSize = (bytes: Buffer) => {
  const { type, width, height } = imageSize(bytes);
  return [type, width, height];
};

it('a smaller version is a JPEG with 2048 pixels on its longest side, and of the same shape', async () => {
  expect(toSize(await images.fetchSmaller(url, 1_000_000, longMs, signal))).toEqual(['jpg', 2048, 1152]);
});

it('has 1024 pixels on its longest side if the other one has too many bytes', async () => {
  const { length } = await images.fetchSmaller(url, 1_000_000, longMs, signal);
  expect(toSize(await images.fetchSmaller(url, length, longMs, signal))).toEqual(['jpg', 2048, 1152]);
  expect(toSize(await images.fetchSmaller(url, length - 1, longMs, signal))).toEqual(['jpg', 1024, 576]);
});

it('fails if even that has too many bytes, or the image is in another store', async () => {
  const expected = { reason: 'STORAGE_ERROR' };
  await expect(images.fetchSmaller(url, 100, longMs, signal)).rejects.toMatchObject(expected);
  const foreign = images.fetchSmaller('https://images.example/a.png', 1_000_000, longMs, signal);
  await expect(foreign).rejects.toMatchObject(expected);
});

it.each([
  ['with', { 'content-length': '33000000' }],
  ['without', {}],
])('an image of more than 32 MB is not read to its end, %s its length in a header', async (_, headers) => {
  const real = globalThis.fetch;
  let sent = 0;
  let isCancelled = false;
  const body = new ReadableStream({
    pull(controller) {
      sent += 1_000_000;
      controller.enqueue(new Uint8Array(1_000_000));
    },
    cancel() {
      isCancelled = true;
    },
  });
  globalThis.fetch = async () => new Response(body, { headers });
  const fetched = images.fetch(url, longMs, signal).finally(() => {
    globalThis.fetch = real;
  });
  await expect(fetched).rejects.toMatchObject({ reason: 'STORAGE_ERROR' });
  expect(isCancelled).toBe(true);
  expect(sent).toBeLessThanOrEqual(36_000_000);
});

it('a version of an image that is smaller already has its size', async () => {
  const stored = await images.store('small', [onePixelPng], longMs, signal);
  expect(toSize(await images.fetchSmaller(stored.url, 1_000_000, longMs, signal))).toEqual(['jpg', 1, 1]);
});
