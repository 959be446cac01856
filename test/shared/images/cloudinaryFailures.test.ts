/** What becomes of a failed upload: whether another try may help, whose fault it is, and what the log says of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { type CloudinaryStep, cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { Failure } from '../../../shared/errors.ts';
import type { ImageStore } from '../../../shared/images/cloudinary.ts';
import { onePixelPng } from '../../support/pictures.ts';

let fake: Awaited<ReturnType<typeof startFakeCloudinary>>;
let images: ImageStore;

beforeAll(async () => {
  fake = await startFakeCloudinary({ cloudName: 'test', apiKey: '12345', apiSecret: 'test-secret' });
  // The SDK reads the environment when it is imported.
  process.env.CLOUDINARY_URL = fake.cloudinaryUrl;
  const { createImageStore } = await import('../../../shared/images/cloudinary.ts');
  images = createImageStore(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-test', CLOUDINARY_URL: fake.cloudinaryUrl }),
  );
});
afterAll(() => fake.close());
beforeEach(() => fake.always(undefined));

const store = (chunks: Uint8Array[]) => images.store('a', chunks, 60_000, new AbortController().signal);

async function fail(step: CloudinaryStep, call: () => Promise<unknown> = () => store([onePixelPng])) {
  fake.always(step);
  const error = await call().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof Failure)) throw new Error(`No failure, but ${error}`);
  const { reason, message, details } = error;
  const { cause, retryAfterSeconds } = details;
  return {
    reason,
    kind: details.providerFailure?.kind,
    cause: (cause as Error).message,
    logged: `${message} ${(cause as Error).stack}`,
    retryAfterSeconds,
    metadata: details.metadata,
  };
}

describe('may pass', () => {
  it.each<[string, CloudinaryStep]>([
    ['408', cloudinaryFault.error(408)],
    ['423', cloudinaryFault.error(423)],
    ['429', cloudinaryFault.error(429)],
    ['500', cloudinaryFault.error(500)],
    ['502', cloudinaryFault.error(502)],
    ['503', cloudinaryFault.error(503)],
    ['a page of a proxy', cloudinaryFault.html(502)],
    ['half an answer', cloudinaryFault.truncate()],
    ['an empty answer', cloudinaryFault.emptyBody()],
    ['a reset', cloudinaryFault.reset()],
    ['a reset after the image is stored', cloudinaryFault.storedThenReset('after-headers')],
  ])('%s', async (_, step) => {
    expect(await fail(step)).toMatchObject({ reason: 'STORAGE_ERROR', kind: 'passing' });
  });
});

/** An image of which a part must not be in any message. */
const base64 = onePixelPng.toString('base64');
const cause = (code: string) => new RegExp(`^Cloudinary failed: ${code} \\([a-z][^()]+\\)$`);

describe('would come again', () => {
  it.each<[string, CloudinaryStep, code: string]>([
    ['a clock that is slow', cloudinaryFault.staleRequest(), '400 stale_request'],
    ['an image over the limit', cloudinaryFault.fileTooLarge(), '400 too_large'],
    [
      'an image with too many pixels',
      cloudinaryFault.error(400, 'Maximum image size is 25 Megapixels. Requested 30.72 Megapixels'),
      '400 too_large',
    ],
    ['a body that a proxy refuses', cloudinaryFault.error(413), '413 too_large'],
    ['a file that is not an image', cloudinaryFault.error(400), '400 not_an_image'],
    ['the limit of calls', cloudinaryFault.rateLimited(), '420 rate_limited'],
    [
      'a plan that is used up',
      cloudinaryFault.error(400, 'You have exceeded your plan quota'),
      '400 plan_used_up',
    ],
    [
      'a region that is not served',
      cloudinaryFault.error(400, 'This service is not available in your region'),
      '400 region_refused',
    ],
    ['an image that is gone', cloudinaryFault.error(404, 'Resource not found - a'), '404 not_found'],
  ])('%s', async (_, step, code) => {
    const failed = await fail(step);
    const kind = code.endsWith('too_large') ? 'tooLarge' : undefined;
    expect(failed).toMatchObject({ reason: 'STORAGE_ERROR', kind });
    expect(failed.cause).toMatch(cause(code));
  });

  it('an image over the limit, with the limit of the plan', async () => {
    const failed = await fail(cloudinaryFault.fileTooLarge(25_000_000, 20_971_520));
    expect(failed.metadata).toEqual({ maxBytes: '20971520' });
    expect(failed.logged).toContain('25 MB, and the image store takes at most 21 MB');
    expect((await fail(cloudinaryFault.error(413))).metadata).toBeUndefined();
  });

  it('a message that nobody knows, of which the log has nothing', async () => {
    const failed = await fail(cloudinaryFault.error(400, `Error in loading data:image/png;base64,${base64}`));
    expect(failed.cause).toBe('Cloudinary failed: 400');
    expect(failed.logged).not.toContain(base64.slice(0, 20));
  });
});

