/**
 * What is known of the models, each fact with its source and the day of its last check. `npm run models:check` lists the
 * facts that need another look. `models.ts` has the functions that use them.
 */
import type { AspectRatio, Resolution } from '../contract/tiers.ts';

export type Fact<T> = {
  value: T;
  /** A page of Google's if `isConfirmed`, otherwise what the fact rests on. */
  source: string;
  isConfirmed: boolean;
  /** The day of the last check: YYYY-MM-DD. */
  checkedOn: string;
};

type Size = readonly [width: number, height: number];
/** Width and height at 1K, pixels. */
type Sizes = Record<AspectRatio, Size>;

/** What one image costs at each resolution that the model has, micro-dollars. */
export type ImageCosts = { '1K': number } & Partial<Record<Resolution, number>>;

/** Prices of a model's tokens: dollars per million tokens, so micro-dollars per token. */
export type TokenPrices = {
  /** Text and images of the request. */
  input: number;
  /** Text of the reply, and thinking. */
  text: number;
  /** Images of the reply. */
  image: number;
};

export type ModelEnd = {
  status: 'available' | 'deprecated' | 'retired';
  /** First day on which the model may be retired. */
  retiresOn?: string;
  successor?: string;
};

type ImageModelFacts = {
  /** 2K images have sides twice as long, 4K images four times. */
  sizes: Fact<Sizes>;
  /** Whether requests name the resolution. The API refuses that for a model with only one. */
  takesImageSize: Fact<boolean>;
  costMicros: Fact<ImageCosts>;
  tokenMicros: Fact<TokenPrices>;
  referenceImagesMax: Fact<number>;
  end: Fact<ModelEnd>;
};

type TextModelFacts = { tokenMicros: Fact<Omit<TokenPrices, 'image'>>; end: Fact<ModelEnd> };

const docs = 'https://ai.google.dev/gemini-api/docs';
const agentPlatform = 'https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini';

/** Read on a page of Google's. */
const google = <T>(value: T, source: string, checkedOn: string): Fact<T> => ({
  value,
  source,
  isConfirmed: true,
  checkedOn,
});
/** Known from others only: gateways, price lists, reports. */
const reported = <T>(value: T, source: string, checkedOn: string): Fact<T> => ({
  ...google(value, source, checkedOn),
  isConfirmed: false,
});

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

const noEnd: ModelEnd = { status: 'available' };

