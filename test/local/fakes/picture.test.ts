import { loadImage } from '@napi-rs/canvas';
import { imageSize } from 'image-size';
import { describe, expect, test } from 'vitest';
import { geminiModels, getPixels } from '../../../local/fakes/geminiModels.ts';
import { drawPicture, type Picture } from '../../../local/fakes/picture.ts';

const picture = (changes: Partial<Picture> = {}) =>
  drawPicture({
    prompt: 'a fox in the snow',
    width: 320,
    height: 200,
    caption: 'model · 16:10',
    references: [],
    mimeType: 'image/png',
    ...changes,
  });

describe('a picture', () => {
  const sizes = Object.entries(geminiModels).flatMap(([id, model]) =>
    model.kind === 'image'
      ? ['1:1', '3:2', '2:3', '16:9', '9:16', '21:9'].map((ratio) => ({
          id,
          ratio,
          mimeType: model.mimeType,
          ...getPixels(model, ratio),
        }))
      : [],
  );
  test.each(sizes)('of $id at $ratio has $width x $height pixels', async ({ width, height, mimeType }) => {
    const bytes = await picture({ width, height, mimeType });
    const decoded = await loadImage(bytes);
    expect({ width: decoded.width, height: decoded.height }).toEqual({ width, height });
    expect(imageSize(bytes).type).toBe(mimeType === 'image/png' ? 'png' : 'jpg');
  });

  test('has the same bytes for the same request', async () => {
    expect((await picture()).equals(await picture())).toBe(true);
  });

  test.each<[string, Partial<Picture>]>([
    ['prompt', { prompt: 'a fox in the rain' }],
    ['caption', { caption: 'another model · 16:10' }],
  ])('changes with the %s', async (_, changes) => {
    expect((await picture()).equals(await picture(changes))).toBe(false);
  });

  test('shows its references, and an empty frame for an unreadable one', async () => {
    const plain = await picture();
    const [one, two, unread] = await Promise.all([
      picture({ references: [await picture({ prompt: 'reference' })] }),
      picture({ references: [await picture({ prompt: 'other reference' })] }),
      picture({ references: [Buffer.from('not an image')] }),
    ]);
    expect(new Set([plain, one, two, unread].map((bytes) => bytes.toString('base64'))).size).toBe(4);
  });

  test.each([
    ['the longest prompt', 'many words, '.repeat(333)],
    ['one word of 4000 characters', 'x'.repeat(4000)],
    ['a single character', 'x'],
    ['blanks', '   '],
    ['several scripts', '空飛ぶ猫 😀 مرحبا'],
  ])('can show %s', async (_, prompt) => {
    expect(imageSize(await picture({ prompt }))).toMatchObject({ width: 320, height: 200 });
  });
});
