/** The image models, and what of each a request needs. Their facts, with sources, are in `modelFacts.ts`. */
import type { GenerateRequest } from '../contract/generate.ts';
import {
  type AspectRatio,
  type Orientation,
  type Resolution,
  resolutions,
  tiers,
} from '../contract/tiers.ts';
import {
  type ImageCosts,
  imageModelFacts,
  type ModelEnd,
  type TokenPrices,
  textModelFacts,
} from './modelFacts.ts';

type Size = { width: number; height: number };

/** Every model generates images in the same ten aspect ratios. */
export type ImageModel = {
  id: string;
  /** What one image costs at each resolution that the model has, micro-dollars. */
  costMicros: ImageCosts;
  /** For what is billed by the token: thinking, and replies without an image. */
  tokenMicros: TokenPrices;
  /** Width and height at 1K, pixels. */
  sizes: Record<AspectRatio, readonly [width: number, height: number]>;
  /** Whether requests name the resolution. */
  takesImageSize: boolean;
  referenceImagesMax: number;
} & ModelEnd;

export const imageModels: readonly ImageModel[] = Object.entries(imageModelFacts).map(([id, facts]) => ({
  id,
  costMicros: facts.costMicros.value,
  tokenMicros: facts.tokenMicros.value,
  sizes: facts.sizes.value,
  takesImageSize: facts.takesImageSize.value,
  referenceImagesMax: facts.referenceImagesMax.value,
  ...facts.end.value,
}));

/** The tokens of an image at 1K. Prices an unknown model's image tokens from the configured cost of its images. */
const imageTokens = 1_120;

/**
 * The successor of the models that Google retired or may retire: of Imagen, since 2026-08-17, and of the default. A
 * deployment calls it first unless its settings name another model.
 */
export const successorModelId = 'gemini-nano-banana-2.1';

/** The text model that improves prompts, if the environment names none. */
export const promptModelIdDefault = 'gemini-3.5-flash-lite';

export const isKnownModel = (id: string) => imageModels.some((model) => model.id === id);

/**
 * The model with this id. An unknown model is assumed to behave like the newest family, at the resolutions that it has a
 * cost for.
 * @param costMicros what one image of an unknown model costs, micro-dollars, as configured.
 */
export function imageModel(id: string, costMicros: ImageCosts = { '1K': 0 }): ImageModel {
  const model = imageModels.find((each) => each.id === id);
  if (model) return model;
  return {
    id,
    costMicros,
    // Text at the highest price of the newest family.
    tokenMicros: { input: 1.5, text: 7.5, image: costMicros['1K'] / imageTokens },
    sizes: (imageModels.find((each) => each.id === successorModelId) as ImageModel).sizes,
    takesImageSize: true,
    referenceImagesMax: 3,
    status: 'available',
  };
}

/** How many times as long the sides are as at 1K. */
const sideFactors = { '1K': 1, '2K': 2, '4K': 4 } as const;

/** Width and height of a model's images, pixels. */
export function getImageSize({ sizes }: Pick<ImageModel, 'sizes'>, shape: ImageShape): Size {
  const [width, height] = sizes[shape.aspectRatio];
  const factor = sideFactors[shape.resolution];
  return { width: width * factor, height: height * factor };
}

/** What one image costs, micro-dollars. At a resolution that the model does not have: its dearest image. */
export const getImageCost = ({ costMicros }: Pick<ImageModel, 'costMicros'>, resolution: Resolution) =>
  costMicros[resolution] ?? Math.max(...Object.values(costMicros));

export const hasResolution = ({ costMicros }: Pick<ImageModel, 'costMicros'>, resolution: Resolution) =>
  costMicros[resolution] !== undefined;

/** The resolutions that any of the models has, smallest first. */
export const getResolutions = (models: readonly ImageModel[]): Resolution[] =>
  resolutions.filter((resolution) => models.some((model) => hasResolution(model, resolution)));

/** True if the model makes images of this resolution, and takes as many reference images. */
export const canGenerate = (model: ImageModel, resolution: Resolution, references: number) =>
  hasResolution(model, resolution) && model.referenceImagesMax >= references;

export type ImageShape = { aspectRatio: AspectRatio; resolution: Resolution };

type ShapeParams = Pick<GenerateRequest, 'tier' | 'orientation' | 'aspectRatio'>;

/** The aspect ratio of a request's image: its own, or the tier's in the orientation. */
export const getAspectRatio = ({ tier, orientation, aspectRatio }: ShapeParams): AspectRatio =>
  aspectRatio ?? tiers[tier].aspectRatio[orientation];

/** The orientation of a request's image. A square one has the requested orientation. */
export function getOrientation(params: ShapeParams): Orientation {
  const [width = 1, height = 1] = getAspectRatio(params).split(':').map(Number);
  if (width === height) return params.orientation;
  return width > height ? 'landscape' : 'portrait';
}

/** How long before a model may be retired its operator is warned, days. */
const warningDays = 30;
const dayMs = 86_400_000;

/**
 * Warnings about models that are retired or soon may be, each with the line of the environment to set. Every line
 * replaces all such models of its variable, so that several warnings name the same one.
 * @param ids the image models, in the order of their calls.
 */
export function modelWarnings(ids: readonly string[], promptModelId: string, now: Date): string[] {
  const [primary, ...fallbacks] = ids;
  const findReplacement = (id: string) => {
    const end = imageModel(id);
    return describeEnd(id, end, now).length > 0 ? (end.successor ?? successorModelId) : id;
  };
  const living = new Set(fallbacks.map(findReplacement).filter((id) => id !== primary));
  const imageWarnings = ids.flatMap((id) =>
    describeEnd(id, imageModel(id), now).map((text) =>
      id === primary
        ? `${text}; set IMAGEGEN_MODEL_ID=${findReplacement(id)}`
        : `${text}; set IMAGEGEN_FALLBACK_MODEL_IDS=${[...living].join(',')}`,
    ),
  );
  const end = Object.hasOwn(textModelFacts, promptModelId) && textModelFacts[promptModelId]?.end.value;
  const promptWarnings = end
    ? describeEnd(promptModelId, end, now).map(
        (text) => `${text}; set PROMPT_MODEL_ID=${end.successor ?? promptModelIdDefault}`,
      )
    : [];
  return [...imageWarnings, ...promptWarnings];
}

/** That a model has ended, or is near its end; nothing otherwise. */
function describeEnd(id: string, { status, retiresOn }: ModelEnd, now: Date): string[] {
  if (status === 'retired') return [`${id} has been retired${retiresOn ? ` since ${retiresOn}` : ''}`];
  if (!retiresOn) return [];
  const days = Math.ceil((Date.parse(retiresOn) - now.getTime()) / dayMs);
  if (days > warningDays) return [];
  return [
    days > 0 ? `${id} may be retired from ${retiresOn} on` : `${id} may have been retired on ${retiresOn}`,
  ];
}
