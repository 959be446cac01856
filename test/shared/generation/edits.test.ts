/** Edits: the edited image goes first to the model, and what cannot be edited is refused before the debit. */
import { describe, expect, it } from 'vitest';
import { hashGenerationId } from '../../../shared/generation/record.ts';
import type { GeneratedImage, ImageRequest } from '../../../shared/imagegen/gemini.ts';
import { createMemoryStudio, image, toOutcome } from '../../support/memoryStudio.ts';
import { onePixelPng } from '../../support/pictures.ts';

const toId = (key: string) => hashGenerationId('ann', key);
const inline = { mimeType: 'image/png', data: onePixelPng.toString('base64') };

/** A studio with an image under the key `a`, and the requests to the model. `prepare` changes what the model returns. */
async function createEditor({
  generated = image(),
  env = {},
  ...parts
}: Partial<Parameters<typeof createMemoryStudio>[0]> & { generated?: Partial<GeneratedImage> } = {}) {
  const sent: ImageRequest[] = [];
  const reads: number[] = [];
  const studio = createMemoryStudio({
    ...parts,
    env,
    imageGenerator: async (request) => {
      sent.push(request);
      return { ...image(), ...generated };
    },
    faults: (database) => ({
      read(paths) {
        reads.push(paths.length);
        return database.read(paths);
      },
    }),
  });
  expect((await studio.generate('a')).status).toBe(200);
  const edit = (key: string, of: string, more: object = {}) =>
    studio.generate(key, { editOf: toId(of), prompt: `Edit ${key}`, ...more });
  const lineage = async (key: string) =>
    (await studio.get('generation', { key })).body.ancestors?.map(({ id }: { id: string }) => id);
  return { studio, sent, reads, edit, lineage };
}

/** Nothing was debited, and the key is free. */
async function expectUntouched(
  { studio }: Awaited<ReturnType<typeof createEditor>>,
  key: string,
  before: unknown,
) {
  expect(studio.account()).toEqual(before);
  expect((await studio.get('generation', { key })).status).toBe(404);
}

