/** The tiers and shapes of images. */
import * as z from 'zod';
import { describe } from './describe.ts';

/** The aspect ratio of each tier, by orientation. Its price is in the configuration: TIER_CREDITS. */
export const tiers = {
  standard: { aspectRatio: { landscape: '1:1', portrait: '1:1' } },
  premium2: { aspectRatio: { landscape: '3:2', portrait: '2:3' } },
  premium4: { aspectRatio: { landscape: '16:9', portrait: '9:16' } },
} as const;

export const tierSchema = describe(
  'The size and price of an image. `account` lists what each tier costs.',
  z.enum(['standard', 'premium2', 'premium4'], { error: 'must be one of standard, premium2, premium4' }),
);

export type Tier = z.infer<typeof tierSchema>;

export const orientationSchema = describe(
  'Wider than high, or higher than wide. A standard image is square in both.',
  z.enum(['landscape', 'portrait'], { error: 'must be landscape or portrait' }),
);

export type Orientation = z.infer<typeof orientationSchema>;

/** The sides of an image: 2K has twice as long ones as 1K, 4K four times. */
export const resolutions = ['1K', '2K', '4K'] as const;

export const resolutionSchema = describe(
  'The resolution of an image. 2K costs twice as much as 1K, 4K four times. `account` lists what is on offer.',
  z.enum(resolutions, { error: 'must be one of 1K, 2K, 4K' }),
);

export type Resolution = z.infer<typeof resolutionSchema>;

/** The aspect ratios that every model generates. */
export const aspectRatios = [
  '1:1',
  '2:3',
  '3:2',
  '3:4',
  '4:3',
  '4:5',
  '5:4',
  '9:16',
  '16:9',
  '21:9',
] as const;

export const aspectRatioSchema = describe(
  'The shape of an image: width to height.',
  z.enum(aspectRatios, { error: `must be one of ${aspectRatios.join(', ')}` }),
);

export type AspectRatio = z.infer<typeof aspectRatioSchema>;
