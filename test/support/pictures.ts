import { createBlankPicture } from '../../local/fakes/blankPicture.ts';

/** The smallest PNG: one transparent pixel. For references, and for tests of the image store. */
export const onePixelPng = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The smallest PNG that counts as an image of the tier `standard`, from any model. */
export const squarePng = await createBlankPicture({ width: 1024, height: 1024, mimeType: 'image/png' });
