/** The composer: prompt, settings, references and better prompts. */
import type { AspectRatio, Tier } from '../../../shared/contract.ts';
import { countOf, credits, number, oneDigitText } from '../format.ts';
import { shapes } from './shapes.ts';

export const composer = {
  title: 'New image',
  prompt: 'Prompt',
  placeholder: 'Describe an image …',
  create: 'Create',
  price: credits,
  shortage: (price: number, balance: number) => `This takes ${credits(price)}; you have ${number(balance)}.`,
  empty: 'Write a prompt first.',
  tooLong: (count: number, max: number) =>
    `${countOf(count, 'character')} too many. The limit is ${number(max)}.`,
  started: (count: number) =>
    count === 1 ? 'Your image is being made.' : `Your ${number(count)} images are being made.`,
  collapse: 'Close the composer',
  settings: 'Settings',
  loadingPrices: 'Loading prices …',
  shape: 'Shape',
  shapes,
  shapeName: (tier: Tier, orientation: 'landscape' | 'portrait', ratio?: AspectRatio) =>
    `${tier === 'premium4' && orientation === 'portrait' ? 'Tall' : shapes[tier].name} ${ratio ?? shapes[tier][orientation]}`,
  ratio: 'Exact ratio',
  orientation: 'Orientation',
  landscape: 'Landscape',
  portrait: 'Portrait',
  each: (count: number) => `${credits(count)} each`,
  resolution: 'Resolution',
  megapixels: (count: number) => `about ${oneDigitText(count)} MP`,
  count: 'How many',
  countOfImages: (count: number) => countOf(count, 'image'),
  style: 'Style',
  styles: 'Add a style to the prompt',
  noStyle: 'No style',
  none: 'none',
  /** Each is added to the prompt, where the user sees it and can change it. */
  styleList: [
    { name: 'Photo', words: 'natural light photograph, 35 mm lens, true colours' },
    { name: 'Cinematic', words: 'cinematic still, dramatic light, shallow depth of field' },
    { name: 'Watercolour', words: 'loose watercolour on textured paper' },
    { name: 'Oil', words: 'oil on canvas, visible brush strokes' },
    { name: 'Line art', words: 'clean ink line art on white paper' },
    { name: '3D render', words: 'soft 3D render, studio light, rounded shapes' },
    { name: 'Anime', words: 'anime key visual, crisp lines, painted background' },
    { name: 'Pixel art', words: '16-bit pixel art, limited palette' },
  ],
};

export const references = {
  title: 'References',
  add: 'Add reference images',
  one: (position: number) => `Reference ${position}`,
  remove: (position: number) => `Remove reference ${position}`,
  hint: 'Or drop or paste PNG, JPEG or WebP images here.',
  added: (count: number) => (count === 1 ? 'Reference added.' : `${number(count)} references added.`),
  removed: 'Reference removed.',
  tooMany: (max: number) => `This model accepts at most ${countOf(max, 'reference image')}.`,
};

export const improve = {
  improve: 'Improve prompt',
  cancel: 'Cancel improving',
  improving: 'Improving your prompt.',
  ready: 'A better prompt is ready.',
  noBetter: 'No better prompt was found. Yours is fine.',
  cancelled: 'Cancelled. Your prompt is unchanged.',
  title: 'A better prompt',
  field: 'Better prompt',
  use: 'Use this prompt',
  keep: 'Keep mine',
  revert: 'Back to my own prompt',
};
