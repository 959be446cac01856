import { GoogleGenAI } from '@google/genai';
import { createCanvas } from '@napi-rs/canvas';
import { afterEach } from 'vitest';
import {
  type CloudinaryOptions,
  type FakeCloudinary,
  startFakeCloudinary,
} from '../../../local/fakes/cloudinary.ts';
import { type FakeGemini, type GeminiOptions, startFakeGemini } from '../../../local/fakes/gemini.ts';

const fakes: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(fakes.splice(0).map((server) => server.close()));
});

const geminiKey = 'key-of-the-test';
export const defaultModel = 'gemini-2.5-flash-image';

/** A fake that stops with the test, and the real SDK connected to it. */
export async function gemini(options: Partial<GeminiOptions> = {}) {
  const server = await startFakeGemini({ apiKey: geminiKey, ...options });
  fakes.push(server);
  return { server, sdk: geminiSdk(server) };
}

export const geminiSdk = (server: FakeGemini, apiKey = geminiKey) =>
  new GoogleGenAI({
    apiKey,
    apiVersion: 'v1beta',
    httpOptions: { baseUrl: server.url, extraBody: { store: false } },
  });

export const imageRequest = (prompt = 'a fox', aspectRatio = '1:1') => ({
  model: defaultModel,
  contents: [{ role: 'user', parts: [{ text: prompt }] }],
  config: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio } },
});

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A raw call, for requests that the SDK would refuse. An object is sent with `store: false`, as the fake requires. */
export async function post(
  server: FakeGemini,
  body: unknown,
  { model = defaultModel, version = 'v1beta', method = 'generateContent', headers = {} } = {},
) {
  const response = await fetch(`${server.url}/${version}/models/${model}:${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': geminiKey, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(isObject(body) ? { store: false, ...body } : body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

export const cloudinaryAccount = {
  cloudName: 'test-cloud',
  apiKey: '123456789012345',
  apiSecret: 'the-secret',
};

/** A fake that stops with the test, the real SDK, and the options that connect it to the fake. */
export async function cloudinary(options: Partial<CloudinaryOptions> = {}) {
  const server = await startFakeCloudinary({ ...cloudinaryAccount, ...options });
  fakes.push(server);
  return { server, sdk: await cloudinarySdk(server), to: sdkOptions(server) };
}

const sdkOptions = (server: FakeCloudinary) => ({
  cloud_name: cloudinaryAccount.cloudName,
  api_key: cloudinaryAccount.apiKey,
  api_secret: cloudinaryAccount.apiSecret,
  upload_prefix: server.url,
});

/** The SDK chooses http or https only once, at its import, from CLOUDINARY_URL. */
async function cloudinarySdk(server: FakeCloudinary) {
  process.env.CLOUDINARY_URL = server.cloudinaryUrl;
  return (await import('cloudinary')).v2;
}

/** A small image in one colour. */
export function picture(
  width = 64,
  height = 40,
  colour = 'teal',
  mime: 'image/png' | 'image/jpeg' = 'image/png',
) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return mime === 'image/png' ? canvas.toBuffer(mime) : canvas.toBuffer(mime, 90);
}

export const dataUri = (bytes: Uint8Array, mimeType = 'image/png') =>
  `data:${mimeType};base64,${Buffer.from(bytes).toString('base64')}`;

/** The error with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value).slice(0, 200)}`);
    },
    (error: unknown) => error,
  );
}
