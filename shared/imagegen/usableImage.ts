/** Decides whether an image that a model returned can be delivered, and so charged. */
import type { AspectRatio } from '../contract.ts';
import { Failure } from '../errors.ts';
import { type ImageFacts, sniffImage } from '../images/imageFormat.ts';
import { inspectImage } from '../images/imageStructure.ts';
import type { ImageModel } from './models.ts';

/** Greatest difference of an image's aspect ratio from the requested one, percent of the requested one. */
const ratioTolerancePercent = 5;
/** Shortest side of an image, as a share of the side that the model's images have at this aspect ratio. */
const sideMinShare = 0.5;

/**
 * Checks an image that a model returned, and returns its facts.
 * @throws {Failure} NO_IMAGE, of kind `unusable` if it is broken, cut off, too small or of another shape.
 */
export function checkImage(
  chunks: readonly Uint8Array[],
  { sizes }: Pick<ImageModel, 'sizes'>,
  aspectRatio: AspectRatio,
): ImageFacts & { contentCredentials: 'present' | 'absent' } {
  const facts = chunks[0] && sniffImage(chunks[0]);
  if (!facts) throw unusableFailure('The model returned a file that is not an image.');
  const { isWhole, hasContentCredentials } = inspectImage(facts.mimeType, chunks);
  if (!isWhole) throw unusableFailure('The model returned a broken image.');
  const { width, height } = facts;
  const pixels = `${width} x ${height} pixels`;
  if (isOtherShape(facts, aspectRatio)) {
    throw unusableFailure(`The model returned an image of ${pixels}, which is not ${aspectRatio}.`);
  }
  const [usualWidth, usualHeight] = sizes[aspectRatio];
  if (width < usualWidth * sideMinShare || height < usualHeight * sideMinShare) {
    throw unusableFailure(`The model returned an image of only ${pixels}.`);
  }
  return { ...facts, contentCredentials: hasContentCredentials ? 'present' : 'absent' };
}

/** In whole numbers, so that exactly 5 % is still within the tolerance. */
function isOtherShape({ width, height }: ImageFacts, aspectRatio: AspectRatio): boolean {
  const [across = 1, down = 1] = aspectRatio.split(':').map(Number);
  const requested = height * across;
  return Math.abs(width * down - requested) * 100 > requested * ratioTolerancePercent;
}

/** The image was generated, so the provider bills it. */
function unusableFailure(message: string): Failure {
  return new Failure('NO_IMAGE', message, { providerFailure: { kind: 'unusable', mayBeBilled: true } });
}
