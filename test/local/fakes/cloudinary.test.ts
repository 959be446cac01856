import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drawPicture } from '../../../local/fakes/picture.ts';
import { createSketch } from '../../../local/fakes/sketch.ts';
import { cloudinary, cloudinaryAccount, dataUri, picture } from './support.ts';

const fetchBytes = async (address: string, headers: Record<string, string> = {}) => {
  const response = await fetch(address, { headers });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
};

describe('the real SDK', () => {
  test('uploads a stream, and gets the documented answer', async () => {
    const { sdk, server, to } = await cloudinary();
    const bytes = picture(1248, 832);
    const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
      sdk.uploader
        .upload_stream({ ...to, public_id: 'generation/owner', overwrite: true }, (error, result) =>
          result ? resolve(result) : reject(error),
        )
        .end(bytes);
    });
    const { version } = answer;
    const address = `${server.url}/${cloudinaryAccount.cloudName}/image/upload/v${version}/generation/owner.png`;
    expect(answer).toMatchObject({
      public_id: 'generation/owner',
      width: 1248,
      height: 832,
      format: 'png',
      resource_type: 'image',
      type: 'upload',
      bytes: bytes.length,
      etag: createHash('md5').update(bytes).digest('hex'),
      url: address,
      secure_url: address,
      asset_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      version_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      signature: expect.stringMatching(/^[0-9a-f]{40}$/),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(answer).not.toHaveProperty('overwritten');
    expect([...server.assets.keys()]).toEqual(['generation/owner']);
  });

  test.each([
    ['SHA-1', 'sha1'],
    ['SHA-256', 'sha256'],
  ] as const)(
    'uploads a data URI signed with %s, with tags and an ampersand',
    async (_, signature_algorithm) => {
      const { sdk, to } = await cloudinary();
      const answer = await sdk.uploader.upload(dataUri(picture(20, 10, 'red', 'image/jpeg'), 'image/jpeg'), {
        ...to,
        public_id: 'one',
        tags: ['a & b', 'c'],
        context: { prompt: 'x=1&y=2' },
        signature_algorithm,
      });
      expect(answer).toMatchObject({ public_id: 'one', width: 20, height: 10, format: 'jpg' });
      expect(answer.tags).toEqual(['a & b', 'c']);
    },
  );

  test('uploads with only CLOUDINARY_URL', async () => {
    const { sdk, server } = await cloudinary();
    sdk.config(true);
    onTestFinished(() => void sdk.config(true));
    await sdk.uploader.upload(dataUri(picture()), { public_id: 'by-url' });
    expect(server.assets.has('by-url')).toBe(true);
  });

  test('uploads without a public id, or into a folder', async () => {
    const { sdk, server, to } = await cloudinary();
    const named = await sdk.uploader.upload(dataUri(picture()), { ...to, folder: 'f', public_id: 'x' });
    const unnamed = await sdk.uploader.upload(dataUri(picture()), to);
    expect(named.public_id).toBe('f/x');
    expect(unnamed.public_id).toMatch(/^\w{20}$/);
    expect(server.assets.size).toBe(2);
  });

  test('overwrites an image and raises its version, unless overwrite is false', async () => {
    const { sdk, server, to } = await cloudinary();
    const upload = (colour: string, overwrite?: boolean) =>
      sdk.uploader.upload(dataUri(picture(8, 8, colour)), {
        ...to,
        public_id: 'one',
        ...(overwrite === undefined ? {} : { overwrite }),
      });
    const first = await upload('red', true);
    const second = await upload('blue', true);
    const third = await upload('green', false);
    expect(second).toMatchObject({ asset_id: first.asset_id, overwritten: true });
    expect(second.version).toBeGreaterThan(first.version);
    expect(third).toMatchObject({ existing: true, etag: second.etag, version: second.version });
    expect((await fetchBytes(first.secure_url)).bytes.equals(picture(8, 8, 'blue'))).toBe(true);
    expect(server.assets.size).toBe(1);
  });

  test('destroys an image, once', async () => {
    const { sdk, server, to } = await cloudinary();
    const { secure_url } = await sdk.uploader.upload(dataUri(picture()), { ...to, public_id: 'one' });
    expect(await sdk.uploader.destroy('one', { ...to, invalidate: true })).toEqual({ result: 'ok' });
    expect(await sdk.uploader.destroy('one', { ...to, invalidate: false })).toEqual({ result: 'not found' });
    expect((await fetch(secure_url)).status).toBe(404);
    expect(server.requests.map(({ action, invalidate }) => [action, invalidate])).toEqual([
      ['upload', false],
      ['destroy', true],
      ['destroy', false],
      ['deliver', false],
    ]);
  });
});

test('accepts a URL-encoded form', async () => {
  const { server } = await cloudinary();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHash('sha1')
    .update(`public_id=one&timestamp=${timestamp}${cloudinaryAccount.apiSecret}`)
    .digest('hex');
  const response = await fetch(`${server.url}/v1_1/${cloudinaryAccount.cloudName}/image/upload`, {
    method: 'POST',
    body: new URLSearchParams({
      public_id: 'one',
      timestamp,
      signature,
      api_key: cloudinaryAccount.apiKey,
      file: dataUri(picture()),
    }),
  });
  expect(await response.json()).toMatchObject({ public_id: 'one', width: 64, height: 40 });
});

