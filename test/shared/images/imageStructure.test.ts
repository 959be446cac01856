/** Images are checked to their end: what is cut off anywhere, or broken in its structure, is not whole. */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../local/fakes/png.ts';
import { sniffImage, sniffOtherFormat } from '../../../shared/images/imageFormat.ts';
import { inspectImage, isWholeImage } from '../../../shared/images/imageStructure.ts';
import { fc } from '../../support/properties.ts';

const canvas = createCanvas(64, 48);
canvas.getContext('2d').putImageData(
  (() => {
    const pixels = canvas.getContext('2d').createImageData(64, 48);
    pixels.data.set(randomBytes(64 * 48 * 4));
    return pixels;
  })(),
  0,
  0,
);
const images = {
  'image/png': await encodePng(randomBytes(64 * 48 * 4), 64, 48),
  'image/jpeg': await canvas.encode('jpeg'),
  'image/webp': await canvas.encode('webp'),
} as const;
type MimeType = keyof typeof images;
const mimeTypes = Object.keys(images) as MimeType[];

/** The bytes in chunks of `size`. */
const split = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
const isWhole = (mimeType: MimeType, bytes: Uint8Array) => isWholeImage(mimeType, [bytes]);

const pngChunk = (type: string, data = Buffer.alloc(0)) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
};
const pngStart = images['image/png'].subarray(0, 33);
const jpegSegment = (marker: number, length = 2) => {
  const segment = Buffer.alloc(2 + length);
  segment.set([0xff, marker, length >> 8, length & 0xff]);
  return segment;
};
const jpegStart = Buffer.from([0xff, 0xd8]);
const jpegEnd = Buffer.from([0xff, 0xd9]);
const jpegFrame = Buffer.concat([
  Buffer.from([0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 1]),
  Buffer.from([1, 0x11, 0]),
]);

