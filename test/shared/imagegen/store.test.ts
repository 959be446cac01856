/** Nothing is kept at Google: every request says so, and Vertex AI may refuse the field. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFakeGemini } from '../../../local/fakes/gemini.ts';
import { createGemini } from '../../../shared/imagegen/gemini.ts';
import { imageModel } from '../../../shared/imagegen/models.ts';
import { squarePng } from '../../support/pictures.ts';

const imageId = 'gemini-nano-banana-2.1';
const textId = 'gemini-3.5-flash-lite';
const request = {
  prompt: 'A banana',
  aspectRatio: '1:1' as const,
  resolution: '1K' as const,
  references: [],
};
const signal = new AbortController().signal;

type Body = { store?: boolean };

describe('the Gemini API', () => {
  it('is told to store neither images nor texts', async () => {
    const server = await startFakeGemini({ apiKey: 'key' });
    const options = {
      projectId: 'any',
      gemini: { apiKey: 'key', baseUrl: server.url, vertexAi: false, location: undefined },
    };
    const gemini = createGemini(options, { warning: vi.fn() });
    await gemini.generateImage(imageModel(imageId), request, 20_000, signal);
    await gemini.write(
      textId,
      { instruction: 'Improve', prompt: 'A banana', schema: {}, outputTokensMax: 100 },
      20_000,
    );
    await server.close();
    expect(server.requests.map(({ model, body }) => [model, (body as Body).store])).toEqual([
      [imageId, false],
      [textId, false],
    ]);
  });
});

describe('Vertex AI', () => {
  const bodies: Body[] = [];
  const refusal = {
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'Unknown name "store": Cannot find field.',
  };
  let refuse: (body: Body) => typeof refusal | undefined = () => undefined;
  const part = { inlineData: { mimeType: 'image/png', data: squarePng.toString('base64') } };

  /** The metadata server, which signs in, and Vertex AI in one. */
  const google = createServer(async (incoming, response) => {
    const { url = '' } = incoming;
    response.setHeader('Metadata-Flavor', 'Google');
    response.setHeader('Content-Type', 'application/json');
    if (url.startsWith('/computeMetadata')) {
      const token = { access_token: 'of-the-account', expires_in: 3600, token_type: 'Bearer' };
      response.end(
        url.includes('/token')
          ? JSON.stringify(token)
          : url.includes('universe')
            ? 'googleapis.com'
            : 'a-project',
      );
      return;
    }
    const body: Body = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
    bodies.push(body);
    const refused = refuse(body);
    response.statusCode = refused?.status ?? 200;
    const error = refused && { code: refused.status, status: refused.code, message: refused.message };
    const candidates = [{ content: { parts: [part, { text: 'Better' }] }, finishReason: 'STOP' }];
    response.end(JSON.stringify(error ? { error } : { candidates }));
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => google.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('GCE_METADATA_HOST', `127.0.0.1:${(google.address() as AddressInfo).port}`);
    vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    google.close();
  });
  beforeEach(() => {
    bodies.length = 0;
  });

  const start = () => {
    const warning = vi.fn();
    const baseUrl = `http://127.0.0.1:${(google.address() as AddressInfo).port}`;
    const options = {
      projectId: 'a-project',
      gemini: { apiKey: undefined, baseUrl, vertexAi: true, location: undefined },
    };
    const gemini = createGemini(options, { warning });
    const generate = () => gemini.generateImage(imageModel(imageId), request, 20_000, signal);
    return { gemini, generate, warning };
  };
  const stores = () => bodies.map(({ store }) => store);

  it('is told to store neither images nor texts', async () => {
    refuse = () => undefined;
    const { gemini, generate, warning } = start();
    expect(await generate()).toMatchObject({ width: 1024, height: 1024 });
    expect(
      (
        await gemini.write(
          textId,
          { instruction: 'Improve', prompt: 'A banana', schema: {}, outputTokensMax: 100 },
          20_000,
        )
      ).text,
    ).toBe('Better');
    expect(stores()).toEqual([false, false]);
    expect(warning).not.toHaveBeenCalled();
  });

  it('is asked again without the field if it refuses it, and the process remembers that', async () => {
    refuse = ({ store }) => (store === undefined ? undefined : refusal);
    const { gemini, generate, warning } = start();
    await Promise.all([generate(), generate()]);
    await gemini.write(
      textId,
      { instruction: 'Improve', prompt: 'A banana', schema: {}, outputTokensMax: 100 },
      20_000,
    );
    expect(stores().sort()).toEqual([false, false, undefined, undefined, undefined]);
    expect(stores().at(-1)).toBeUndefined();
    expect(warning).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['another field', { ...refusal, message: 'Unknown name "stores": Cannot find field.' }],
    ['another status', { ...refusal, status: 403, code: 'PERMISSION_DENIED' }],
  ])('is not asked again for a refusal of %s', async (_, other) => {
    refuse = () => other;
    const { generate, warning } = start();
    await expect(generate()).rejects.toMatchObject({ details: { providerFailure: { kind: 'refused' } } });
    expect(stores()).toEqual([false]);
    expect(warning).not.toHaveBeenCalled();
  });
});