test('accepts a file that contains the boundary, because the SDK makes boundaries of two letters', async () => {
  const { server } = await cloudinary();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHash('sha1')
    .update(`timestamp=${timestamp}${cloudinaryAccount.apiSecret}`)
    .digest('hex');
  const fields = Object.entries({ timestamp, signature, api_key: cloudinaryAccount.apiKey }).map(
    ([name, value]) => `--ab\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = Buffer.concat([picture(), Buffer.from('ab --ab\r\n--a')]);
  const response = await fetch(`${server.url}/v1_1/${cloudinaryAccount.cloudName}/image/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=ab' },
    body: Buffer.concat([
      Buffer.from(
        `${fields.join('')}--ab\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`,
      ),
      file,
      Buffer.from('\r\n--ab--'),
    ]),
  });
  expect(await response.json()).toMatchObject({ width: 64, height: 40, bytes: file.length });
});

describe('delivery', () => {
  const uploaded = async (bytes = picture(1344, 768)) => {
    const fake = await cloudinary();
    const answer = await fake.sdk.uploader.upload(dataUri(bytes), { ...fake.to, public_id: 'a/b.c' });
    const address = (transformation: string) =>
      answer.secure_url.replace('/image/upload/', `/image/upload/${transformation}`);
    return { ...fake, bytes, answer, address };
  };

  test('sends the stored bytes unchanged, to any origin', async () => {
    const { answer, bytes } = await uploaded();
    const delivered = await fetchBytes(answer.secure_url);
    expect(delivered.bytes.equals(bytes)).toBe(true);
    expect(Object.fromEntries(delivered.response.headers)).toMatchObject({
      'content-type': 'image/png',
      'access-control-allow-origin': '*',
      'cache-control': expect.stringContaining('max-age='),
    });
    const head = await fetch(answer.secure_url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
  });

  test.each([
    ['c_fill,f_auto,h_320,q_auto,w_320/', '*/*', 320, 320, 'png'],
    ['c_fill,f_auto,h_320,q_auto,w_320/', 'image/avif,image/webp,*/*', 320, 320, 'webp'],
    ['c_fill,h_100,w_50/', '', 50, 100, 'png'],
    ['c_fill,w_50,h_100/f_jpg/', '', 50, 100, 'jpg'],
    ['w_672/', '', 672, 384, 'png'],
    ['c_limit,h_4000,w_4000/', '', 1344, 768, 'png'],
    ['c_fit,h_192,w_4000/', '', 336, 192, 'png'],
    ['q_auto:good,f_webp/', '', 1344, 768, 'webp'],
  ])('sends %s for "%s" as %d x %d %s', async (transformation, accept, width, height, type) => {
    const { address } = await uploaded();
    const { bytes, response } = await fetchBytes(address(transformation), { accept });
    expect(imageSize(bytes)).toMatchObject({ width, height, type });
    expect(response.headers.get('content-type')).toBe(`image/${type === 'jpg' ? 'jpeg' : type}`);
  });

  test('crops to the centre of the image for c_fill', async () => {
    const { address, bytes } = await uploaded(
      await drawPicture({
        sketch: createSketch('a', 0),
        width: 90,
        height: 30,
        details: '',
        references: [],
        mimeType: 'image/png',
      }),
    );
    const [filled, scaled] = await Promise.all([
      fetchBytes(address('c_fill,h_30,w_30/')),
      fetchBytes(address('c_scale,h_30,w_30/')),
    ]);
    expect(filled.bytes.equals(scaled.bytes)).toBe(false);
    expect(filled.bytes.equals(bytes)).toBe(false);
  });

  test('accepts any version or none, and converts to the extension', async () => {
    const { server, address, answer } = await uploaded();
    const base = `${server.url}/${cloudinaryAccount.cloudName}/image/upload`;
    expect((await fetch(`${base}/v1/a/b.c.png`)).status).toBe(200);
    expect((await fetch(`${base}/a/b.c`)).status).toBe(200);
    expect(imageSize((await fetchBytes(`${base}/v${answer.version}/a/b.c.jpg`)).bytes).type).toBe('jpg');
    expect((await fetch(address('').replace('b.c', 'other'))).status).toBe(404);
  });

  test.each([
    ['c_cover,h_320,w_320/', 400],
    ['c_fill,w_0/', 400],
    ['f_tga/', 400],
    ['q_101/', 400],
  ])('refuses %s', async (transformation, status) => {
    const { address } = await uploaded();
    const { response } = await fetchBytes(address(transformation));
    expect(response.status).toBe(status);
    expect(response.headers.get('x-cld-error')).toBeTruthy();
  });

  test('answers 404 for another cloud or path', async () => {
    const { server, answer } = await uploaded();
    expect((await fetch(answer.secure_url.replace('test-cloud', 'other'))).status).toBe(404);
    expect((await fetch(`${server.url}/`)).status).toBe(404);
  });
});

test('with a folder, keeps images across restarts, and leaves no file of a destroyed image', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'assets-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const first = await cloudinary({ dataDir });
  for (const colour of ['red', 'blue']) {
    await first.sdk.uploader.upload(dataUri(picture(9, 9, colour)), {
      ...first.to,
      public_id: 'kept',
      overwrite: true,
    });
  }
  await first.sdk.uploader.upload(dataUri(picture()), { ...first.to, public_id: 'gone' });
  await first.sdk.uploader.destroy('gone', { ...first.to, invalidate: false });
  await first.server.close();

  const second = await cloudinary({ dataDir });
  expect([...second.server.assets.keys()]).toEqual(['kept']);
  const { bytes } = await fetchBytes(`${second.server.url}/test-cloud/image/upload/kept.png`);
  expect(bytes.equals(picture(9, 9, 'blue'))).toBe(true);
  await second.sdk.uploader.destroy('kept', { ...second.to, invalidate: false });
  expect(await readdir(dataDir)).toEqual([]);
});