describe('is our own set-up', () => {
  const rows: [string, CloudinaryStep, code: string][] = [
    ['a wrong signature', cloudinaryFault.error(401), '401 bad_signature'],
    ['an unknown key', cloudinaryFault.error(401, 'Unknown API key 12345'), '401 unknown_api_key'],
    ['an unknown cloud', cloudinaryFault.error(401, 'Invalid cloud_name test'), '401 unknown_cloud_name'],
    ['a disabled account', cloudinaryFault.accountDisabled(), '401 account_disabled'],
    [
      'a disabled account, which only a header names',
      cloudinaryFault.error(403, 'cloud_name is disabled'),
      '403 account_disabled',
    ],
    [
      'a key without permission',
      cloudinaryFault.error(403, 'Missing permission: create'),
      '403 no_permission',
    ],
  ];
  it.each(rows)('%s', async (_, step, code) => {
    for (const call of [() => store([onePixelPng]), () => images.destroy('a', 60_000)]) {
      const failed = await fail(step, call);
      expect(failed).toMatchObject({ reason: 'PROVIDER_MISCONFIGURED', kind: undefined });
      expect(failed.cause).toMatch(cause(code));
      expect(failed.logged).not.toMatch(/12345|timestamp=|String to sign/);
    }
  });

  it('403 without a known message', async () => {
    const failed = await fail(cloudinaryFault.error(403));
    expect(failed).toMatchObject({ reason: 'PROVIDER_MISCONFIGURED', cause: 'Cloudinary failed: 403' });
  });
});

describe('an answer that is not as it should be', () => {
  const uploaded = (more: object): CloudinaryStep => ({
    kind: 'reply',
    status: 200,
    body: { public_id: 'a', version: 1, secure_url: `${fake.url}/test/image/upload/v1/a.png`, ...more },
  });

  it.each<[string, object, code: string]>([
    ['without an address', { secure_url: undefined }, 'unreadable_answer'],
    ['of another image', { public_id: 'b' }, 'other_image'],
    [
      'with an address of another server without TLS',
      { secure_url: 'http://127.0.0.1:1/a.png' },
      'insecure_address',
    ],
    [
      'with the usual address, but without TLS',
      { secure_url: 'http://res.cloudinary.com/test/image/upload/v1/a.png' },
      'insecure_address',
    ],
    ['with an address that is a script', { secure_url: 'javascript:alert(1)' }, 'insecure_address'],
  ])('%s may be better at another try', async (_, more, code) => {
    const failed = await fail(uploaded(more));
    expect(failed).toMatchObject({ reason: 'STORAGE_ERROR', kind: 'passing' });
    expect(failed.cause).toMatch(cause(code));
  });

  it('is right with an address of the configured server, or any address with TLS', async () => {
    for (const secure_url of [`${fake.url}/a.png`, 'https://images.example/a.png']) {
      fake.always(uploaded({ secure_url }));
      expect(await store([onePixelPng])).toMatchObject({ url: secure_url });
    }
  });
});

