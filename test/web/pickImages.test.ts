/** A file that is not a reference image is refused by name, with what to do. */
import { expect, it } from 'vitest';
import { pickImages } from '../../web/pickImages.ts';
import { text } from '../../web/strings/en.ts';

const limits = { maxReferences: 3, maxReferenceBytes: 1_000 } as Parameters<typeof pickImages>[2];
const heif = (brand: string) => `\0\0\0\x18ftyp${brand}\0\0\0\0`;

async function problemWith(content: string): Promise<string[]> {
  const file = new File([Buffer.from(content, 'latin1')], 'photo');
  return (await pickImages([file], { images: 3, bytes: 1_000 }, limits)).problems;
}

it.each(['heic', 'heix', 'hevc', 'mif1', 'msf1'])('a HEIC of the brand %s', async (brand) => {
  expect(await problemWith(heif(brand))).toEqual([
    '“photo” is a HEIC image, which is not supported. Export it as JPEG.',
  ]);
});

it.each(['avif', 'avis'])('an AVIF of the brand %s', async (brand) => {
  expect(await problemWith(heif(brand))).toEqual([
    '“photo” is an AVIF image, which is not supported. Export it as JPEG.',
  ]);
});

it.each(['GIF89a', heif('isom'), 'text', ''])('anything else: %j', async (content) => {
  expect(await problemWith(content)).toEqual(['“photo” is not a PNG, JPEG or WebP image.']);
});

it('says how many references a model accepts', () => {
  expect(text.references.tooMany(1)).toBe('This model accepts at most 1 reference image.');
  expect(text.references.tooMany(14)).toBe('This model accepts at most 14 reference images.');
});
