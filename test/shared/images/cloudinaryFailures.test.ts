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
  const { reason, details } = error;
  return { reason, kind: details.providerFailure?.kind, cause: (details.cause as Error).message };
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

describe('would come again', () => {
  it.each<[string, CloudinaryStep, cause: string]>([
    [
      'a clock that is slow',
      cloudinaryFault.staleRequest(),
      '400 (stale request: check the clock of this machine)',
    ],
    ['an image over the limit', cloudinaryFault.fileTooLarge(), '400 (file too large for the plan)'],
    ['a file that is no image', cloudinaryFault.error(400), '400 (not an image)'],
    ['a message that nobody knows', cloudinaryFault.error(400, 'A secret of the vendor'), '400'],
    ['the limit of calls', cloudinaryFault.rateLimited(), '420'],
  ])('%s', async (_, step, cause) => {
    expect(await fail(step)).toEqual({
      reason: 'STORAGE_ERROR',
      kind: undefined,
      cause: `Cloudinary failed: ${cause}`,
    });
  });
});

describe('is our own set-up', () => {
  const rows: [string, CloudinaryStep, cause: string][] = [
    ['a wrong signature', cloudinaryFault.error(401), '401 (invalid signature)'],
    ['a disabled account', cloudinaryFault.accountDisabled(), '401 (account disabled)'],
    ['403', cloudinaryFault.error(403), '403'],
  ];
  it.each(rows)('%s', async (_, step, cause) => {
    const expected = { reason: 'PROVIDER_MISCONFIGURED', kind: undefined };
    expect(await fail(step)).toEqual({ ...expected, cause: `Cloudinary failed: ${cause}` });
    expect(await fail(step, () => images.destroy('a', 60_000))).toMatchObject(expected);
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