describe('reading a stored image', () => {
  const read = (path = 'missing.png') =>
    images.fetch(`${fake.url}/test/image/upload/v1/${path}`, 60_000, new AbortController().signal);

  it.each<[string, CloudinaryStep | undefined, code: string]>([
    ['that is gone', undefined, '404 not_found'],
    [
      'while the account is disabled',
      { ...cloudinaryFault.accountDisabled(), action: 'deliver' },
      '401 account_disabled',
    ],
    ['while Cloudinary fails', { ...cloudinaryFault.error(503), action: 'deliver' }, '503 unavailable'],
    [
      'over a connection that breaks',
      { ...cloudinaryFault.reset(), action: 'deliver' },
      'ECONNRESET|UND_ERR_SOCKET',
    ],
  ])('%s', async (_, step, code) => {
    fake.always(step);
    const error = await read().catch((error: unknown) => error);
    expect(error).toMatchObject({ reason: 'STORAGE_ERROR', message: 'A stored image could not be read.' });
    expect(String((error as Failure).details.cause)).toMatch(new RegExp(`Cloudinary failed: (${code})`));
  });

  it('passes on how long to wait', async () => {
    fake.always({
      ...cloudinaryFault.error(429, 'Too Many Requests', { 'retry-after': '7' }),
      action: 'deliver',
    });
    await expect(read()).rejects.toMatchObject({ details: { retryAfterSeconds: 7 } });
  });

  it('of another store', async () => {
    const read = images.fetch('https://images.example/a.png', 60_000, new AbortController().signal);
    await expect(read).rejects.toMatchObject({
      cause: { message: expect.stringMatching(cause('foreign_address')) },
    });
  });
});

describe('how long to wait', () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();
  const waitAfter = async (headers: Record<string, string>, status: 429 | 503 | 500 = 503) =>
    (await fail(cloudinaryFault.error(status, 'Busy', headers))).retryAfterSeconds;

  it('is what Retry-After says, in seconds or as a time', async () => {
    expect(await waitAfter({ 'retry-after': '17' })).toBe(17);
    expect(await waitAfter({ 'retry-after': '17' }, 429)).toBe(17);
    const untilTime = await waitAfter({ 'retry-after': inSeconds(100) });
    expect(untilTime).toBeGreaterThan(90);
    expect(untilTime).toBeLessThanOrEqual(100);
  });

  it('is until the limit of calls ends', async () => {
    const failed = await fail(cloudinaryFault.rateLimited(new Date(Date.now() + 600_000)));
    expect(failed.retryAfterSeconds).toBeGreaterThan(590);
    expect(failed.retryAfterSeconds).toBeLessThanOrEqual(600);
  });

  it('is an hour at most, and unknown if there is no sense in it', async () => {
    expect(await waitAfter({ 'retry-after': '999999999' })).toBe(3_600);
    expect(await waitAfter({ 'retry-after': inSeconds(1e6) })).toBe(3_600);
    for (const value of ['0', '-5', 'soon', inSeconds(-100), '']) {
      expect(await waitAfter({ 'retry-after': value })).toBeUndefined();
    }
    expect(await waitAfter({}, 500)).toBeUndefined();
  });

  it('is known after a deletion too', async () => {
    const step = cloudinaryFault.error(429, 'Too Many Requests', { 'retry-after': '30' });
    const failed = await fail(step, () => images.destroy('a', 60_000));
    expect(failed).toMatchObject({ retryAfterSeconds: 30 });
    expect(failed.logged).toMatch(/^The image could not be deleted\. /);
  });
});

it('keeps the chunks after a failure, for another try', async () => {
  const chunks: Uint8Array[] = [onePixelPng];
  await fail(cloudinaryFault.error(502), () => store(chunks));
  expect(chunks).toEqual([onePixelPng]);
  fake.always(undefined);
  const { url } = await store(chunks);
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(onePixelPng)).toBe(true);
  expect(chunks).toEqual([]);
});