export const imageModelFacts: Readonly<Record<string, ImageModelFacts>> = {
  'gemini-2.5-flash-image': {
    sizes: google(sizes25, `${docs}/image-generation`, '2026-11-22'),
    takesImageSize: google(false, `${docs}/image-generation`, '2026-11-22'),
    costMicros: google({ '1K': 39_000 }, `${docs}/pricing`, '2026-10-12'),
    tokenMicros: google({ input: 0.3, text: 2.5, image: 30 }, `${docs}/pricing`, '2026-10-12'),
    referenceImagesMax: google(3, `${docs}/image-generation`, '2026-11-22'),
    end: google(
      { status: 'deprecated', retiresOn: '2026-10-02', successor: 'gemini-nano-banana-2.1' },
      `${docs}/deprecations`,
      '2026-11-22',
    ),
  },
  'gemini-nano-banana-2.1': {
    sizes: reported(sizes3, 'the table of gemini-3.1-flash-image, of which it is an update', '2026-11-26'),
    takesImageSize: google(true, `${docs}/changelog, 2026-10-06: 1K, 2K and 4K`, '2026-11-26'),
    // Tokens at $30 per million: 1120, 1680 and 3780.
    costMicros: reported(
      { '1K': 33_600, '2K': 50_400, '4K': 113_400 },
      'https://inference.sh/apps/google/gemini-nano-banana-2-1.md, 2026-11-06',
      '2026-11-26',
    ),
    tokenMicros: reported(
      { input: 1.5, text: 7.5, image: 30 },
      'https://github.com/BerriAI/litellm/discussions/44983',
      '2026-11-26',
    ),
    // At most 10 of objects and 4 of characters. Other gateways say 14 too.
    referenceImagesMax: reported(
      14,
      'https://docs.laozhang.ai/en/api-capabilities/nano-banana-2-1-image.md',
      '2026-11-26',
    ),
    end: google(noEnd, `${docs}/changelog, 2026-10-06: generally available`, '2026-11-26'),
  },
  'gemini-3.1-flash-lite-image': {
    sizes: google(sizes3, `${docs}/image-generation`, '2026-11-22'),
    takesImageSize: google(true, `${agentPlatform}/3-1-flash-lite-image: only 1K`, '2026-11-26'),
    costMicros: reported(
      { '1K': 34_000 },
      '1120 tokens at $30 per million, rounded up by price lists',
      '2026-11-22',
    ),
    tokenMicros: reported(
      { input: 0.25, text: 1.5, image: 30 },
      'the prices of gemini-3.1-flash-lite, and $30 for images',
      '2026-11-22',
    ),
    referenceImagesMax: google(14, `${agentPlatform}/3-1-flash-lite-image`, '2026-11-26'),
    end: google(noEnd, `${docs}/changelog, 2026-06-30: generally available`, '2026-11-26'),
  },
  'gemini-3.1-flash-image': {
    sizes: google(sizes3, `${docs}/image-generation`, '2026-11-22'),
    takesImageSize: google(true, `${agentPlatform}/3-1-flash-image: 512, 1K, 2K and 4K`, '2026-11-26'),
    // Tokens at $60 per million: 1120, 1680 and 2520.
    costMicros: reported(
      { '1K': 67_000, '2K': 101_000, '4K': 151_000 },
      `the tokens of ${agentPlatform}/3-1-flash-image, at the $60 of price lists`,
      '2026-11-26',
    ),
    tokenMicros: reported({ input: 0.5, text: 3, image: 60 }, 'price lists', '2026-11-22'),
    referenceImagesMax: google(14, `${agentPlatform}/3-1-flash-image`, '2026-11-26'),
    // Google's changelog of 2026-10-08 had no day yet.
    end: reported(
      { status: 'retired', retiresOn: '2026-10-29', successor: 'gemini-nano-banana-2.1' },
      'https://github.com/BerriAI/litellm/discussions/44983',
      '2026-11-26',
    ),
  },
  'gemini-3-pro-image': {
    sizes: google(sizes3, `${docs}/image-generation`, '2026-11-22'),
    takesImageSize: google(true, `${docs}/image-generation`, '2026-11-22'),
    // Tokens at $120 per million: 1120 for 1K and 2K, 2000 for 4K.
    costMicros: reported({ '1K': 134_000, '2K': 134_000, '4K': 240_000 }, 'price lists', '2026-11-26'),
    tokenMicros: google({ input: 2, text: 12, image: 120 }, `${docs}/pricing, 2026-10-07`, '2026-11-26'),
    referenceImagesMax: google(14, `${docs}/image-generation`, '2026-11-22'),
    end: google(noEnd, `${docs}/changelog, 2026-05-28: generally available`, '2026-11-26'),
  },
};

export const textModelFacts: Readonly<Record<string, TextModelFacts>> = {
  'gemini-3.5-flash-lite': {
    tokenMicros: google({ input: 0.3, text: 2.5 }, `${docs}/pricing, 2026-10-07`, '2026-11-26'),
    end: google(noEnd, `${docs}/changelog, 2026-07-21: generally available`, '2026-11-26'),
  },
  'gemini-2.5-flash': {
    tokenMicros: google({ input: 0.3, text: 2.5 }, `${docs}/pricing, 2026-10-07`, '2026-11-26'),
    end: reported(
      { status: 'deprecated', retiresOn: '2026-12-01', successor: 'gemini-3.5-flash-lite' },
      'https://aideprecations.com, which read the deprecations of Google on 2026-11-10',
      '2026-11-26',
    ),
  },
  'gemini-3.1-flash-lite': {
    tokenMicros: reported({ input: 0.25, text: 1.5 }, 'price lists of gateways', '2026-11-22'),
    end: google(
      { status: 'available', retiresOn: '2027-05-07', successor: 'gemini-3.5-flash-lite' },
      `${docs}/deprecations`,
      '2026-11-26',
    ),
  },
};
