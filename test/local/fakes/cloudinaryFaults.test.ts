import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { type CloudinaryStep, cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { cloudinary, cloudinaryAccount, dataUri, picture, rejection } from './support.ts';

const now = () => Math.floor(Date.now() / 1000);
const image = dataUri(picture());

/** A call with its own signature. `spoil` changes fields after signing. */
async function call(
  server: FakeCloudinary,
  {
    cloud = cloudinaryAccount.cloudName,
    action = 'upload',
    signed = {},
    spoil = {},
  }: {
    cloud?: string;
    action?: string;
    signed?: Record<string, string>;
    spoil?: Record<string, string | Blob | undefined>;
  },
) {
  const fields = { timestamp: String(now()), public_id: 'one', ...signed };
  const toSign = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const signature = createHash('sha1')
    .update(toSign + cloudinaryAccount.apiSecret)
    .digest('hex');
  const form = new FormData();
  const all = { ...fields, signature, api_key: cloudinaryAccount.apiKey, file: image, ...spoil };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) form.append(name, value);
  const response = await fetch(`${server.url}/v1_1/${cloud}/image/${action}`, { method: 'POST', body: form });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('refuses a call for', () => {
  test.each<[string, Parameters<typeof call>[1], number, string | RegExp]>([
    ['another cloud', { cloud: 'other' }, 401, 'Invalid cloud_name other'],
    ['no key', { spoil: { api_key: undefined } }, 401, 'Must supply api_key'],
    ['another key', { spoil: { api_key: '1' } }, 401, 'Unknown API key 1'],
    ['no signature', { spoil: { signature: undefined } }, 400, 'Missing required parameter - signature'],
    ['no timestamp', { spoil: { timestamp: undefined } }, 400, 'Missing required parameter - timestamp'],
    [
      'a timestamp in words',
      { signed: { timestamp: 'now' } },
      400,
      'Invalid value for parameter - timestamp',
    ],
    [
      'a stale timestamp',
      { signed: { timestamp: '1600000000' } },
      400,
      'Stale request - reported time is 2020-09-13 12:26:40 +0000 which is more than 1 hour ago',
    ],
    [
      'a wrong signature',
      { spoil: { signature: 'abc' } },
      401,
      /^Invalid Signature abc\. String to sign - 'public_id=one&timestamp=\d+'\.$/,
    ],
    [
      'a field that was not signed',
      { spoil: { overwrite: 'true' } },
      401,
      /String to sign - 'overwrite=true&public_id=one&/,
    ],
    [
      'a destroy with the signature of another public id',
      { action: 'destroy', spoil: { public_id: 'two' } },
      401,
      /^Invalid Signature/,
    ],
    ['no file', { spoil: { file: undefined } }, 400, 'Missing required parameter - file'],
    ['an empty file', { spoil: { file: new Blob([]) } }, 400, 'Empty file'],
    ['a file that is not an image', { spoil: { file: new Blob(['text']) } }, 400, 'Invalid image file'],
    [
      'a data URI that is not an image',
      { spoil: { file: 'data:image/png;base64,dGV4dA==' } },
      400,
      'Invalid image file',
    ],
    [
      'an address to fetch',
      { spoil: { file: 'https://example.com/a.png' } },
      400,
      'Error in loading https://example.com/a.png',
    ],
    [
      'a file over the limit',
      { spoil: { file: new Blob([new Uint8Array(2001)]) } },
      400,
      'File size too large. Got 2001. Maximum is 2000.',
    ],
    [
      'a public id that an address cannot contain',
      { signed: { public_id: 'a#b' } },
      400,
      'public_id (a#b) is invalid',
    ],
  ])('%s', async (_, request, status, message) => {
    const { server } = await cloudinary({ uploadBytesMax: 2000 });
    server.always(cloudinaryFault.error(500));
    const answer = await call(server, request);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
    expect(server.assets.size).toBe(0);
    expect(server.requests).toMatchObject([{ refused: status }]);
  });

  test('a stale timestamp, but not for one just under an hour old', async () => {
    const { server } = await cloudinary();
    expect((await call(server, { signed: { timestamp: String(now() - 3500) } })).status).toBe(200);
  });

  test('a destroy without public_id', async () => {
    const { server } = await cloudinary();
    const timestamp = String(now());
    const signature = createHash('sha1')
      .update(`timestamp=${timestamp}${cloudinaryAccount.apiSecret}`)
      .digest('hex');
    const spoil = { public_id: undefined, timestamp, signature };
    const answer = await call(server, { action: 'destroy', spoil });
    expect(answer).toEqual({
      status: 400,
      body: { error: { message: 'Missing required parameter - public_id' } },
    });
  });

  test('a body that is not a form', async () => {
    const { server } = await cloudinary();
    const response = await fetch(`${server.url}/v1_1/test-cloud/image/upload`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: 'nonsense',
    });
    expect(response.status).toBe(400);
  });

  test('a wrong secret: the SDK gets the string to sign', async () => {
    const { sdk, to } = await cloudinary();
    const upload = sdk.uploader.upload(image, { ...to, api_secret: 'wrong', public_id: 'one' });
    expect(await rejection(upload)).toMatchObject({
      http_code: 401,
      message: expect.stringMatching(
        /^Invalid Signature [0-9a-f]{40}\. String to sign - 'public_id=one&timestamp=\d+'\.$/,
      ),
    });
  });
});

