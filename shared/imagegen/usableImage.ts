/** Decides whether an image that a model returned can be delivered, and so charged. */
import type { AspectRatio } from '../contract/tiers.ts';
import { Failure } from '../errors.ts';
import { type ImageFacts, sniffImage } from '../images/imageFormat.ts';
import { inspectImage } from '../images/imageStructure.ts';
import { getImageSize, type ImageModel, type ImageShape } from './models.ts';

/** Greatest difference of an image's aspect ratio from the requested one, percent of the requested one. */
const ratioTolerancePercent = 5;
/** Shortest side of an image, percent of the side that the model's images have at this resolution and aspect ratio. */
const sideMinPercent = 90;

/**
 * Checks an image that a model returned, and returns its facts.
 * @throws {Failure} NO_IMAGE, of kind `unusable` if it is broken, cut off, too small or of another shape.
 */
export function checkImage(
  chunks: readonly Uint8Array[],
  model: Pick<ImageModel, 'sizes'>,
  shape: ImageShape,
): ImageFacts & { contentCredentials: 'present' | 'absent' } {
  const facts = chunks[0] && sniffImage(chunks[0]);
  if (!facts) throw unusableFailure('The model returned a file that is not an image.');
  const { isWhole, hasContentCredentials } = inspectImage(facts.mimeType, chunks);
  if (!isWhole) throw unusableFailure('The model returned a broken image.');
  const { width, height } = facts;
  const pixels = `${width} x ${height} pixels`;
  const { aspectRatio, resolution } = shape;
  if (isOtherShape(facts, aspectRatio)) {
    throw unusableFailure(`The model returned an image of ${pixels}, which is not ${aspectRatio}.`);
  }
  const usual = getImageSize(model, shape);
  if (isShort(width, usual.width) || isShort(height, usual.height)) {
    throw unusableFailure(`The model returned an image of only ${pixels}, which is not ${resolution}.`);
  }
  return { ...facts, contentCredentials: hasContentCredentials ? 'present' : 'absent' };
}

const isShort = (side: number, usual: number) => side * 100 < usual * sideMinPercent;

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
