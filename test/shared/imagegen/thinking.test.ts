/** A text model thinks as little as it can: a request that its version does not know is refused as a whole. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { createGemini } from '../../../shared/imagegen/gemini.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';

let server: FakeGemini;
beforeAll(async () => {
  server = await startFakeGemini({ apiKey: 'key' });
});
afterAll(() => server.close());

type Body = { generationConfig?: { thinkingConfig?: object } } | undefined;

function createClient() {
  const gemini = { apiKey: 'key', baseUrl: server.url, vertexAi: false, location: undefined };
  return createGemini({ projectId: 'any', gemini }, { warning: vi.fn() });
}

/** The answer of a text model, or the failure, and what the request said of thinking. */
async function write(modelId: string) {
  const gemini = createClient();
  const request = { instruction: 'Improve', prompt: 'A banana', schema: {}, outputTokensMax: 100 };
  const answer = await gemini.write(modelId, request, 20_000).catch(({ reason }) => ({ reason }));
  const body = server.requests.at(-1)?.body as Body;
  return { answer, thinking: body?.generationConfig?.thinkingConfig };
}

it.each([
  ['gemini-3.5-flash-lite', { thinkingLevel: 'MINIMAL' }],
  ['gemini-2.5-flash', { thinkingBudget: 0 }],
])('%s answers a request with the least thinking', async (modelId, thinking) => {
  const written = await write(modelId);
  expect(written.answer).toMatchObject({ finishReason: 'STOP' });
  expect(written.thinking).toEqual(thinking);
});

it.each([
  ['gemini-3.1-flash-lite', { thinkingLevel: 'MINIMAL' }],
  ['gemini-3.8-flash', { thinkingLevel: 'LOW' }],
  ['gemini-2.5-flash-lite', { thinkingBudget: 0 }],
  ['gemini-2.5-pro', { thinkingBudget: 128 }],
])('%s is asked for the least that it accepts', async (modelId, thinking) => {
  expect((await write(modelId)).thinking).toEqual(thinking);
});

it('neither a text model nor an image model gets settings that Google has deprecated from version 3.6 on', async () => {
  const gemini = createClient();
  const image = {
    prompt: 'A banana',
    aspectRatio: '1:1' as const,
    resolution: '1K' as const,
    references: [],
  };
  await gemini.generateImage(
    imageModel('gemini-nano-banana-2.1'),
    image,
    20_000,
    new AbortController().signal,
  );
  await write('gemini-3.8-flash');
  const configs = server.requests.slice(-2).map(({ body }) => (body as Body)?.generationConfig ?? {});
  expect(configs).toHaveLength(2);
  for (const config of configs) {
    for (const name of ['temperature', 'topP', 'topK']) expect(config).not.toHaveProperty(name);
  }
});