describe('an edit', () => {
  it('sends the edited image first, before the references in their order', async () => {
    const urls: string[] = [];
    const pngs = [1, 2].map((extra) => Buffer.concat([onePixelPng, Buffer.alloc(extra)]));
    const editor = await createEditor({
      imageStore: {
        async fetch(url) {
          urls.push(url);
          return pngs[urls.length - 1] as Buffer;
        },
      },
    });
    await editor.studio.generate('b');
    const { status, body } = await editor.edit('c', 'a', {
      references: [inline, { generationId: toId('b') }],
    });
    expect(status).toBe(200);
    expect(body.generation).toMatchObject({ parentId: toId('a'), prompt: 'Edit c' });
    expect(urls.map((url) => url.split('/').at(-2))).toEqual([toId('a'), toId('b')]);
    const data = [pngs[0], onePixelPng, pngs[1]].map((bytes) => bytes?.toString('base64'));
    expect(editor.sent.at(-1)?.references.map((reference) => reference.data)).toEqual(data);
  });

  it('reads the edited image with the hold, and nothing more before it settles', async () => {
    const { reads, edit } = await createEditor({});
    await edit('warm', 'a');
    reads.length = 0;
    await edit('b', 'a', { references: [{ generationId: toId('warm') }] });
    expect(reads).toEqual([4]); // The account, the generation, and one document for each image.
  });

  it.each(['gemini-2.5-flash-image', 'imagen-4.0-generate-001', 'some-gateway-model'])(
    'works on an image of %s',
    async (model) => {
      const { edit } = await createEditor({ generated: { model } });
      expect((await edit('b', 'a')).body.generation.parentId).toBe(toId('a'));
    },
  );

  it('is part of what a key identifies', async () => {
    const { studio, edit } = await createEditor();
    await studio.generate('b');
    expect((await edit('c', 'a')).status).toBe(200);
    expect((await edit('c', 'a')).status).toBe(200);
    expect(toOutcome(await edit('c', 'b'))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(toOutcome(await studio.generate('c', { prompt: 'Edit c' }))).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  it('is replayed after its parent was deleted', async () => {
    const { studio, edit } = await createEditor();
    const first = await edit('b', 'a');
    await studio.deleteGeneration(toId('a'));
    expect((await edit('b', 'a')).body).toEqual(first.body);
  });

  it('has its own place in the cache: the same words for another image are another request', async () => {
    const { studio, edit } = await createEditor({ env: { CACHE_TTL_SECONDS: '3600' } });
    await studio.generate('z', { prompt: 'Another' });
    const twins = [await edit('b', 'a'), await edit('c', 'a', { prompt: 'Edit b' })];
    expect(twins.map(({ body }) => [body.generation.cached, body.generation.parentId])).toEqual([
      [false, toId('a')],
      [true, toId('a')],
    ]);
    expect((await edit('d', 'z', { prompt: 'Edit b' })).body.generation.cached).toBe(false);
    const plain = await studio.generate('e', { prompt: 'Edit b' });
    expect(plain.body.generation).toMatchObject({ cached: false });
    expect(plain.body.generation).not.toHaveProperty('parentId');
    const asReference = { prompt: 'Edit b', references: [{ generationId: toId('a') }] };
    expect((await studio.generate('f', asReference)).body.generation.cached).toBe(false);
  });

  it('of a deleted image is refused although the cache has it', async () => {
    const { studio, edit } = await createEditor({ env: { CACHE_TTL_SECONDS: '3600' } });
    await edit('b', 'a');
    await studio.deleteGeneration(toId('a'));
    expect(toOutcome(await edit('c', 'a', { prompt: 'Edit b' }))).toEqual([404, 'NOT_FOUND']);
  });
});

describe('an edit is refused before any debit', () => {
  it.each<[string, (editor: Awaited<ReturnType<typeof createEditor>>) => Promise<string>]>([
    ['of an unknown image', async () => 'f'.repeat(32)],
    ['of itself', async () => toId('b')],
    [
      "of another user's image",
      async ({ studio }) => {
        const other = { as: 'user:bob', key: 'his' };
        const { body } = await studio.call('generate', { prompt: 'His', tier: 'standard' }, other);
        return body.generation.id;
      },
    ],
    [
      'of a deleted image',
      async ({ studio }) => {
        await studio.deleteGeneration(toId('a'));
        return toId('a');
      },
    ],
    [
      'of an image that the studio removed',
      async ({ studio }) => {
        const takedown = { uid: 'ann', generationId: toId('a'), reason: 'Illegal' };
        expect((await studio.call('takedown', takedown, { as: 'admin' })).status).toBe(200);
        return toId('a');
      },
    ],
    ...['refunded', 'pending'].map(
      (status): [string, (editor: Awaited<ReturnType<typeof createEditor>>) => Promise<string>] => [
        `of a ${status} generation`,
        async ({ studio }) => {
          // Its image is left there, as an admin may leave it.
          studio.edit(`accounts/ann/generations/${toId('a')}`, { status });
          return toId('a');
        },
      ],
    ),
    [
      'of an image with a spoilt document',
      async ({ studio }) => {
        studio.edit(`accounts/ann/generations/${toId('a')}`, { image: 'mine' });
        return toId('a');
      },
    ],
  ])('%s: 404', async (_, find) => {
    const editor = await createEditor();
    const editOf = await find(editor);
    const [before, calls] = [editor.studio.account(), editor.sent.length];
    expect(toOutcome(await editor.studio.generate('b', { editOf }))).toEqual([404, 'NOT_FOUND']);
    expect(editor.sent).toHaveLength(calls);
    await expectUntouched(editor, 'b', before);
  });

  it.each([
    ['gemini-2.5-flash-image', 3],
    ['gemini-nano-banana-2.1', 14],
  ])('with as many references as %s takes: 400', async (modelId, referencesMax) => {
    const env = { IMAGEGEN_MODEL_ID: modelId, IMAGEGEN_FALLBACK_MODEL_IDS: '' };
    const editor = await createEditor({ env });
    const before = editor.studio.account();
    const answer = await editor.edit('b', 'a', { references: Array(referencesMax).fill(inline) });
    expect(toOutcome(answer)).toEqual([400, 'INVALID_REQUEST']);
    const [violation] = answer.body.error.details.flatMap(({ fieldViolations }) => fieldViolations ?? []);
    expect(violation).toEqual({
      field: 'references',
      description: `must have at most ${referencesMax} images with this model, and the edited image is one of them`,
    });
    await expectUntouched(editor, 'b', before);
    expect((await editor.edit('b', 'a', { references: Array(referencesMax - 1).fill(inline) })).status).toBe(
      200,
    );
  });

  it.each(['', 'x', '../a', 'A'.repeat(32), 7, null])('with %j in place of an id: 400', async (editOf) => {
    const editor = await createEditor();
    expect(toOutcome(await editor.studio.generate('b', { editOf }))).toEqual([400, 'INVALID_REQUEST']);
  });
});

describe('the lineage', () => {
  it('of a chain of ten is whole, newest first, and at most twenty', async () => {
    const { studio, edit, lineage } = await createEditor({ env: { MAX_PER_MINUTE_PER_USER: '60' } });
    const keys = ['a', ...Array.from({ length: 24 }, (_, i) => `e${i}`)];
    for (const [i, key] of keys.entries()) {
      if (i > 0) expect((await edit(key, keys[i - 1] ?? '')).status).toBe(200);
    }
    const toIds = (...range: [number, number]) =>
      keys
        .slice(...range)
        .map(toId)
        .reverse();
    expect(await lineage('e9')).toEqual(toIds(0, 10));
    expect(await lineage('e23')).toEqual(toIds(4, 24));
    expect(await lineage('a')).toBeUndefined();
    const { body } = await studio.get('generation', { key: 'e9' });
    expect(body.ancestors[0]).toEqual((await studio.get('generation', { key: 'e8' })).body.generation);
  });

  it('is read in one more round trip', async () => {
    const { reads, edit, lineage } = await createEditor();
    await edit('b', 'a');
    await edit('c', 'b');
    reads.length = 0;
    await lineage('c');
    expect(reads).toEqual([1, 2]);
  });

  it('goes on through a deleted image, which is there without words and image', async () => {
    const { studio, edit, lineage } = await createEditor();
    await edit('b', 'a', { originalPrompt: 'private', group: 'private' });
    await edit('c', 'b');
    await studio.deleteGeneration(toId('b'));
    expect(await lineage('c')).toEqual([toId('b'), toId('a')]);
    const [parent] = (await studio.get('generation', { key: 'c' })).body.ancestors;
    expect(parent).toMatchObject({ status: 'deleted', prompt: null, image: null, parentId: toId('a') });
    expect(JSON.stringify(parent)).not.toContain('private');
  });

  it('leaves out what an admin has deleted or spoilt in the console', async () => {
    const { studio, edit, lineage } = await createEditor();
    await edit('b', 'a');
    await edit('c', 'b');
    studio.edit(`accounts/ann/generations/${toId('b')}`, { prompt: 7 });
    expect(await lineage('c')).toEqual([toId('a')]);
  });

  it.each<[string, unknown]>([
    ['a path', ['a/b']],
    ['no text', ['']],
    ['an id that Firestore refuses', ['__id__']],
    ['no list', 'a'],
    ['a list of 21', Array(21).fill('0'.repeat(32))],
  ])('that an admin has spoilt is not handed on: %s', async (_, ancestors) => {
    const editor = await createEditor();
    await editor.edit('b', 'a');
    await editor.edit('c', 'b');
    editor.studio.edit(`accounts/ann/generations/${toId('b')}`, { ancestors });
    const before = editor.studio.account();
    expect(toOutcome(await editor.edit('d', 'b'))).toEqual([404, 'NOT_FOUND']);
    await expectUntouched(editor, 'd', before);
    expect(await editor.lineage('c')).toEqual([toId('a')]);
  });
});

describe('the turn in which the model made the edited image', () => {
  const signed = { generated: { model: 'gemini-3-pro-image', thoughtSignature: 'c2ln' } };

  it('goes with it, with its prompt and signature', async () => {
    const { edit, sent } = await createEditor(signed);
    await edit('b', 'a');
    expect(sent.at(-1)?.previousTurn).toEqual({
      modelId: 'gemini-3-pro-image',
      prompt: 'A banana',
      thoughtSignature: 'c2ln',
    });
  });

  it('goes with a twin of it from the cache too', async () => {
    const { studio, edit, sent } = await createEditor({ ...signed, env: { CACHE_TTL_SECONDS: '3600' } });
    expect((await studio.generate('twin')).body.generation.cached).toBe(true);
    await edit('b', 'twin');
    expect(sent.at(-1)?.previousTurn).toMatchObject({ thoughtSignature: 'c2ln' });
  });

  it('does not go with an image that was made from others, which the turn would lack', async () => {
    const { studio, edit, sent } = await createEditor(signed);
    await edit('b', 'a');
    await edit('c', 'b');
    expect(sent.at(-1)).not.toHaveProperty('previousTurn');
    await studio.generate('d', { references: [inline] });
    await edit('e', 'd');
    expect(sent.at(-1)).not.toHaveProperty('previousTurn');
  });

  it('does not go with a smaller version of it, nor with a reference, nor without a signature', async () => {
    const { studio, edit, sent } = await createEditor(signed);
    await studio.generate('b', { references: [{ generationId: toId('a') }] });
    expect(sent.at(-1)).not.toHaveProperty('previousTurn');
    const path = `accounts/ann/generations/${toId('a')}`;
    const [{ image: whole } = {}] = studio
      .documents('accounts/ann/generations')
      .filter(({ publicId }) => String(publicId).startsWith(toId('a')));
    studio.edit(path, { image: { ...(whole as object), bytes: 20_000_000 } });
    expect((await edit('c', 'a')).body.generation).toMatchObject({ reducedReferences: [0] });
    expect(sent.at(-1)).not.toHaveProperty('previousTurn');
    studio.edit(path, { image: whole, thoughtSignature: null });
    await edit('d', 'a');
    expect(sent.at(-1)).not.toHaveProperty('previousTurn');
  });
});
