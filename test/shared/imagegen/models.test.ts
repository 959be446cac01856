/** Compares the catalogue with Google's pages, which are repeated here in another form. */
import { describe, expect, it } from 'vitest';
import { aspectRatios, type Resolution, resolutions } from '../../../shared/contract.ts';
import { fallbackModelIdsDefault } from '../../../shared/imagegen/modelOrder.ts';
import {
  getImageSize,
  hasResolution,
  imageModel,
  isKnownModel,
  modelWarnings,
  promptModelIdDefault,
} from '../../../shared/imagegen/models.ts';

const pixels25 = '1024x1024 832x1248 1248x832 864x1184 1184x864 896x1152 1152x896 768x1344 1344x768 1536x672';
const pixels3 = '1024x1024 848x1264 1264x848 896x1200 1200x896 928x1152 1152x928 768x1376 1376x768 1584x672';

const facts: [id: string, dollars: number[], takesImageSize: boolean, references: number, pixels: string][] =
  [
    ['gemini-2.5-flash-image', [0.039], false, 3, pixels25],
    ['gemini-nano-banana-2.1', [0.0336, 0.0504, 0.1134], true, 14, pixels3],
    ['gemini-3.1-flash-lite-image', [0.034], true, 14, pixels3],
    ['gemini-3.1-flash-image', [0.067, 0.101, 0.151], true, 14, pixels3],
    ['gemini-3-pro-image', [0.134, 0.134, 0.24], true, 14, pixels3],
  ];

describe.each(facts)('%s', (id, dollars, takesImageSize, references, pixels) => {
  const model = imageModel(id);
  const micros = dollars.map((each) => Math.round(each * 1_000_000));

  it('has its list price at each resolution, whatever cost is configured', () => {
    expect(isKnownModel(id)).toBe(true);
    expect(Object.values(model.costMicros)).toEqual(micros);
    expect(resolutions.map((resolution) => hasResolution(model, resolution))).toEqual(
      resolutions.map((_, i) => i < dollars.length),
    );
    expect(imageModel(id, { '1K': 1 }).costMicros).toEqual(model.costMicros);
  });

  it('names the resolution if it has a choice, and takes its most references', () => {
    expect([model.takesImageSize, model.referenceImagesMax]).toEqual([takesImageSize, references]);
  });

  it('has its pixels in the ten aspect ratios, doubled at 2K and four times at 4K', () => {
    const sizes = (resolution: Resolution) =>
      aspectRatios.map((aspectRatio) => getImageSize(model, { aspectRatio, resolution }));
    const at1K = pixels.split(' ').map((size) => size.split('x').map(Number) as [number, number]);
    for (const [resolution, factor] of [
      ['1K', 1],
      ['2K', 2],
      ['4K', 4],
    ] as const) {
      const expected = at1K.map(([width, height]) => ({ width: width * factor, height: height * factor }));
      expect(sizes(resolution)).toEqual(expected);
    }
  });

  it('has no more pixels in any aspect ratio than its resolution, give or take 3 %', () => {
    for (const aspectRatio of aspectRatios) {
      const { width, height } = getImageSize(model, { aspectRatio, resolution: '1K' });
      expect(width * height).toBeLessThan(1024 * 1024 * 1.03);
    }
  });
});

describe('an unknown model', () => {
  it('has the configured cost and the properties of the newest family', () => {
    expect(imageModel('another', { '1K': 50_000 })).toMatchObject({
      id: 'another',
      costMicros: { '1K': 50_000 },
      takesImageSize: true,
      sizes: { '3:2': [1264, 848] },
    });
  });

  it.each(['another', 'toString', '__proto__', '', 'imagen-4.0-fast-generate-001'])('is "%s"', (id) => {
    expect(isKnownModel(id)).toBe(false);
  });
});

