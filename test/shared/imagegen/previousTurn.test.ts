/** A model goes on from its own work: the turn in which it made an image is sent back with its thought signature. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { googleError } from '../../../local/fakes/geminiFaults.ts';
import { createGemini, type ImageRequest } from '../../../shared/imagegen/gemini.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import { squarePng } from '../../support/pictures.ts';

const modelId = 'gemini-3-pro-image';
const png = { mimeType: 'image/png' as const, data: squarePng.toString('base64') };
const previousTurn = { modelId, prompt: 'A banana', thoughtSignature: 'c2lnbmF0dXJl' };

/** One answer of the model with an error, or with these parts. */
const refuse = (...error: Parameters<typeof googleError>) =>
  server.script({ kind: 'reply', ...googleError(...error) });
const answer = (parts: object[]) =>
  server.script({
    kind: 'answer',
    body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }] },
  });

let server: FakeGemini;
const warning = vi.fn();
beforeAll(async () => {
  server = await startFakeGemini({ apiKey: 'key' });
});
afterAll(() => server.close());

async function generate(more: Partial<ImageRequest> = {}, id = modelId) {
  const gemini = { apiKey: 'key', baseUrl: server.url, vertexAi: false, location: undefined };
  const client = createGemini({ projectId: 'any', gemini }, { warning });
  const shape = { aspectRatio: '1:1', resolution: '1K' } as const;
  const request = { prompt: 'At night', ...shape, references: [png], ...more };
  const before = server.requests.length;
  const image = await client
    .generateImage(imageModel(id), request, 20_000, new AbortController().signal)
    .catch(({ reason }) => ({ reason }));
  const sent = server.requests.slice(before).map(({ body }) => (body as { contents: object[] }).contents);
  return { image, sent };
}

const plain = [{ role: 'user', parts: [{ text: 'At night' }, { inlineData: png }] }];
const withTurn = [
  { role: 'user', parts: [{ text: 'A banana' }] },
  { role: 'model', parts: [{ inlineData: png, thoughtSignature: 'c2lnbmF0dXJl' }] },
  { role: 'user', parts: [{ text: 'At night' }] },
];

describe('the previous turn', () => {
  it('comes before the request, whole and with the signature on the image', async () => {
    expect((await generate({ previousTurn })).sent).toEqual([withTurn]);
    const others = { previousTurn, references: [png, png] };
    expect((await generate(others)).sent.at(0)?.at(-1)).toEqual(plain[0]);
  });

  it('is sent only to the model that made the image', async () => {
    expect((await generate({ previousTurn }, 'gemini-nano-banana-2.1')).sent).toEqual([plain]);
    expect((await generate()).sent).toEqual([plain]);
  });

  it.each([
    'invalid thought signature for content at index 1',
    "Invalid value at 'contents[1].parts[0].thought_signature' (TYPE_BYTES), Base64 decoding failed",
    'Unable to process input image. Please retry or report in https://example.com',
  ])('is left out if the model refuses it: %s', async (message) => {
    refuse(400, 'INVALID_ARGUMENT', message);
    const { image, sent } = await generate({ previousTurn });
    expect(sent).toEqual([withTurn, plain]);
    expect(image).toMatchObject({ model: modelId });
    expect(warning).toHaveBeenCalledWith(expect.stringContaining('previous turn'), { model: modelId });
  });

  it.each([
    ['an overloaded model', 503, 'UNAVAILABLE'],
    ['a quota', 429, 'RESOURCE_EXHAUSTED'],
  ] as const)('is not the cause of a failure of %s', async (_, code, status) => {
    refuse(code, status, 'Some text');
    expect((await generate({ previousTurn })).sent).toEqual([withTurn]);
  });

  it('is not sent twice without it, if the request itself is refused', async () => {
    refuse(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.');
    expect(await generate()).toEqual({ image: { reason: 'PROVIDER_ERROR' }, sent: [plain] });
  });
});

describe('a signature', () => {
  const signed = { inlineData: png, thoughtSignature: 'c2lnbmF0dXJl' };
  it.each<[string, object[], string | undefined]>([
    ['is kept with its image', [signed], 'c2lnbmF0dXJl'],
    ['is kept after thoughts', [{ text: 'Hm', thought: true }, signed], 'c2lnbmF0dXJl'],
    ['is not kept beside text, which would be missing', [{ text: 'Here:' }, signed], undefined],
    ['is not kept of one image of several', [{ inlineData: png }, signed], undefined],
    ['is absent if the model gives none', [{ inlineData: png }], undefined],
    ['of 64 KiB is kept', [{ ...signed, thoughtSignature: 'A'.repeat(65_536) }], 'A'.repeat(65_536)],
    ['that is longer is not kept', [{ ...signed, thoughtSignature: 'A'.repeat(65_540) }], undefined],
    // An example of Google's has 1.9 MB, in base64 a third more.
    [
      'of any length spoils no image, also of several drafts',
      [1, 2, 3].map((i) => ({ ...signed, thought: i < 3, thoughtSignature: 'A'.repeat(4_000_000) })),
      undefined,
    ],
  ])('%s', async (_, parts, thoughtSignature) => {
    answer(parts);
    const { image } = await generate();
    expect(image).toMatchObject({ model: modelId });
    expect((image as { thoughtSignature?: string }).thoughtSignature).toBe(thoughtSignature);
  });
});
