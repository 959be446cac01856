import { type GenerateContentResponse, Type } from '@google/genai';
import { imageSize } from 'image-size';
import { describe, expect, test } from 'vitest';
import { defaultModel, gemini, imageRequest, picture, post } from './support.ts';

const getImage = (response: GenerateContentResponse) => {
  const inline = response.candidates?.[0]?.content?.parts?.findLast((part) => part.inlineData)?.inlineData;
  return { mimeType: inline?.mimeType, bytes: Buffer.from(inline?.data ?? '', 'base64') };
};

describe('the real SDK gets an answer', () => {
  test.each([
    ['gemini-2.5-flash-image', '1:1', undefined, 1024, 1024, 'png', 1290],
    ['gemini-2.5-flash-image', '3:2', undefined, 1248, 832, 'png', 1290],
    ['gemini-2.5-flash-image', '2:3', undefined, 832, 1248, 'png', 1290],
    ['gemini-2.5-flash-image', '16:9', undefined, 1344, 768, 'png', 1290],
    ['gemini-2.5-flash-image', '9:16', undefined, 768, 1344, 'png', 1290],
    ['gemini-nano-banana-2.1', '16:9', undefined, 1376, 768, 'jpg', 1120],
    ['gemini-nano-banana-2.1', '9:16', '2K', 1536, 2752, 'jpg', 1680],
    ['gemini-3.1-flash-lite-image', '8:1', '1K', 2816, 352, 'jpg', 1120],
    ['gemini-3.1-flash-image', '3:2', '512', 632, 424, 'jpg', 747],
    ['gemini-3-pro-image', '1:1', '4K', 4096, 4096, 'jpg', 2000],
  ])(
    'from %s at %s, size %s: %d x %d %s',
    async (model, aspectRatio, imageSizeAsked, width, height, type, tokens) => {
      const { sdk, server } = await gemini();
      const response = await sdk.models.generateContent({
        ...imageRequest(),
        model,
        config: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio, ...(imageSizeAsked ? { imageSize: imageSizeAsked } : {}) },
        },
      });
      const { bytes, mimeType } = getImage(response);
      expect(imageSize(bytes)).toMatchObject({ width, height, type });
      expect(mimeType).toBe(type === 'png' ? 'image/png' : 'image/jpeg');
      expect(response.usageMetadata?.candidatesTokensDetails).toEqual([
        { modality: 'IMAGE', tokenCount: tokens },
      ]);
      expect(response).toMatchObject({
        modelVersion: model,
        candidates: [{ finishReason: 'STOP', index: 0 }],
      });
      expect(response.responseId).toBeTruthy();
      expect(server.requests).toMatchObject([{ model, worked: true }]);
    },
  );

  test('with a different image for a different prompt, and with text unless excluded', async () => {
    const { sdk } = await gemini();
    const [fox, owl] = await Promise.all(
      ['a fox', 'an owl'].map((contents) => sdk.models.generateContent({ model: defaultModel, contents })),
    );
    expect(fox?.candidates?.[0]?.content?.parts?.[0]).toEqual({ text: 'Here is your image:' });
    expect(fox && owl && getImage(fox).bytes.equals(getImage(owl).bytes)).toBe(false);
  });

  test("with references, up to the model's limit", async () => {
    const { sdk } = await gemini();
    const reference = { inlineData: { mimeType: 'image/png', data: picture().toString('base64') } };
    const request = imageRequest();
    const response = await sdk.models.generateContent({
      ...request,
      contents: [{ role: 'user', parts: [{ text: 'a fox' }, reference, reference, reference] }],
    });
    expect(response.usageMetadata?.promptTokensDetails).toContainEqual({
      modality: 'IMAGE',
      tokenCount: 3 * 258,
    });
  });

  test.each(['gemini-3.5-flash-lite', 'gemini-2.5-flash'])(
    'from %s with the same enhanced prompt each time',
    async (model) => {
      const { sdk } = await gemini();
      const enhance = () =>
        sdk.models.generateContent({
          model,
          contents: 'a fox.',
          config: { systemInstruction: 'Improve the prompt.', temperature: 0, maxOutputTokens: 400 },
        });
      const [first, second] = [await enhance(), await enhance()];
      expect(first.text).toMatch(/^a fox, in soft natural light/);
      expect(second.text).toBe(first.text);
      expect(first.candidates?.[0]?.finishReason).toBe('STOP');
    },
  );

  test('with JSON of the shape of a schema', async () => {
    const { sdk } = await gemini();
    const properties = {
      words: { type: Type.STRING },
      ok: { type: Type.BOOLEAN },
      sizes: { type: Type.ARRAY, items: { type: Type.INTEGER } },
    };
    const response = await sdk.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'a fox',
      config: {
        responseMimeType: 'application/json',
        responseSchema: { type: Type.OBJECT, properties },
      },
    });
    expect(JSON.parse(response.text ?? '')).toEqual({ words: 'You said: a fox', ok: true, sizes: [1] });
  });

  test('with a text cut off at maxOutputTokens', async () => {
    const { sdk } = await gemini();
    const response = await sdk.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'a fox',
      config: { systemInstruction: 'Improve.', maxOutputTokens: 4 },
    });
    expect(response.text).toHaveLength(16);
    expect(response.candidates?.[0]?.finishReason).toBe('MAX_TOKENS');
  });
});

describe('the HTTP interface', () => {
  test('accepts v1, snake_case names, safety settings and store', async () => {
    const { server } = await gemini();
    const body = {
      contents: [{ parts: [{ text: 'a fox' }] }],
      safety_settings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }],
      store: false,
      generation_config: { response_modalities: ['IMAGE'], image_config: { aspect_ratio: '16:9' } },
    };
    const { status, body: answer } = await post(server, body, { version: 'v1' });
    expect(status).toBe(200);
    const { data } = answer.candidates[0].content.parts[0].inlineData;
    expect(imageSize(Buffer.from(data, 'base64'))).toMatchObject({ width: 1344, height: 768 });
  });

  test('lets a test delay a generation with onRequest', async () => {
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const { server } = await gemini({
      onRequest: async () => {
        arrived.resolve();
        await held.promise;
      },
    });
    const call = post(server, { contents: [{ parts: [{ text: 'a fox' }] }] });
    await arrived.promise;
    expect(server.requests).toMatchObject([{ worked: false }]);
    held.resolve();
    expect((await call).status).toBe(200);
    expect(server.requests).toMatchObject([{ worked: true }]);
  });

  test('delays answers by latencyMs', async () => {
    const { server } = await gemini({ latencyMs: 60 });
    const start = performance.now();
    await post(server, { contents: [{ parts: [{ text: 'a fox' }] }] }, { model: 'gemini-2.5-flash' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(55);
  });

  test('remembers at most requestsMax requests', async () => {
    const { server } = await gemini({ requestsMax: 1 });
    await post(server, {}, { model: 'first' });
    await post(server, {}, { model: 'second' });
    expect(server.requests).toMatchObject([{ model: 'second' }]);
  });
});
