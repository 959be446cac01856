/**
 * The image models we know: what each paints, what it costs, how long it lives.
 * Sizes belong to (aspect ratio, model), so whoever needs pixels asks here.
 * Source: Google's model, pricing and deprecation pages as of November 2026.
 */
import { type Orientation, type Tier, tiers } from '../contract.ts';

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

/** What a model is asked to paint; only ever in one of the ten ratios that all models have. */
export type ImageModel = {
  id: string;
  /** Pixels at its default resolution, by aspect ratio. */
  sizes: Sizes;
  /** Whether it takes `imageSize`; where it does we ask for 1K. */
  imageSize?: '1K';
  referenceImagesMax: number;
  /** Micro-dollars for one image at 1K. */
  costMicros: number;
  status: 'available' | 'deprecated' | 'retired';
  /** First day on which it may be gone. */
  retiresOn?: string;
  successor?: string;
};

const catalogue: readonly ImageModel[] = [
  {
    id: 'gemini-2.5-flash-image',
    sizes: sizes25,
    referenceImagesMax: 3,
    costMicros: 39_000,
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
    status: 'available',
  },
  {
    id: 'gemini-3.1-flash-lite-image',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 34_000,
    status: 'available',
  },
  {
    id: 'gemini-3.1-flash-image',
    sizes: sizes3,
    imageSize: '1K',
    referenceImagesMax: 14,
    costMicros: 67_000,
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
    status: 'available',
  },
];

/** Imagen models are gone from the API since 2026-08-17; configuring one is refused with its successor's name. */
export const imagenSuccessor = 'gemini-nano-banana-2.1';

/** Asked first where the environment names no model. */
export const modelIdDefault = 'gemini-2.5-flash-image';

/** Painted with, in this order, where the configured model cannot. */
export const fallbackModelIdsDefault = ['gemini-nano-banana-2.1', 'gemini-3.1-flash-lite-image'];

export const isKnownModel = (id: string) => catalogue.some((model) => model.id === id);

/**
 * The model of this id. One we do not know is taken to behave like the newest family.
 * @param costMicros what one image of an unknown model costs, micro-dollars, as the operator says.
 */
export function imageModel(id: string, costMicros = 0): ImageModel {
  const known = catalogue.find((model) => model.id === id);
  return (
    known ?? { id, sizes: sizes3, imageSize: '1K', referenceImagesMax: 3, costMicros, status: 'available' }
  );
}

/** Days before a model's last that its operator is told. */
const warningDays = 30;
const dayMs = 86_400_000;

/** What an operator should know of the configured models: which are gone or soon will be, and what to use. */
export function modelWarnings(ids: readonly string[], now: Date): string[] {
  return ids.flatMap((id) => {
    const { status, retiresOn, successor } = imageModel(id);
    const use = successor ? `; use ${successor}` : '';
    if (status === 'retired') return [`${id} is retired since ${retiresOn ?? 'long ago'}${use}`];
    if (!retiresOn) return [];
    const days = Math.ceil((Date.parse(retiresOn) - now.getTime()) / dayMs);
    if (days > warningDays) return [];
    return [
      days > 0
        ? `${id} may be retired from ${retiresOn} on${use}`
        : `${id} may be gone since ${retiresOn}${use}`,
    ];
  });
}

/** The aspect ratio a tier is painted in. */
export function getAspectRatio(tier: Tier, orientation: Orientation): AspectRatio {
  return tiers[tier].aspectRatio[orientation];
}
