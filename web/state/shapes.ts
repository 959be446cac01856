/** The shapes and resolutions that the account offers. An offer describes the landscape orientation at 1K. */
import type {
  AspectRatio,
  GenerateInput,
  Orientation,
  Resolution,
  Tier,
  TierOffer,
} from '../../shared/contract.ts';

/** What `account` offers of one tier at one resolution. */
export type ResolutionOffer = TierOffer['resolutions'][number];

/** The resolutions of a tier, smallest first. At least 1K. */
export function getResolutions({
  credits,
  width,
  height,
  resolutions,
}: TierOffer): readonly ResolutionOffer[] {
  return resolutions.length > 0 ? resolutions : [{ resolution: '1K', credits, width, height }];
}

/** The offer at this resolution, or at the smallest if it is not on offer. */
export function getOffer(offer: TierOffer, resolution: Resolution): ResolutionOffer {
  const all = getResolutions(offer);
  const [smallest] = all;
  const found = all.find((one) => one.resolution === resolution) ?? smallest;
  if (!found) throw new Error('A tier has at least one resolution');
  return found;
}

/** The size of an image in pixels. */
export function getShape(
  { width, height }: Pick<ResolutionOffer, 'width' | 'height'>,
  orientation: Orientation,
) {
  return orientation === 'landscape' ? { width, height } : { width: height, height: width };
}

/** A ratio in landscape, and how it is turned. 1:1 and 21:9 are not. */
type Ratio = Record<Orientation, AspectRatio>;

/** The ratios of each shape, its own first. They have the shape's price. */
const ratios: Record<Tier, readonly [Ratio, ...Ratio[]]> = {
  standard: [
    { landscape: '1:1', portrait: '1:1' },
    { landscape: '5:4', portrait: '4:5' },
  ],
  premium2: [
    { landscape: '3:2', portrait: '2:3' },
    { landscape: '4:3', portrait: '3:4' },
  ],
  premium4: [
    { landscape: '16:9', portrait: '9:16' },
    { landscape: '21:9', portrait: '21:9' },
  ],
};

type ShapeChoice = Pick<GenerateInput, 'tier' | 'orientation' | 'aspectRatio'>;

export const listRatios = (tier: Tier, orientation: Orientation): AspectRatio[] =>
  ratios[tier].map((ratio) => ratio[orientation]);

export const getAspectRatio = ({ tier, orientation = 'landscape', aspectRatio }: ShapeChoice): AspectRatio =>
  aspectRatio ?? ratios[tier][0][orientation];

/** The ratio in the other orientation; the same one if it cannot be turned. */
export function turnRatio(tier: Tier, ratio: AspectRatio): AspectRatio {
  const found = ratios[tier].find(({ landscape, portrait }) => landscape === ratio || portrait === ratio);
  if (!found) return ratio;
  return found.landscape === ratio ? found.portrait : found.landscape;
}

/** Width divided by height. */
export function toNumber(ratio: AspectRatio): number {
  const [width = 1, height = 1] = ratio.split(':').map(Number);
  return width / height;
}