describe.each(mimeTypes)('%s', (mimeType) => {
  const bytes = images[mimeType];

  it('is whole, in chunks of any size', () => {
    for (const size of [1, 2, 3, 7, 64, 1000, bytes.length]) {
      expect(isWholeImage(mimeType, split(bytes, size))).toBe(true);
    }
    expect(isWholeImage(mimeType, [Buffer.alloc(0), bytes, Buffer.alloc(0)])).toBe(true);
  });

  it('is not whole if it is cut off anywhere', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(isWhole(mimeType, bytes.subarray(0, length)), `${length} bytes`).toBe(false);
    }
  });

  it('is a valid size of header even if the rest is missing', () => {
    expect(sniffImage(bytes.subarray(0, bytes.length - 1))).toEqual({ mimeType, width: 64, height: 48 });
  });

  it('never throws for any wrong bytes, in any chunks', () => {
    const spoiled = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 20 }), fc.integer({ min: 1, max: 500 }));
    fc.assert(
      fc.property(spoiled, ([at, wrong, size]) => {
        const copy = Buffer.from(bytes);
        copy.set(wrong.subarray(0, copy.length - (at % copy.length)), at % copy.length);
        const whole = isWhole(mimeType, copy);
        expect(isWholeImage(mimeType, split(copy, size))).toBe(whole);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a PNG', () => {
  const pixels = pngChunk('IDAT', Buffer.alloc(10));
  const overwritten = Buffer.from(pixels).fill(1, 10, 12);
  it.each<[string, Buffer[], boolean]>([
    ['with bytes after its end', [images['image/png'], Buffer.alloc(99, 0xff)], true],
    ['with two chunks of pixels', [pngStart, pixels, pixels, pngChunk('IEND')], true],
    ['with unknown chunks', [pngStart, pngChunk('caBX', Buffer.alloc(5)), pixels, pngChunk('IEND')], true],
    ['without pixels', [pngStart, pngChunk('IEND')], false],
    ['with pixels that were overwritten', [pngStart, overwritten, pngChunk('IEND')], false],
    ['with empty pixels', [pngStart, pngChunk('IDAT'), pngChunk('IEND')], false],
    ['with bytes in its end', [pngStart, pixels, pngChunk('IEND', Buffer.alloc(1))], false],
    ['without a header', [pngStart.subarray(0, 8), pixels, pngChunk('IEND')], false],
    ['with a chunk longer than the file', [pngStart, Buffer.from('ffffffff', 'hex'), pixels], false],
  ])('%s', (_, parts, whole) => {
    expect(isWhole('image/png', Buffer.concat(parts))).toBe(whole);
  });
});

describe('a JPEG', () => {
  const scan = Buffer.concat([jpegSegment(0xda), Buffer.from([1, 0xff, 0, 2, 0xff, 0xd3, 3])]);
  const thumbnail = Buffer.concat([jpegStart, jpegFrame, scan, jpegEnd]);
  const metadata = Buffer.concat([jpegSegment(0xe1, 2 + thumbnail.length).subarray(0, 4), thumbnail]);
  it.each<[string, Buffer[], boolean]>([
    ['with one scan', [jpegStart, jpegFrame, scan, jpegEnd], true],
    ['with several scans', [jpegStart, jpegFrame, scan, jpegSegment(0xc4), scan, jpegEnd], true],
    ['with bytes after its end', [jpegStart, jpegFrame, scan, jpegEnd, Buffer.from('trailer')], true],
    [
      'with 0xFF to fill up before a marker',
      [jpegStart, Buffer.from('ffff', 'hex'), jpegFrame, scan, jpegEnd],
      true,
    ],
    ['without an end', [jpegStart, jpegFrame, scan], false],
    ['without an end, after a whole thumbnail', [jpegStart, metadata, jpegFrame, scan], false],
    ['without a scan', [jpegStart, jpegFrame, jpegEnd], false],
    ['without a frame', [jpegStart, scan, jpegEnd], false],
    [
      'with a segment longer than the file',
      [jpegStart, Buffer.from('ffe0ffff', 'hex'), jpegFrame, scan, jpegEnd],
      false,
    ],
    [
      'with a segment of length 1',
      [jpegStart, jpegFrame, Buffer.from('ffe00001', 'hex'), scan, jpegEnd],
      false,
    ],
  ])('%s', (_, parts, whole) => {
    expect(isWhole('image/jpeg', Buffer.concat(parts))).toBe(whole);
  });
});

describe('a WebP', () => {
  const webp = images['image/webp'];
  const withSize = (change: number) => {
    const copy = Buffer.from(webp);
    copy.writeUInt32LE(copy.readUInt32LE(4) + change, 4);
    return copy;
  };
  it.each<[string, Buffer, boolean]>([
    ['that says it is longer', withSize(2), false],
    ['that says it is shorter', withSize(-2), false],
    ['with bytes after its end', Buffer.concat([webp, Buffer.alloc(10)]), true],
    ['without pixels', Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'), false],
  ])('%s', (_, bytes, whole) => {
    expect(isWhole('image/webp', bytes)).toBe(whole);
  });
});

describe('content credentials', () => {
  const box = (type: string, ...parts: (Buffer | string)[]) => {
    const body = Buffer.concat([Buffer.from(type), ...parts.map((part) => Buffer.from(part as string))]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(4 + body.length);
    return Buffer.concat([length, body]);
  };
  /** A JUMBF superbox whose description names this type. */
  const superbox = (type: string) => box('jumb', box('jumd', type, Buffer.alloc(12), Buffer.from([3])));
  const app11 = (identifier: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(identifier), Buffer.from([0, 1, 0, 0, 0, 1]), content]);
    return Buffer.concat([jpegSegment(0xeb, 2 + body.length).subarray(0, 4), body]);
  };
  const { 'image/png': png, 'image/jpeg': jpeg, 'image/webp': webp } = images;
  const withChunk = (chunk: Buffer) => Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
  const withSegment = (segment: Buffer) => Buffer.concat([jpegStart, segment, jpeg.subarray(2)]);
  const withWebpChunk = (type: string) => {
    const all = Buffer.concat([webp, Buffer.from(type), Buffer.from([4, 0, 0, 0]), Buffer.alloc(4)]);
    all.writeUInt32LE(all.length - 8, 4);
    return all;
  };

  it.each<[string, MimeType, Buffer, boolean]>([
    ['a PNG without any', 'image/png', png, false],
    ['a PNG with a manifest', 'image/png', withChunk(pngChunk('caBX', superbox('c2pa'))), true],
    ['a PNG with another chunk', 'image/png', withChunk(pngChunk('eXIf', superbox('c2pa'))), false],
    ['a JPEG without any', 'image/jpeg', jpeg, false],
    ['a JPEG with a manifest', 'image/jpeg', withSegment(app11('JP', superbox('c2pa'))), true],
    ['a JPEG with another JUMBF box', 'image/jpeg', withSegment(app11('JP', superbox('json'))), false],
    ['a JPEG with another APP11 segment', 'image/jpeg', withSegment(app11('XX', superbox('c2pa'))), false],
    ['a JPEG with a short APP11 segment', 'image/jpeg', withSegment(app11('JP', Buffer.alloc(3))), false],
    ['a WebP without any', 'image/webp', webp, false],
    ['a WebP with a manifest', 'image/webp', withWebpChunk('C2PA'), true],
    ['a WebP with another chunk', 'image/webp', withWebpChunk('XMP '), false],
  ])('%s', (_, mimeType, bytes, hasContentCredentials) => {
    expect(inspectImage(mimeType, [bytes])).toEqual({ isWhole: true, hasContentCredentials });
    // In chunks, too, which no manifest fits into.
    expect(inspectImage(mimeType, split(bytes, 7))).toEqual({ isWhole: true, hasContentCredentials });
  });
});

describe('bytes that are meant to take long', () => {
  const million = 1_048_576;
  it.each<[string, MimeType, Buffer]>([
    [
      'a JPEG of empty segments',
      'image/jpeg',
      Buffer.concat([jpegStart, ...Array(262_000).fill(jpegSegment(0xe0))]),
    ],
    ['a JPEG of fill bytes', 'image/jpeg', Buffer.concat([jpegStart, Buffer.alloc(14 * million, 0xff)])],
    ['a JPEG of zeros', 'image/jpeg', Buffer.concat([jpegStart, Buffer.alloc(14 * million)])],
    [
      'a scan of escaped bytes',
      'image/jpeg',
      Buffer.concat([jpegStart, jpegFrame, jpegSegment(0xda), Buffer.alloc(14 * million, 'ff00', 'hex')]),
    ],
    [
      'a PNG of empty chunks',
      'image/png',
      Buffer.concat([pngStart, ...Array(262_000).fill(pngChunk('tEXt'))]),
    ],
  ])('%s: less than half a second', (_, mimeType, bytes) => {
    // Time of the processor, which other programs do not change.
    const startedAt = process.cpuUsage();
    sniffImage(bytes);
    expect(isWholeImage(mimeType, split(bytes, million))).toBe(false);
    expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(500);
  });
});

it.each<[MimeType, number, Buffer]>([
  ['image/jpeg', 2, jpegSegment(0xe0)],
  ['image/png', 33, pngChunk('tEXt')],
])(
  'an image of more sections than any program writes is not read to its end: %s',
  (mimeType, at, section) => {
    const image = images[mimeType];
    const withSections = (count: number) =>
      Buffer.concat([image.subarray(0, at), ...Array(count).fill(section), image.subarray(at)]);
    expect([10_000, 20_000].map((count) => isWhole(mimeType, withSections(count)))).toEqual([true, false]);
  },
);

describe('a format that no model is sent', () => {
  const file = (brand: string) => Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1heic`, 'latin1');
  it.each(['heic', 'heix', 'hevc', 'mif1', 'msf1'])('is HEIC by its brand %s', (brand) => {
    expect(sniffOtherFormat(file(brand))).toBe('HEIC');
  });
  it.each(['avif', 'avis'])('is AVIF by its brand %s', (brand) => {
    expect(sniffOtherFormat(file(brand))).toBe('AVIF');
  });
  it('is not any other file', () => {
    for (const bytes of [file('isom'), ...Object.values(images), Buffer.alloc(0)]) {
      expect(sniffOtherFormat(bytes)).toBeUndefined();
    }
  });
});
