/** Photos as references: their bytes go to the model as they are, with the EXIF orientation in them. */
import { expect, it } from 'vitest';
import { createBlankPicture } from '../../../local/fakes/blankPicture.ts';
import type { ImageRequest } from '../../../shared/imagegen/gemini.ts';
import { createMemoryStudio, image } from '../../support/memoryStudio.ts';

/** An EXIF segment that says how the photo is turned (CIPA DC-008, tag 0x0112): 6 is on its left side. */
function createExif(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, body.length + 2]);
  return Buffer.concat([head, body]);
}

it('a JPEG that lies on its side is sent as it is', async () => {
  const jpeg = await createBlankPicture({ width: 48, height: 32, mimeType: 'image/jpeg' });
  const photo = Buffer.concat([jpeg.subarray(0, 2), createExif(6), jpeg.subarray(2)]).toString('base64');
  const sent: ImageRequest[] = [];
  const studio = createMemoryStudio({
    async imageGenerator(request) {
      sent.push(request);
      return image();
    },
  });
  const { status } = await studio.generate('a', { references: [{ mimeType: 'image/jpeg', data: photo }] });
  expect(status).toBe(200);
  expect(sent[0]?.references).toEqual([{ mimeType: 'image/jpeg', data: photo }]);
});
