/**
 * The Gemini models that the fake knows, as Google documents them. This list is deliberately separate from the
 * product's catalogue, so that the fake refuses a mistake in the catalogue.
 */
export type ImageModel = {
  kind: 'image';
  ratios: readonly string[];
  /** Allowed `imageSize` values; empty if the size is fixed and the field is refused. */
  sizes: readonly string[];
  referencesMax: number;
  mimeType: 'image/png' | 'image/jpeg';
  /** `candidatesTokenCount` of one image, by size. A fixed size uses '1K'. */
  tokens: Readonly<Record<string, number>>;
  /** Pixels at 1K, by ratio. */
  pixels: Readonly<Record<string, readonly [width: number, height: number]>>;
};
/** How a request limits the model's thinking: by a budget of tokens, or by a level. The other one is refused. */
export type TextModel = { kind: 'text'; thinking: 'budget' | 'level' };

const flash25Pixels = {
  '1:1': [1024, 1024],
  '2:3': [832, 1248],
  '3:2': [1248, 832],
  '3:4': [864, 1184],
  '4:3': [1184, 864],
  '4:5': [896, 1152],
  '5:4': [1152, 896],
  '9:16': [768, 1344],
  '16:9': [1344, 768],
  '21:9': [1536, 672],
} as const;
const gemini3Pixels = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
} as const;
/** Adds four extreme ratios. Google does not document their pixels; these have about one megapixel. */
const gemini3WidePixels = {
  ...gemini3Pixels,
  '1:4': [512, 2048],
  '4:1': [2048, 512],
  '1:8': [352, 2816],
  '8:1': [2816, 352],
} as const;
const wideRatios = Object.keys(gemini3WidePixels);

export const geminiModels: Readonly<Record<string, ImageModel | TextModel>> = {
  'gemini-2.5-flash-image': {
    kind: 'image',
    ratios: Object.keys(flash25Pixels),
    sizes: [],
    referencesMax: 3,
    mimeType: 'image/png',
    tokens: { '1K': 1290 },
    pixels: flash25Pixels,
  },
  'gemini-nano-banana-2.1': {
    kind: 'image',
    ratios: wideRatios,
    sizes: ['1K', '2K', '4K'],
    referencesMax: 14,
    mimeType: 'image/jpeg',
    tokens: { '1K': 1120, '2K': 1680, '4K': 3780 },
    pixels: gemini3WidePixels,
  },
  'gemini-3.1-flash-lite-image': {
    kind: 'image',
    ratios: wideRatios,
    sizes: ['1K'],
    referencesMax: 14,
    mimeType: 'image/jpeg',
    tokens: { '1K': 1120 },
    pixels: gemini3WidePixels,
  },
  'gemini-3.1-flash-image': {
    kind: 'image',
    ratios: wideRatios,
    sizes: ['512', '1K', '2K', '4K'],
    referencesMax: 14,
    mimeType: 'image/jpeg',
    tokens: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 },
    pixels: gemini3WidePixels,
  },
  'gemini-3-pro-image': {
    kind: 'image',
    ratios: Object.keys(gemini3Pixels),
    sizes: ['1K', '2K', '4K'],
    referencesMax: 14,
    mimeType: 'image/jpeg',
    tokens: { '1K': 1120, '2K': 1120, '4K': 2000 },
    pixels: gemini3Pixels,
  },
  'gemini-3.5-flash-lite': { kind: 'text', thinking: 'level' },
  'gemini-2.5-flash': { kind: 'text', thinking: 'budget' },
};

/** Models that Google has shut down, which old configurations may still name. */
export const retiredModels: readonly RegExp[] = [/^imagen-/, /^gemini-2\.5-flash-image-preview$/];

const sizeScale: Readonly<Record<string, number>> = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 };

/** The size in pixels of an image, for a valid ratio (default 1:1) and size (default 1K). */
export function getPixels(model: ImageModel, ratio = '1:1', size = '1K'): { width: number; height: number } {
  const [width, height] = model.pixels[ratio] ?? [1024, 1024];
  const scale = sizeScale[size] ?? 1;
  return { width: width * scale, height: height * scale };
}
