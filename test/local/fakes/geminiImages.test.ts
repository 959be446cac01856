import { describe, expect, test } from 'vitest';
import { geminiModels, getPixels } from '../../../local/fakes/geminiModels.ts';
import { findNote } from '../../../local/fakes/imageNote.ts';
import { parseSketch } from '../../../local/fakes/sketch.ts';
import { gemini, picture, post } from './support.ts';

const flash25 =
  '1:1 1024x1024, 2:3 832x1248, 3:2 1248x832, 3:4 864x1184, 4:3 1184x864, 4:5 896x1152, 5:4 1152x896, 9:16 768x1344, 16:9 1344x768, 21:9 1536x672';
const later =
  '1:1 1024x1024, 2:3 848x1264, 3:2 1264x848, 3:4 896x1200, 4:3 1200x896, 4:5 928x1152, 5:4 1152x928, 9:16 768x1376, 16:9 1376x768, 21:9 1584x672';

describe.each([
  ['gemini-2.5-flash-image', flash25, [['', 1, 1290]]],
  [
    'gemini-nano-banana-2.1',
    later,
    [
      ['1K', 1, 1120],
      ['2K', 2, 1680],
      ['4K', 4, 3780],
    ],
  ],
  ['gemini-3.1-flash-lite-image', later, [['1K', 1, 1120]]],
  [
    'gemini-3.1-flash-image',
    later,
    [
      ['512', 0.5, 747],
      ['1K', 1, 1120],
      ['2K', 2, 1680],
      ['4K', 4, 2520],
    ],
  ],
  [
    'gemini-3-pro-image',
    later,
    [
      ['1K', 1, 1120],
      ['2K', 2, 1120],
      ['4K', 4, 2000],
    ],
  ],
] as const)('an image of %s', (id, table, sizes) => {
  const model = geminiModels[id];
  if (model?.kind !== 'image') throw new Error(`${id} is not an image model`);

  test.each([...sizes])(
    'at size "%s" has its pixels in all ten ratios, and its tokens',
    (size, scale, tokens) => {
      for (const row of table.split(', ')) {
        const [ratio = '', pixels = ''] = row.split(' ');
        const [width = 0, height = 0] = pixels.split('x').map((side) => Number(side) * scale);
        expect({ ratio, ...getPixels(model, ratio, size || undefined) }).toEqual({ ratio, width, height });
      }
      expect(model.tokens[size || '1K']).toBe(tokens);
    },
  );

  test('has no other size', () => {
    expect(model.sizes).toEqual(sizes.flatMap(([size]) => size || []));
  });
});

type Server = Awaited<ReturnType<typeof gemini>>['server'];
type Shown = { bytes: Buffer; mimeType: string; sketch: ReturnType<typeof parseSketch> };
const models = [['gemini-2.5-flash-image'], ['gemini-nano-banana-2.1']];

const toPart = ({ bytes, mimeType }: Pick<Shown, 'bytes' | 'mimeType'>) => ({
  inlineData: { mimeType, data: bytes.toString('base64') },
});

/** Generates an image from these turns, and reads what it shows. */
async function generate(server: Server, model: string, contents: object[]): Promise<Shown> {
  const body = { contents, generationConfig: { responseModalities: ['IMAGE'] } };
  const answer = await post(server, body, { model });
  const { data, mimeType } = answer.body.candidates[0].content.parts.at(-1).inlineData;
  const bytes = Buffer.from(data, 'base64');
  return { bytes, mimeType, sketch: parseSketch(findNote(bytes)) };
}
const user = (text: string, ...images: Pick<Shown, 'bytes' | 'mimeType'>[]) => ({
  role: 'user',
  parts: [{ text }, ...images.map(toPart)],
});

describe('an edit', () => {
  const prompt = 'a lighthouse at dawn';
  const change = 'the same, but at night';
  const foreign = { bytes: picture(), mimeType: 'image/png' };

  test.each(models)('of an image by %s shows its scene, and crosses out its prompt', async (model) => {
    const { server } = await gemini();
    const parent = await generate(server, model, [user(prompt)]);
    const edit = await generate(server, model, [user(change, parent, foreign)]);
    expect(edit.sketch).toEqual({ ...parent.sketch, prompt: change, parentPrompt: prompt, light: 'night' });
  });

  test.each(models)('in a second turn with %s changes the last image of the model', async (model) => {
    const { server } = await gemini();
    const [first, second] = [
      await generate(server, model, [user(prompt)]),
      await generate(server, model, [user('a forest')]),
    ];
    const turn = { role: 'model', parts: [toPart(second)] };
    const edit = await generate(server, model, [user('a forest', first), turn, user(change)]);
    expect(edit.sketch).toMatchObject({
      prompt: change,
      parentPrompt: 'a forest',
      seed: second.sketch?.seed,
    });
  });

  test('of a foreign image shows what the prompt asks for', async () => {
    const { server } = await gemini();
    const { sketch } = await generate(server, 'gemini-2.5-flash-image', [user(prompt, foreign)]);
    expect(sketch).toMatchObject({ prompt, scene: 'sea', light: 'dawn' });
    expect(sketch).not.toHaveProperty('parentPrompt');
  });

  test('keeps its scene through a chain, drawn for people too', async () => {
    const { server } = await gemini({ drawsScenes: true });
    const chain = [await generate(server, 'gemini-2.5-flash-image', [user('mountains')])];
    for (const text of ['at night', 'now with snow', 'make it magical']) {
      const parent = chain.at(-1) as Shown;
      chain.push(await generate(server, 'gemini-2.5-flash-image', [user(text, parent)]));
    }
    expect(chain.map(({ sketch }) => sketch)).toMatchObject([
      { scene: 'mountains' },
      { seed: chain[0]?.sketch?.seed, parentPrompt: 'mountains', light: 'night' },
      { seed: chain[0]?.sketch?.seed, parentPrompt: 'at night', light: 'night', weather: ['snow'] },
      { seed: chain[0]?.sketch?.seed, parentPrompt: 'now with snow', light: 'night', weather: ['snow'] },
    ]);
    expect(new Set(chain.map(({ bytes }) => bytes.toString('base64'))).size).toBe(4);
  });
});

describe('several images of one prompt', () => {
  test.each(models)('of %s are variants of its scene, the same ones at each start', async (model) => {
    const generateGroup = async () => {
      const { server } = await gemini({ drawsScenes: true });
      const shown: Shown[] = [];
      for (let image = 0; image < 4; image += 1)
        shown.push(await generate(server, model, [user('a lighthouse')]));
      return shown;
    };
    const [group, again] = [await generateGroup(), await generateGroup()];
    expect(new Set(group.map(({ sketch }) => sketch?.seed)).size).toBe(4);
    expect(group.map(({ sketch }) => sketch?.scene)).toEqual(Array(4).fill('sea'));
    expect(again.map(({ bytes }) => bytes)).toEqual(group.map(({ bytes }) => bytes));
  });

  test('asked for at once are different, too', async () => {
    const { server } = await gemini({ drawsScenes: true });
    const group = await Promise.all(
      [1, 2, 3, 4].map(() => generate(server, 'gemini-2.5-flash-image', [user('a lighthouse')])),
    );
    expect(new Set(group.map(({ bytes }) => bytes.toString('base64'))).size).toBe(4);
  });

  test('have the same bytes unless scenes are drawn', async () => {
    const { server } = await gemini();
    const generatePlain = () => generate(server, 'gemini-2.5-flash-image', [user('a lighthouse')]);
    expect((await generatePlain()).bytes).toEqual((await generatePlain()).bytes);
  });
});
