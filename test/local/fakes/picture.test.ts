import { createCanvas, loadImage } from '@napi-rs/canvas';
import { imageSize } from 'image-size';
import { describe, expect, test } from 'vitest';
import { findNote } from '../../../local/fakes/imageNote.ts';
import { createPlainPicture, drawPicture, type Picture } from '../../../local/fakes/picture.ts';
import { createSketch, parseSketch, sceneNames } from '../../../local/fakes/sketch.ts';
import { picture as foreignPicture } from './support.ts';

const sketch = createSketch('a fox in the snow', 0);
const base: Picture = {
  sketch,
  width: 320,
  height: 200,
  details: 'model · 16:10',
  references: [],
  mimeType: 'image/png',
};
const picture = (changes: Partial<Picture> = {}) => drawPicture({ ...base, ...changes });
const withPrompt = (prompt: string) => picture({ sketch: { ...sketch, prompt } });

/** The colours of the image at this size, from 0 to 255. */
async function readPixels(bytes: Buffer, width: number, height: number): Promise<Buffer> {
  const context = createCanvas(width, height).getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(await loadImage(bytes), 0, 0, width, height);
  return Buffer.from(context.getImageData(0, 0, width, height).data);
}

/** The mean difference of two images' colours, in the part above the caption. */
async function compare(one: Buffer, two: Buffer): Promise<number> {
  const [a, b] = await Promise.all(
    [one, two].map(async (bytes) => (await readPixels(bytes, 64, 40)).subarray(0, 64 * 26 * 4)),
  );
  return a && b ? a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length : 0;
}

describe('a picture', () => {
  test.each(sceneNames)('of the scene %s shows the same in every size and type', async (scene) => {
    const drawn = { ...sketch, scene };
    const [small, large] = await Promise.all([
      picture({ sketch: drawn }),
      picture({ sketch: drawn, width: 1280, height: 800, mimeType: 'image/jpeg' }),
    ]);
    expect(imageSize(small)).toMatchObject({ width: 320, height: 200, type: 'png' });
    expect(imageSize(large)).toMatchObject({ width: 1280, height: 800, type: 'jpg' });
    const other = await picture({ sketch: { ...drawn, seed: 'another', hue: 90 } });
    expect(await compare(small, large)).toBeLessThan(5);
    expect(await compare(small, other)).toBeGreaterThan(8);
  });

  test('has the same bytes for the same sketch, and a grain', async () => {
    const bytes = await picture();
    expect((await picture()).equals(bytes)).toBe(true);
    expect(bytes.length).toBeGreaterThan(320 * 200);
  });

  test.each<[string, Partial<Picture>]>([
    ['prompt', { sketch: { ...sketch, prompt: 'a fox in the rain' } }],
    ['crossed out prompt', { sketch: { ...sketch, parentPrompt: 'a fox' } }],
    ['seed', { sketch: { ...sketch, seed: 'another' } }],
    ['light', { sketch: { ...sketch, light: 'night' } }],
    ['hue', { sketch: { ...sketch, hue: 90 } }],
    ['weather', { sketch: { ...sketch, weather: ['snow', 'birds'] } }],
    ['details', { details: 'another model · 16:10' }],
  ])('changes with the %s', async (_, changes) => {
    const [before, after] = await Promise.all([picture(), picture(changes)]);
    const [a, b] = await Promise.all([before, after].map((bytes) => readPixels(bytes, 320, 200)));
    expect(a?.equals(b ?? Buffer.alloc(0))).toBe(false);
  });

  test('shows its references, and an empty frame for an unreadable one', async () => {
    const plain = await picture();
    const [one, two, unread] = await Promise.all([
      picture({ references: [foreignPicture(64, 40, 'teal')] }),
      picture({ references: [foreignPicture(64, 40, 'tomato')] }),
      picture({ references: [Buffer.from('not an image')] }),
    ]);
    expect(new Set([plain, one, two, unread].map((bytes) => bytes.toString('base64'))).size).toBe(4);
  });

  test.each([
    ['the longest prompt', 'many words, '.repeat(333)],
    ['one word of 4000 characters', 'x'.repeat(4000)],
    ['a single character', 'x'],
    ['blanks', '   '],
    ['several scripts', '空飛ぶ猫 😀 مرحبا\n"quotes" \\ and lines'],
  ])('can show %s, and still has its sketch', async (_, prompt) => {
    for (const bytes of [
      await withPrompt(prompt),
      await createPlainPicture({ ...base, sketch: { ...sketch, prompt } }),
    ]) {
      expect(imageSize(bytes)).toMatchObject({ width: 320, height: 200 });
      expect(parseSketch(findNote(bytes))).toEqual({ ...sketch, prompt });
    }
  });
});

describe('the sketch in an image', () => {
  test.each(['image/png', 'image/jpeg'] as const)(
    'of type %s leaves the image readable',
    async (mimeType) => {
      for (const draw of [drawPicture, createPlainPicture]) {
        const bytes = await draw({ ...base, mimeType });
        expect(parseSketch(findNote(bytes))).toEqual(sketch);
        expect(await loadImage(bytes)).toMatchObject({ width: 320, height: 200 });
      }
    },
  );

  test.each([
    ['a foreign image', foreignPicture()],
    ['no image', Buffer.from('not an image')],
    ['a note that is cut off', Buffer.from('fake-gemini\0{"prompt":"a fox"')],
    ['a note of another shape', Buffer.from('fake-gemini\0{"prompt":"a fox"}\n')],
  ])('is missing in %s', (_, bytes) => {
    expect(parseSketch(findNote(bytes))).toBeUndefined();
  });
});

describe('a sketch', () => {
  test.each([
    ['A lighthouse in a storm', 'sea', 'storm', ['rain']],
    ['City street at night', 'city', 'night', []],
    ['A fox asleep in autumn leaves', 'forest', 'dusk', ['leaves']],
    ['A banana in a space suit on the moon', 'planets', undefined, []],
    ['Mountains at dawn, with snow', 'mountains', 'dawn', ['snow']],
  ])('follows the words of "%s"', (prompt, scene, light, weather) => {
    expect(createSketch(prompt, 0)).toMatchObject({ scene, weather, ...(light && { light }) });
  });

  test('of the same prompt again is another variant of the scene, the same one each time', () => {
    const variants = [0, 1, 2, 3].map((variant) => createSketch('A lighthouse', variant));
    expect(new Set(variants.map(({ seed }) => seed)).size).toBe(4);
    expect(new Set(variants.map(({ scene }) => scene))).toEqual(new Set(['sea']));
    expect([0, 1, 2, 3].map((variant) => createSketch('A lighthouse', variant))).toEqual(variants);
  });

  test('of an edit keeps scene, places and weather, and changes what the prompt names', () => {
    const parent = createSketch('Mountains at dawn, with snow', 0);
    const edit = createSketch('the same city, but at night, with birds', 0, parent);
    expect(edit).toEqual({
      ...parent,
      prompt: 'the same city, but at night, with birds',
      parentPrompt: 'Mountains at dawn, with snow',
      light: 'night',
      weather: ['snow', 'birds'],
    });
  });

  test('of an edit that it does not understand, and of a second try, has other colours', () => {
    const parent = createSketch('Mountains at dawn', 0);
    const hues = [
      createSketch('make it magical', 0, parent),
      createSketch('make it magical', 1, parent),
      createSketch('at night', 1, parent),
    ].map(({ hue }) => hue);
    expect(new Set([...hues, parent.hue]).size).toBe(4);
  });
});
