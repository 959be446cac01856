/**
 * The catalogue of image models: sizes, cost and end of life of each.
 * Image sizes depend on the aspect ratio and the model.
 * Source: Google's model, pricing and deprecation pages as of November 2026. Token prices marked "unverified" are from
 * resellers' and third parties' price lists of the same month.
 */
import { type Orientation, type Tier, tiers } from '../contract/tiers.ts';

const tenRatios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'] as const;
export type AspectRatio = (typeof tenRatios)[number];

type Size = readonly [width: number, height: number];
type Sizes = Record<AspectRatio, Size>;

const sizes25: Sizes = {
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
};

const sizes3: Sizes = {
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
};

/** Prices of a model's tokens: dollars per million tokens, so micro-dollars per token. */
export type TokenPrices = {
  /** Text and images of the request. */
  input: number;
  /** Text of the reply, and thinking. */
  text: number;
  /** Images of the reply. */
  image: number;
};

/** Every model generates images in the same ten aspect ratios. */
export type ImageModel = {
  id: string;
  /** Width and height at the default resolution, pixels, by aspect ratio. */
  sizes: Sizes;
  /** The `imageSize` to request, if the model accepts one. */
  imageSize?: '1K';
  referenceImagesMax: number;
  /** Cost of one image at 1K, micro-dollars. */
  costMicros: number;
  /** For what is billed by the token: thinking, and replies without an image. */
  tokenMicros: TokenPrices;
  status: 'available' | 'deprecated' | 'retired';
  /** First day on which the model may be retired. */
  retiresOn?: string;
  successor?: string;
};

export const imageModels: readonly ImageModel[] = [
  {
    id: 'gemini-2.5-flash-image',
    sizes: sizes25,
    referenceImagesMax: 3,
    costMicros: 39_000,
    // Google's price list, 2026-10-12.
    tokenMicros: { input: 0.3, text: 2.5, image: 30 },
    status: 'deprecated',
    retiresOn: '2026-10-02',
    successor: 'gemini-nano-banana-2.1',
  },
  {
    id: 'gemini-nano-banana-2.1',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 33_600,
    // Unverified: LiteLLM's price list, 2026-11. An image has 1120 tokens at 1K, which is $0.0336.
    tokenMicros: { input: 1.5, text: 7.5, image: 30 },
    status: 'available',
  },
  {
    id: 'gemini-3.1-flash-lite-image',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 34_000,
    // Unverified: the prices of gemini-3.1-flash-lite, and $30 for images, 2026-11.
    tokenMicros: { input: 0.25, text: 1.5, image: 30 },
    status: 'available',
  },
  {
    id: 'gemini-3.1-flash-image',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 67_000,
    // Unverified, 2026-11. An image has 1120 tokens, which is $0.067.
    tokenMicros: { input: 0.5, text: 3, image: 60 },
    status: 'retired',
    retiresOn: '2026-10-29',
    successor: 'gemini-nano-banana-2.1',
  },
  {
    id: 'gemini-3-pro-image',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 134_000,
    // Unverified, 2026-11. An image has 1120 tokens, which is $0.134.
    tokenMicros: { input: 2, text: 12, image: 120 },
    status: 'available',
  },
];

/** The tokens of an image at 1K. Prices an unknown model's image tokens from the configured cost of its images. */
const imageTokens = 1_120;

/**
 * The successor of the models that Google retired or may retire: of Imagen, since 2026-08-17, and of the default. A
 * deployment calls it first unless its settings name another model.
 */
export const successorModelId = 'gemini-nano-banana-2.1';

/** The first model if the environment names none. */
export const modelIdDefault = 'gemini-2.5-flash-image';

/** The models to fall back to, in order, if the environment names none. */
export const fallbackModelIdsDefault = ['gemini-nano-banana-2.1', 'gemini-3.1-flash-lite-image'];

export const isKnownModel = (id: string) => imageModels.some((model) => model.id === id);

/**
 * The model with this id. An unknown model is assumed to behave like the newest family.
 * @param costMicros what one image of an unknown model costs, micro-dollars, as configured.
 */
export function imageModel(id: string, costMicros = 0): ImageModel {
  const model = imageModels.find((each) => each.id === id);
  if (model) return model;
  return {
    id,
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 3,
    costMicros,
    // Text at the highest price of the newest family.
    tokenMicros: { input: 1.5, text: 7.5, image: costMicros / imageTokens },
    status: 'available',
  };
}

/** How long before a model may be retired its operator is warned, days. */
const warningDays = 30;
const dayMs = 86_400_000;

/** Warnings about models that are retired or soon may be, with their successors. */
export function modelWarnings(ids: readonly string[], now: Date): string[] {
  return ids.flatMap((id) => {
    const { status, retiresOn, successor } = imageModel(id);
    const use = successor ? `; use ${successor}` : '';
    if (status === 'retired')
      return [`${id} has been retired${retiresOn ? ` since ${retiresOn}` : ''}${use}`];
    if (!retiresOn) return [];
    const days = Math.ceil((Date.parse(retiresOn) - now.getTime()) / dayMs);
    if (days > warningDays) return [];
    return [
      days > 0
        ? `${id} may be retired from ${retiresOn} on${use}`
        : `${id} may have been retired on ${retiresOn}${use}`,
    ];
  });
}

/** The aspect ratio of a tier's images. */
export function getAspectRatio(tier: Tier, orientation: Orientation): AspectRatio {
  return tiers[tier].aspectRatio[orientation];
}