describe('warns an operator', () => {
  const warnings = (id: string, day: string) => modelWarnings([id], promptModelIdDefault, new Date(day));

  it.each([
    ['2026-09-01T23:59:59Z', []],
    [
      '2026-09-02T00:00:00Z',
      [
        'gemini-2.5-flash-image may be retired from 2026-10-02 on; set IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
      ],
    ],
    [
      '2026-10-01T23:59:59Z',
      [
        'gemini-2.5-flash-image may be retired from 2026-10-02 on; set IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
      ],
    ],
    [
      '2026-10-02T00:00:00Z',
      [
        'gemini-2.5-flash-image may have been retired on 2026-10-02; set IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
      ],
    ],
    [
      '2027-10-02T00:00:00Z',
      [
        'gemini-2.5-flash-image may have been retired on 2026-10-02; set IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
      ],
    ],
  ])('from 30 days before the end of a model: at %s %j', (day, expected) => {
    expect(warnings('gemini-2.5-flash-image', day)).toEqual(expected);
  });

  it('about a retired model, with its successor', () => {
    expect(warnings('gemini-3.1-flash-image', '2026-11-22')).toEqual([
      'gemini-3.1-flash-image has been retired since 2026-10-29; set IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
    ]);
  });

  it.each([...fallbackModelIdsDefault, 'gemini-3-pro-image', 'another'])('not about %s', (id) => {
    expect(warnings(id, '2026-11-22')).toEqual([]);
  });

  it('about each model in order', () => {
    const ids = ['gemini-3.1-flash-image', 'gemini-3-pro-image', 'gemini-2.5-flash-image'];
    expect(
      modelWarnings(ids, promptModelIdDefault, new Date('2026-11-22')).map((text) => text.split(' ')[0]),
    ).toEqual(['gemini-3.1-flash-image', 'gemini-2.5-flash-image']);
  });
});

describe('names the exact line to change', () => {
  const now = new Date('2026-11-22');
  const lines = (ids: string[], promptModelId = promptModelIdDefault) =>
    modelWarnings(ids, promptModelId, now).map((text) => text.split('; set ')[1]);

  it('for the first model', () => {
    expect(lines(['gemini-2.5-flash-image', ...fallbackModelIdsDefault])).toEqual([
      'IMAGEGEN_MODEL_ID=gemini-nano-banana-2.1',
    ]);
  });

  it('for a fallback: the list with its successor, once', () => {
    const [old, banana, pro] = ['gemini-3.1-flash-image', 'gemini-nano-banana-2.1', 'gemini-3-pro-image'];
    expect(lines([pro, old])).toEqual([`IMAGEGEN_FALLBACK_MODEL_IDS=${banana}`]);
    expect(lines([pro, old, banana])).toEqual([`IMAGEGEN_FALLBACK_MODEL_IDS=${banana}`]);
    expect(lines([banana, pro, old])).toEqual([`IMAGEGEN_FALLBACK_MODEL_IDS=${pro}`]);
  });

  it('that replaces every model near its end, so that no line brings one back', () => {
    const [old, older] = ['gemini-3.1-flash-image', 'gemini-2.5-flash-image'];
    const [banana, pro] = ['gemini-nano-banana-2.1', 'gemini-3-pro-image'];
    const line = `IMAGEGEN_FALLBACK_MODEL_IDS=${pro}`;
    expect(lines([banana, old, pro, older])).toEqual([line, line]);
    expect(lines([old, older, pro])).toEqual([
      `IMAGEGEN_MODEL_ID=${banana}`,
      `IMAGEGEN_FALLBACK_MODEL_IDS=${banana},${pro}`,
    ]);
  });

  it('for the text model', () => {
    expect(lines(['gemini-3-pro-image'], 'gemini-2.5-flash')).toEqual([
      'PROMPT_MODEL_ID=gemini-3.5-flash-lite',
    ]);
    expect(lines(['gemini-3-pro-image'], 'another')).toEqual([]);
  });
});

it('falls back by default to models that are available', () => {
  expect(fallbackModelIdsDefault.map((id) => imageModel(id).status)).toEqual(['available', 'available']);
});
