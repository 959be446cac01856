/** Compares the catalogue with Google's pages, which are repeated here in another form. */
import { describe, expect, it } from 'vitest';
import {
  fallbackModelIdsDefault,
  imageModel,
  isKnownModel,
  modelWarnings,
} from '../../../shared/imagegen/models.ts';

const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'] as const;
const pixels25 = '1024x1024 832x1248 1248x832 864x1184 1184x864 896x1152 1152x896 768x1344 1344x768 1536x672';
const pixels3 = '1024x1024 848x1264 1264x848 896x1200 1200x896 928x1152 1152x928 768x1376 1376x768 1584x672';

const facts: [
  id: string,
  dollars: number,
  imageSize: string | undefined,
  references: number,
  pixels: string,
][] = [
  ['gemini-2.5-flash-image', 0.039, undefined, 3, pixels25],
  ['gemini-nano-banana-2.1', 0.0336, '1K', 14, pixels3],
  ['gemini-3.1-flash-lite-image', 0.034, '1K', 14, pixels3],
  ['gemini-3.1-flash-image', 0.067, '1K', 14, pixels3],
  ['gemini-3-pro-image', 0.134, '1K', 14, pixels3],
];

describe.each(facts)('%s', (id, dollars, imageSize, references, pixels) => {
  const model = imageModel(id);

  it('has its list price, whatever cost is configured', () => {
    expect(isKnownModel(id)).toBe(true);
    expect(model.costMicros).toBe(Math.round(dollars * 1_000_000));
    expect(imageModel(id, 1).costMicros).toBe(model.costMicros);
  });

  it('has its image size and its most references', () => {
    expect([model.imageSize, model.referenceImagesMax]).toEqual([imageSize, references]);
  });

  it('has its pixels in the ten aspect ratios', () => {
    expect(Object.keys(model.sizes)).toEqual(ratios);
    expect(ratios.map((ratio) => model.sizes[ratio].join('x')).join(' ')).toBe(pixels);
  });
});

describe('an unknown model', () => {
  it('has the configured cost and the properties of the newest family', () => {
    expect(imageModel('another', 50_000)).toMatchObject({
      id: 'another',
      costMicros: 50_000,
      imageSize: '1K',
      sizes: { '3:2': [1264, 848] },
    });
  });

  it.each(['another', 'toString', '__proto__', '', 'imagen-4.0-fast-generate-001'])('is "%s"', (id) => {
    expect(isKnownModel(id)).toBe(false);
  });
});

describe('warns an operator', () => {
  const warnings = (id: string, day: string) => modelWarnings([id], new Date(day));

  it.each([
    ['2026-09-01T23:59:59Z', []],
    [
      '2026-09-02T00:00:00Z',
      ['gemini-2.5-flash-image may be retired from 2026-10-02 on; use gemini-nano-banana-2.1'],
    ],
    [
      '2026-10-01T23:59:59Z',
      ['gemini-2.5-flash-image may be retired from 2026-10-02 on; use gemini-nano-banana-2.1'],
    ],
    [
      '2026-10-02T00:00:00Z',
      ['gemini-2.5-flash-image may have been retired on 2026-10-02; use gemini-nano-banana-2.1'],
    ],
    [
      '2027-10-02T00:00:00Z',
      ['gemini-2.5-flash-image may have been retired on 2026-10-02; use gemini-nano-banana-2.1'],
    ],
  ])('from 30 days before the end of a model: at %s %j', (day, expected) => {
    expect(warnings('gemini-2.5-flash-image', day)).toEqual(expected);
  });

  it('about a retired model, with its successor', () => {
    expect(warnings('gemini-3.1-flash-image', '2026-11-22')).toEqual([
      'gemini-3.1-flash-image has been retired since 2026-10-29; use gemini-nano-banana-2.1',
    ]);
  });

  it.each([...fallbackModelIdsDefault, 'gemini-3-pro-image', 'another'])('not about %s', (id) => {
    expect(warnings(id, '2026-11-22')).toEqual([]);
  });

  it('about each model in order', () => {
    const ids = ['gemini-3.1-flash-image', 'gemini-3-pro-image', 'gemini-2.5-flash-image'];
    expect(modelWarnings(ids, new Date('2026-11-22')).map((text) => text.split(' ')[0])).toEqual([
      'gemini-3.1-flash-image',
      'gemini-2.5-flash-image',
    ]);
  });
});

it('falls back by default to models that are available', () => {
  expect(fallbackModelIdsDefault.map((id) => imageModel(id).status)).toEqual(['available', 'available']);
});
