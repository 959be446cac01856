/** Which images of a model are delivered: whole ones, of about the requested shape, and not far smaller than usual. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBlankPicture } from '../../../local/fakes/blankPicture.ts';
import { type AspectRatio, aspectRatios, resolutions } from '../../../shared/contract.ts';
import { getImageSize, imageModel } from '../../../shared/imagegen/models.ts';
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

const at1K = (aspectRatio: AspectRatio) => ({ aspectRatio, resolution: '1K' as const });

describe('every size in the catalogue is delivered', () => {
  const ids = ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1', 'gemini-3-pro-image'];
  it.each(ids)('%s, at each resolution, and at a lower one that was requested', async (id) => {
    for (const aspectRatio of aspectRatios) {
      for (const [i, resolution] of resolutions.entries()) {
        const size = getImageSize(imageModel(id), { aspectRatio, resolution });
        const png = await createPng(size.width, size.height);
        const facts = { mimeType: 'image/png', ...size, contentCredentials: 'absent' };
        for (const requested of resolutions.slice(0, i + 1)) {
          expect(checkImage([png], imageModel(id), { aspectRatio, resolution: requested })).toEqual(facts);
        }
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
    expect(() => checkImage([png], model, at1K(ratio))).toThrow(unusable(shape));
  });

  it.each([
    [1050, 1000],
    [950, 1000],
  ])('but up to 5 % of difference is: %i x %i', async (width, height) => {
    expect(checkImage([await createPng(width, height)], model, at1K('1:1'))).toMatchObject({ width, height });
  });
});

describe('an image of a lower resolution than requested is not delivered', () => {
  const banana = imageModel('gemini-nano-banana-2.1');
  // Only one side is short, and the shape is within 5 %.
  const rows = resolutions.flatMap((resolution) => {
    const { width, height } = getImageSize(banana, { aspectRatio: '3:2', resolution });
    const [least, more] = [Math.ceil(0.9 * width), Math.ceil(0.93 * width)];
    const [leastHigh, moreHigh] = [Math.ceil(0.9 * height), Math.ceil(0.93 * height)];
    return [
      { resolution, width: more, height: leastHigh - 1, isDelivered: false },
      { resolution, width: least - 1, height: moreHigh, isDelivered: false },
      { resolution, width: least, height: leastHigh, isDelivered: true },
    ];
  });

  it.each(rows)('$resolution: $width x $height, $isDelivered', async (row) => {
    const { resolution, width, height, isDelivered } = row;
    const png = await createPng(width, height);
    const check = () => checkImage([png], banana, { aspectRatio: '3:2', resolution });
    if (isDelivered) return expect(check()).toMatchObject({ width, height });
    const message = new RegExp(`${width} x ${height} pixels, which is not ${resolution}`);
    expect(check).toThrow(unusable(message));
  });

  it.each([
    ['4K', 2048],
    ['4K', 1024],
    ['2K', 1024],
    ['1K', 512],
    ['1K', 1],
  ] as const)('%s: a square of %i pixels', async (resolution, side) => {
    const png = await createPng(side, side);
    const shape = { aspectRatio: '1:1', resolution } as const;
    expect(() => checkImage([png], banana, shape)).toThrow(unusable(/only/));
  });
});

describe('a broken image is not delivered', () => {
  it.each(['image/png', 'image/jpeg', 'image/webp'] as const)('%s that is cut off', async (mimeType) => {
    const bytes = await createBlankPicture({ width: 1024, height: 1024, mimeType });
    expect(checkImage([bytes], model, at1K('1:1'))).toMatchObject({ mimeType });
    expect(() => checkImage([bytes.subarray(0, -1)], model, at1K('1:1'))).toThrow(unusable(/broken/));
  });

  it('nor a file that is not an image', () => {
    expect(() => checkImage([Buffer.from('text')], model, at1K('1:1'))).toThrow(unusable(/not an image/));
  });

  it('nor an empty one', () => {
    for (const chunks of [[Buffer.alloc(0)], []]) {
      expect(() => checkImage(chunks, model, at1K('1:1'))).toThrow(unusable(/not an image/));
    }
  });
});

it('finds whether the file has content credentials', async () => {
  const png = await createPng(1024, 1024);
  const manifest = Buffer.from([0, 0, 0, 0, ...Buffer.from('caBX'), 0, 0, 0, 0]);
  manifest.writeUInt32BE(crc32('caBX'), 8);
  const signed = Buffer.concat([png.subarray(0, 33), manifest, png.subarray(33)]);
  const { sizes } = imageModel('gemini-2.5-flash-image');
  const found = [png, signed].map((bytes) => checkImage([bytes], { sizes }, at1K('1:1')).contentCredentials);
  expect(found).toEqual(['absent', 'present']);
});
