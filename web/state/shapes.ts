/** The shapes and resolutions that the account offers. An offer describes the landscape orientation at 1K. */
import type { Orientation, TierOffer } from '../../shared/contract.ts';

export type Resolution = '1K' | '2K' | '4K';

/** What `account` offers of one tier at one resolution. */
export type ResolutionOffer = { resolution: Resolution; credits: number; width: number; height: number };
type Offer = TierOffer & { resolutions?: readonly ResolutionOffer[] };

/** The resolutions of a tier, smallest first. At least 1K. */
export function getResolutions(offer: Offer): readonly ResolutionOffer[] {
  const { credits, width, height } = offer;
  return offer.resolutions?.length ? offer.resolutions : [{ resolution: '1K', credits, width, height }];
}

/** The offer at this resolution, or at the smallest if it is not on offer. */
export function getOffer(offer: Offer, resolution: Resolution): ResolutionOffer {
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
