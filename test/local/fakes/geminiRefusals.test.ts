import { ApiError } from '@google/genai';
import { describe, expect, test } from 'vitest';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { gemini, geminiSdk, imageRequest, picture, post, rejection } from './support.ts';

const user = (...parts: unknown[]) => [{ role: 'user', parts }];
const fox = { text: 'a fox' };
const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } });
const reference = inline('image/png', picture().toString('base64'));
const image = (imageConfig: object) => ({ contents: user(fox), generationConfig: { imageConfig } });
const pro = 'gemini-3-pro-image';
const text = 'gemini-2.5-flash';
const levelText = 'gemini-3.5-flash-lite';

type Row = {
  name: string;
  body?: unknown;
  call?: { model?: string; method?: string; version?: string; headers?: Record<string, string> };
  status?: number;
  code?: string;
  message: string | RegExp;
};

const rows: Row[] = [
  { name: 'a wrong key', call: { headers: { 'x-goog-api-key': 'other' } }, message: 'API key not valid' },
  { name: 'an empty key', call: { headers: { 'x-goog-api-key': '' } }, message: 'API key not valid' },
  {
    name: 'a server timeout below ten seconds',
    call: { headers: { 'x-server-timeout': '5' } },
    message: 'Manually set deadline 5s is too short',
  },
  {
    name: 'an unknown model',
    call: { model: 'gemini-9' },
    status: 404,
    code: 'NOT_FOUND',
    message: 'models/gemini-9 is not found for API version v1beta',
  },
  {
    name: 'an unknown model of v1',
    call: { model: 'constructor', version: 'v1' },
    status: 404,
    code: 'NOT_FOUND',
    message: 'models/constructor is not found for API version v1,',
  },
  {
    name: 'a retired Imagen model',
    call: { model: 'imagen-4.0-fast-generate-001' },
    status: 404,
    code: 'NOT_FOUND',
    message: 'no longer available',
  },
  {
    name: 'the predict method of Imagen',
    call: { model: 'imagen-4.0-fast-generate-001', method: 'predict' },
    status: 404,
    code: 'NOT_FOUND',
    message: 'not supported for predict',
  },
  {
    name: 'a schema without JSON',
    body: { contents: user(fox), generationConfig: { responseSchema: { type: 'OBJECT' } } },
    call: { model: text },
    message: 'response_schema',
  },
  {
    name: 'an answer of an unknown type',
    body: { contents: user(fox), generationConfig: { responseMimeType: 'text/html' } },
    call: { model: text },
    message: 'allowed mimetypes are `text/plain`, `application/json`',
  },
  {
    name: 'JSON from an image model',
    body: { contents: user(fox), generationConfig: { responseMimeType: 'application/json' } },
    message: 'JSON mode is not enabled for this model',
  },
  {
    name: 'malformed JSON',
    body: '{"contents": [',
    message: 'Invalid JSON payload received. Unexpected token.',
  },
  { name: 'an empty body', body: '', message: 'Unexpected token' },
  { name: 'a body that is a list', body: [], message: "Invalid value at 'request' (MESSAGE)" },
  { name: 'a body of null', body: null, message: 'contents is not specified' },
  {
    name: 'an unknown field at the top',
    body: { contents: user(fox), prompt: 'a fox' },
    message: 'Invalid JSON payload received. Unknown name "prompt": Cannot find field.',
  },
  {
    name: 'an unknown field of generationConfig',
    body: { contents: user(fox), generationConfig: { aspectRatio: '1:1' } },
    message: `Unknown name "aspectRatio" at 'generation_config': Cannot find field.`,
  },
  {
    name: 'an unknown field of imageConfig',
    body: image({ personGeneration: 'ALLOW_ALL' }),
    message: `Unknown name "personGeneration" at 'generation_config.image_config': Cannot find field.`,
  },
  {
    name: 'an unknown field of a part',
    body: { contents: user({ text: 'a fox', size: 1 }) },
    message: `Unknown name "size" at 'contents[0].parts[0]': Cannot find field.`,
  },
  {
    name: 'an unknown field of a safety setting',
    body: { contents: user(fox), safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', method: 'X' }] },
    message: `Unknown name "method" at 'safety_settings[0]'`,
  },
  {
    name: 'an unknown safety category',
    body: { contents: user(fox), safetySettings: [{ category: 'HARM', threshold: 'OFF' }] },
    message: "Invalid value at 'safety_settings[0].category'",
  },
  {
    name: 'an unknown modality',
    body: { contents: user(fox), generationConfig: { responseModalities: ['PICTURE'] } },
    message: "Invalid value at 'generation_config.response_modalities[0]'",
  },
  {
    name: 'a value of the wrong type',
    body: { contents: user({ text: 7 }) },
    message: "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 7",
  },
  {
    name: 'contents that are not a list',
    body: { contents: 'a fox' },
    message: "Invalid value at 'contents' (LIST)",
  },
  {
    name: 'missing contents',
    body: {},
    message: 'GenerateContentRequest.contents: contents is not specified',
  },
  { name: 'empty contents', body: { contents: [] }, message: 'contents is not specified' },
  {
    name: 'contents without parts',
    body: { contents: [{ role: 'user' }] },
    message: 'contents.parts must not be empty',
  },
  { name: 'an empty part', body: { contents: user({}) }, message: "required oneof field 'data'" },
  {
    name: 'a part of two kinds',
    body: { contents: user({ ...fox, ...reference }) },
    message: 'is already set',
  },
  {
    name: 'an unknown role',
    body: { contents: [{ role: 'system', parts: [fox] }] },
    message: 'Please use a valid role: user, model.',
  },
  {
    name: 'inline data that is not base64',
    body: { contents: user(fox, inline('image/png', 'a*b=')) },
    message: "Invalid value at 'contents[0].parts[1].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
  },
  {
    name: 'inline data without a type',
    body: { contents: user(fox, { inlineData: { data: 'AAAA' } }) },
    message: 'mime_type must not be empty',
  },
  {
    name: 'inline data of an unsupported type',
    body: { contents: user(fox, inline('text/html', 'AAAA')) },
    message: 'Unsupported MIME type: text/html',
  },
  {
    name: 'inline data that is not an image',
    body: { contents: user(fox, inline('image/png', Buffer.from('text').toString('base64'))) },
    message: 'Unable to process input image',
  },
  {
    name: 'empty inline data',
    body: { contents: user(fox, inline('image/png', '')) },
    message: 'Unable to process input image',
  },
  {
    name: 'a thinking budget of 0 for a model with levels',
    body: { contents: user(fox), generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    call: { model: levelText },
    message: 'Budget 0 is invalid. This model only works in thinking mode.',
  },
  {
    name: 'a thinking level for a model with a budget',
    body: { contents: user(fox), generationConfig: { thinkingConfig: { thinkingLevel: 'MINIMAL' } } },
    call: { model: text },
    message: 'Thinking level is not supported for this model.',
  },
  {
    name: 'a fourth reference for the first Nano Banana',
    body: { contents: user(fox, ...Array(4).fill(reference)) },
    message: 'number of input images (4) exceeds the maximum supported by the model (3)',
  },
  {
    name: 'a fifteenth reference for a later model',
    body: { contents: user(fox, ...Array(15).fill(reference)) },
    call: { model: pro },
    message: 'number of input images (15)',
  },
  {
    name: 'an unknown ratio',
    body: image({ aspectRatio: '7:5' }),
    message: "aspect_ratio must be one of '1:1', '2:3'",
  },
  {
    name: 'a ratio of another model',
    body: image({ aspectRatio: '8:1' }),
    call: { model: pro },
    message: 'aspect_ratio',
  },
  {
    name: 'a size for a model with a fixed size',
    body: image({ imageSize: '1K' }),
    message: 'image_size is not supported',
  },
  {
    name: 'a size in lower case',
    body: image({ imageSize: '2k' }),
    call: { model: pro },
    message: "one of '1K', '2K', '4K'",
  },
  {
    name: 'a size of another model',
    body: image({ imageSize: '2K' }),
    call: { model: 'gemini-3.1-flash-lite-image' },
    message: "one of '1K'.",
  },
  {
    name: 'half the size of the model that no longer has it',
    body: image({ imageSize: '512' }),
    call: { model: 'gemini-nano-banana-2.1' },
    message: "one of '1K', '2K', '4K'",
  },
  {
    name: 'four times the size of a model with a fixed size',
    body: image({ imageSize: '4K' }),
    message: 'image_size is not supported',
  },
  {
    name: 'a large size in lower case',
    body: image({ imageSize: '4k' }),
    call: { model: 'gemini-nano-banana-2.1' },
    message: "one of '1K', '2K', '4K'",
  },
  {
    name: 'several candidates',
    body: { contents: user(fox), generationConfig: { candidateCount: 2 } },
    message: 'Multiple candidates is not enabled',
  },
  {
    name: 'an image of a text model',
    body: { contents: user(fox), generationConfig: { responseModalities: ['IMAGE'] } },
    call: { model: text },
    message: 'response modalities (IMAGE) is not supported',
  },
  {
    name: 'an image configuration of a text model',
    body: image({ aspectRatio: '1:1' }),
    call: { model: text },
    message: 'Image generation is not enabled',
  },
];

describe('refuses a request for', () => {
  test.each(rows)(
    '$name',
    async ({ body = { contents: user(fox) }, call = {}, status = 400, code, message }) => {
      const { server } = await gemini();
      server.always(geminiFault.internal());
      const answer = await post(server, body, call);
      expect(answer).toMatchObject({
        status,
        body: {
          error: {
            code: status,
            status: code ?? 'INVALID_ARGUMENT',
            message: expect.stringContaining(String(message)),
          },
        },
      });
      expect(server.requests.every((request) => !request.worked)).toBe(true);
    },
  );

  test('a missing key', async () => {
    const { server } = await gemini();
    const response = await fetch(`${server.url}/v1beta/models/gemini-2.5-flash:generateContent`, {
      method: 'POST',
      body: '{}',
    });
    const { error } = (await response.json()) as { error: { details: unknown[] } };
    expect(response.status).toBe(400);
    expect(error.details).toContainEqual(expect.objectContaining({ reason: 'API_KEY_INVALID' }));
  });

  test('more than 20 MB, but accepts slightly less', async () => {
    const { server } = await gemini();
    const ofLength = (length: number) => ({ contents: user({ text: 'x'.repeat(length) }) });
    const answer = await post(server, ofLength(20 * 1024 * 1024), { model: text });
    expect(answer).toMatchObject({ status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } });
    expect(answer.body.error.message).toBe('Request payload size exceeds the limit: 20971520 bytes.');
    const bytes = Buffer.concat([picture(), Buffer.alloc(15_000_000)]).toString('base64');
    expect(
      (await post(server, { contents: user(fox, inline('image/png', bytes)) }, { model: text })).status,
    ).toBe(200);
  });

  test('all invalid fields at once, each with its path', async () => {
    const { server } = await gemini();
    const { body } = await post(server, { a: 1, contents: user(fox), generationConfig: { b: 2 } });
    expect(
      body.error.details[0].fieldViolations.map((violation: { field: string }) => violation.field),
    ).toEqual(['', 'generation_config']);
  });

  test('any method but generateContent', async () => {
    const { server } = await gemini();
    expect((await fetch(`${server.url}/v1beta/models`)).status).toBe(404);
    expect((await fetch(`${server.url}/`)).status).toBe(404);
    expect((await post(server, {}, { method: 'streamGenerateContent' })).status).toBe(404);
  });
});

test('the SDK throws an ApiError with the status of the refusal', async () => {
  const { server } = await gemini();
  const error = await rejection(geminiSdk(server, 'wrong').models.generateContent(imageRequest()));
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 400, message: expect.stringContaining('API_KEY_INVALID') });
  expect(server.requests).toMatchObject([{ refused: 400 }]);
});
