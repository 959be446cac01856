/** How the images of a request share the bytes that one request of the model can carry. */
import { expect, it } from 'vitest';
import {
  getSentBytesMax,
  listImages,
  planSizes,
  type Source,
  type Sources,
} from '../../../shared/generation/sources.ts';

const megabyte = 1_000_000;
const letters = (bytes: number) => 'A'.repeat((bytes / 3) * 4);
const inline = (bytes: number) => ({ mimeType: 'image/png' as const, data: letters(bytes) });

/**
 * The plan for images of the gallery with these sizes, megabytes, and for the bytes of one in the request.
 * @param sentBytesMax of one image.
 */
function plan(sizes: readonly number[], inlineBytes = 0, sentBytesMax?: number) {
  const sources: Sources = new Map(
    sizes.map((size, i) => [String(i), { image: { bytes: size * megabyte } } as Source]),
  );
  const images = [
    ...sizes.map((_, i) => ({ generationId: String(i) })),
    ...(inlineBytes > 0 ? [inline(inlineBytes)] : []),
  ];
  const { smaller, smallerBytesMax, bytesLeft } = planSizes(images, sources, sentBytesMax);
  return { smaller: [...smaller].sort(), megabytes: smallerBytesMax / megabyte, fits: bytesLeft >= 0 };
}

it.each([
  [[14], []],
  [[14.1], [0]],
  [[25], [0]],
  [[5, 5, 4], []],
  [[5, 5, 4.1], [1]],
  // The edited image stays whole as long as it can. Then the smallest ones do.
  [[8, 3, 7, 2], [2]],
  [[13, 0.5, 0.5], []],
  [[13, 2, 2], [0]],
  [Array(14).fill(25), [...Array(14).keys()]],
])('of the sizes %j MB, the images at %j are sent smaller', (sizes, smaller) => {
  expect(plan(sizes).smaller).toEqual([...smaller].sort());
  expect(plan(sizes).fits).toBe(true);
});

it.each([
  [[25], 14],
  [[25, 4], 10],
  [[25, 25], 7],
  [Array(14).fill(25), 1],
])('of the sizes %j MB, the smaller ones may have %d MB each', (sizes, megabytes) => {
  expect(plan(sizes).megabytes).toBeCloseTo(megabytes);
});

it.each([
  [[7], []],
  [[7.1], [0]],
  [[8, 3, 2], [0]],
  [
    [25, 25],
    [0, 1],
  ],
])('on Vertex AI no image has more than 7 MB: of %j MB, those at %j are sent smaller', (sizes, smaller) => {
  const bytesMax = getSentBytesMax({ gemini: { vertexAi: true } });
  const planned = plan(sizes, 0, bytesMax);
  expect(planned.smaller).toEqual(smaller);
  expect(planned.megabytes).toBeLessThanOrEqual(7);
  expect(getSentBytesMax({ gemini: { vertexAi: false } })).toBe(14 * megabyte);
});

it('leaves 1 MB for each image of the gallery beside those of the request', () => {
  expect(plan([25, 25], 12 * megabyte)).toEqual({ smaller: [0, 1], megabytes: 1, fits: true });
  expect(plan([25, 25], 12 * megabyte + 3).fits).toBe(false);
  expect(plan([], 14 * megabyte).fits).toBe(true);
  expect(plan([], 14 * megabyte + 1).fits).toBe(false);
});

it('lists the edited image before the references', () => {
  const references = [inline(3), { generationId: 'b' }];
  const request = { prompt: 'A banana', tier: 'standard', references } as never;
  expect(listImages(request)).toEqual(references);
  expect(listImages({ ...(request as object), editOf: 'a' } as never)).toEqual([
    { generationId: 'a' },
    ...references,
  ]);
});