describe('the SDK gets a scripted fault', () => {
  // For these statuses the SDK ignores the body and reports only the status.
  const toUnexpectedResponse = (http_code: number) => ({ name: 'UnexpectedResponse', http_code });
  const broken = { error: { code: 'ECONNRESET' } };
  test.each<[string, CloudinaryStep, object, number]>([
    ['400', cloudinaryFault.error(400), { http_code: 400, message: 'Invalid image file' }, 0],
    [
      '401',
      cloudinaryFault.error(401, 'Unknown API key 1'),
      { http_code: 401, message: 'Unknown API key 1' },
      0,
    ],
    ['403', cloudinaryFault.error(403), toUnexpectedResponse(403), 0],
    [
      '420',
      cloudinaryFault.rateLimited(),
      { http_code: 420, message: expect.stringContaining('Rate Limit Exceeded') },
      0,
    ],
    ['423', cloudinaryFault.error(423), toUnexpectedResponse(423), 0],
    ['500', cloudinaryFault.error(500), { http_code: 500, message: 'General Error' }, 0],
    ['502', cloudinaryFault.error(502), toUnexpectedResponse(502), 0],
    ['503', cloudinaryFault.error(503), toUnexpectedResponse(503), 0],
    [
      'an empty body',
      cloudinaryFault.emptyBody(),
      { message: expect.stringContaining('Server return invalid JSON') },
      0,
    ],
    [
      'a page',
      cloudinaryFault.html(200),
      { message: expect.stringContaining('Server return invalid JSON') },
      0,
    ],
    ['half of the JSON', cloudinaryFault.truncate(), { message: expect.stringContaining('invalid JSON') }, 1],
    ['a reset', cloudinaryFault.reset(), broken, 0],
    ['a reset after the headers', cloudinaryFault.reset('after-headers'), { code: 'ECONNRESET' }, 0],
    ['a reset after it was stored', cloudinaryFault.storedThenReset(), broken, 1],
    ['a 500 after it was stored', { ...cloudinaryFault.error(500), afterWork: true }, { http_code: 500 }, 1],
  ])('%s', async (_, step, seen, stored) => {
    const { sdk, server, to } = await cloudinary();
    server.script(step);
    expect(await rejection(sdk.uploader.upload(image, { ...to, public_id: 'one' }))).toMatchObject(seen);
    expect(server.assets.size).toBe(stored);
    // The step is used up: the repeated upload is stored.
    await sdk.uploader.upload(image, { ...to, public_id: 'one', overwrite: true });
    expect(server.assets.size).toBe(1);
  });

  test('no answer, until its idle timeout', async () => {
    const { sdk, server, to } = await cloudinary();
    server.script(cloudinaryFault.hang());
    const upload = sdk.uploader.upload(image, { ...to, public_id: 'one', timeout: 100 });
    expect(await rejection(upload)).toMatchObject({ error: { http_code: 499, name: 'TimeoutError' } });
  });

  test('no answer, until the server closes', async () => {
    const arrived = Promise.withResolvers<void>();
    const { sdk, server, to } = await cloudinary({ onRequest: () => arrived.resolve() });
    server.script(cloudinaryFault.hang());
    const upload = rejection(sdk.uploader.upload(image, { ...to, public_id: 'one' }));
    await arrived.promise;
    await server.close();
    expect(await upload).toMatchObject(broken);
  });
});

test('a dripping answer sends headers, then spaces forever', async () => {
  const { server } = await cloudinary();
  server.script({ ...cloudinaryFault.drip(1), action: 'deliver' });
  const response = await fetch(`${server.url}/test-cloud/image/upload/one.png`);
  let received = '';
  for await (const chunk of response.body ?? []) {
    received += Buffer.from(chunk).toString();
    if (received.length >= 5) break;
  }
  expect(received.trim()).toBe('');
});

test('stores a delayed upload', async () => {
  const { server } = await cloudinary();
  server.script(cloudinaryFault.delay(60));
  const start = performance.now();
  expect((await call(server, {})).status).toBe(200);
  expect(performance.now() - start).toBeGreaterThanOrEqual(55);
});

test('uses a step for an action only for that action, and other steps never for deliveries', async () => {
  const { sdk, server, to } = await cloudinary();
  server.script({ ...cloudinaryFault.error(500), action: 'destroy' });
  const { secure_url } = await sdk.uploader.upload(image, { ...to, public_id: 'one' });
  server.always(cloudinaryFault.error(503));
  expect((await fetch(secure_url)).status).toBe(200);
  expect(await rejection(sdk.uploader.destroy('one', { ...to, invalidate: false }))).toMatchObject({
    http_code: 500,
  });
  expect(await rejection(sdk.uploader.destroy('one', { ...to, invalidate: false }))).toMatchObject({
    http_code: 503,
  });
  server.always(undefined);
  expect(await sdk.uploader.destroy('one', { ...to, invalidate: false })).toEqual({ result: 'ok' });
});

test('lets a test delay an upload with onRequest', async () => {
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { server } = await cloudinary({
    onRequest: async () => {
      arrived.resolve();
      await held.promise;
    },
  });
  const upload = call(server, {});
  await arrived.promise;
  expect(server.assets.size).toBe(0);
  held.resolve();
  expect((await upload).status).toBe(200);
  expect(server.assets.size).toBe(1);
});
