import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../local/fakes/png.ts';
import { sniffImage } from '../../../shared/images/imageFormat.ts';
import { fc } from '../../support/properties.ts';

const canvas = createCanvas(40, 30);
const png = await encodePng(new Uint8Array(40 * 30 * 4), 40, 30);
const jpeg = await canvas.encode('jpeg');
const webp = await canvas.encode('webp');
const avif = await canvas.encode('avif');
/** Lossy, lossless and extended WebP have different headers. The canvas writes only one of them. */
const createWebp = (kind: string, header: number[]) =>
  Buffer.concat([Buffer.from(`RIFF\0\0\0\0WEBP${kind}`, 'latin1'), Buffer.from([10, 0, 0, 0, ...header])]);
const webpExtended = createWebp('VP8X', [0, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><script/></svg>');
const bmp = Buffer.from(`424d${'00'.repeat(16)}280000001e000000${'00'.repeat(32)}`, 'hex');
const ico = Buffer.from(`00000100010028${'1e'}${'00'.repeat(32)}`, 'hex');

describe('a supported image', () => {
  it.each([
    ['PNG', png, 'image/png'],
    ['JPEG', jpeg, 'image/jpeg'],
    ['WebP', webp, 'image/webp'],
    ['extended WebP', webpExtended, 'image/webp'],
  ])('%s is detected with its size', (_, bytes, mimeType) => {
    expect(sniffImage(bytes)).toEqual({ mimeType, width: 40, height: 30 });
    expect(sniffImage(new Uint8Array(bytes))).toEqual({ mimeType, width: 40, height: 30 });
  });

  it('is detected even if a JPEG has almost a megabyte of metadata before its size', () => {
    const segment = Buffer.concat([Buffer.from('ffe2ffff', 'hex'), Buffer.alloc(65_533)]);
    const padded = Buffer.concat([jpeg.subarray(0, 2), ...Array(15).fill(segment), jpeg.subarray(2)]);
    expect(sniffImage(padded)).toEqual({ mimeType: 'image/jpeg', width: 40, height: 30 });
  });

  it('is detected at any offset in its buffer', () => {
    const within = Buffer.concat([Buffer.alloc(7, 0xff), png]).subarray(7);
    expect(sniffImage(within)).toEqual({ mimeType: 'image/png', width: 40, height: 30 });
  });
});

describe('anything else is refused', () => {
  it.each([
    ['GIF', gif],
    ['SVG', svg],
    ['AVIF', avif],
    ['BMP', bmp],
    ['ICO', ico],
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from([0x89])],
    ['text', Buffer.from('this is not an image')],
    ['HTML', Buffer.from('<!DOCTYPE html><html><body>502</body></html>')],
    ['JSON', Buffer.from('{"image":"none"}')],
    ['zeros', Buffer.alloc(1_000)],
    ['PNG signature alone', png.subarray(0, 8)],
    ['PNG cut within its header', png.subarray(0, 20)],
    ['JPEG start alone', jpeg.subarray(0, 2)],
    ['JPEG cut before its size', jpeg.subarray(0, 30)],
    ['WebP cut within its header', webp.subarray(0, 14)],
    ['RIFF that is not WebP', Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(50)])],
    ['PNG without width', Buffer.concat([png.subarray(0, 16), Buffer.alloc(4), png.subarray(20)])],
    ['PNG without height', Buffer.concat([png.subarray(0, 20), Buffer.alloc(4), png.subarray(24)])],
    ['PNG after a space', Buffer.concat([Buffer.from(' '), png])],
  ])('%s', (_, bytes) => {
    expect(sniffImage(bytes)).toBeUndefined();
  });
});

describe('any bytes', () => {
  const facts = (bytes: Uint8Array) => {
    const image = sniffImage(bytes);
    if (image === undefined) return;
    expect(['image/png', 'image/jpeg', 'image/webp']).toContain(image.mimeType);
    expect(Number.isInteger(image.width) && image.width > 0).toBe(true);
    expect(Number.isInteger(image.height) && image.height > 0).toBe(true);
  };

  it('are a valid image or none, and never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), facts), { numRuns: 1_000 });
  });

  it('never throw after the start of a real image', () => {
    const beginnings = [png, jpeg, webp, webpExtended, gif, svg, avif, bmp, ico, Buffer.from('II*\0')];
    const bytes = fc
      .tuple(fc.constantFrom(...beginnings), fc.nat({ max: 64 }), fc.uint8Array({ maxLength: 300 }))
      .map(([start, kept, tail]) => Buffer.concat([start.subarray(0, kept), tail]));
    fc.assert(fc.property(bytes, facts), { numRuns: 1_000 });
  });

  it('never throw for a real image with one wrong byte, cut anywhere', () => {
    const spoiled = fc
      .tuple(fc.constantFrom(png, jpeg, webp, webpExtended), fc.nat(), fc.nat({ max: 255 }), fc.nat())
      .map(([image, at, byte, length]) => {
        const bytes = Buffer.from(image);
        bytes[at % Math.min(bytes.length, 64)] = byte;
        return bytes.subarray(0, length % (bytes.length + 1));
      });
    fc.assert(fc.property(spoiled, facts), { numRuns: 1_000 });
  });
});
