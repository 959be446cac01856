/** Which images of a model are delivered: whole ones, of about the requested shape, and not far smaller than usual. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBlankPicture } from '../../../local/fakes/blankPicture.ts';
import type { AspectRatio } from '../../../shared/contract.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import { checkImage } from '../../../shared/imagegen/usableImage.ts';

const model = imageModel('gemini-2.5-flash-image');
const createPng = (width: number, height: number) =>
  createBlankPicture({ width, height, mimeType: 'image/png' });
const unusable = (message: RegExp) =>
  expect.objectContaining({
    reason: 'NO_IMAGE',
    message: expect.stringMatching(message),
    details: { providerFailure: { kind: 'unusable', mayBeBilled: true } },
  });

describe('every size in the catalogue is delivered', () => {
  const ids = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1', 'gemini-3-pro-image'];
  it.each(ids)('%s, also in two and four times the size', async (id) => {
    const { sizes } = imageModel(id);
    for (const [ratio, [width, height]] of Object.entries(sizes)) {
      for (const scale of [1, 2, 4]) {
        const png = await createPng(width * scale, height * scale);
        const size = { width: width * scale, height: height * scale };
        const facts = { mimeType: 'image/png', ...size, contentCredentials: 'absent' };
        expect(checkImage([png], { sizes }, ratio as AspectRatio)).toEqual(facts);
      }
    }
  });
});

describe('an image of another shape is not delivered', () => {
  it.each<[AspectRatio, number, number]>([
    ['16:9', 1024, 1024],
    ['9:16', 1344, 768],
    ['1:1', 1248, 832],
    ['3:2', 832, 1248],
    ['1:1', 1051, 1000],
    ['1:1', 949, 1000],
  ])('%s: %i x %i', async (ratio, width, height) => {
    const png = await createPng(width, height);
    const shape = new RegExp(`${width} x ${height} pixels, which is not ${ratio}`);
    expect(() => checkImage([png], model, ratio)).toThrow(unusable(shape));
  });

  it.each([
    [1050, 1000],
    [950, 1000],
  ])('but up to 5 % of difference is: %i x %i', async (width, height) => {
    expect(checkImage([await createPng(width, height)], model, '1:1')).toMatchObject({ width, height });
  });
});

describe('an image far smaller than usual is not delivered', () => {
  it.each<[AspectRatio, number, number]>([
    ['1:1', 1, 1],
    ['1:1', 511, 511],
    ['16:9', 671, 384],
    ['16:9', 672, 383],
  ])('%s: %i x %i', async (ratio, width, height) => {
    const png = await createPng(width, height);
    expect(() => checkImage([png], model, ratio)).toThrow(unusable(/only/));
  });

  it('but half of the usual size is', async () => {
    const png = await createPng(672, 384);
    expect(checkImage([png], model, '16:9')).toMatchObject({ width: 672, height: 384 });
  });
});

describe('a broken image is not delivered', () => {
  it.each(['image/png', 'image/jpeg', 'image/webp'] as const)('%s that is cut off', async (mimeType) => {
    const bytes = await createBlankPicture({ width: 1024, height: 1024, mimeType });
    expect(checkImage([bytes], model, '1:1')).toMatchObject({ mimeType });
    expect(() => checkImage([bytes.subarray(0, -1)], model, '1:1')).toThrow(unusable(/broken/));
  });

  it('nor a file that is not an image', () => {
    expect(() => checkImage([Buffer.from('text')], model, '1:1')).toThrow(unusable(/not an image/));
  });

  it('nor an empty one', () => {
    for (const chunks of [[Buffer.alloc(0)], []]) {
      expect(() => checkImage(chunks, model, '1:1')).toThrow(unusable(/not an image/));
    }
  });
});

it('finds whether the file has content credentials', async () => {
  const png = await createPng(1024, 1024);
  const manifest = Buffer.from([0, 0, 0, 0, ...Buffer.from('caBX'), 0, 0, 0, 0]);
  manifest.writeUInt32BE(crc32('caBX'), 8);
  const signed = Buffer.concat([png.subarray(0, 33), manifest, png.subarray(33)]);
  const { sizes } = imageModel('gemini-2.5-flash-image');
  const found = [png, signed].map((bytes) => checkImage([bytes], { sizes }, '1:1').contentCredentials);
  expect(found).toEqual(['absent', 'present']);
});
