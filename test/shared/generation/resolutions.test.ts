/** Which models are asked for an image of a resolution and a shape, and what is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBlankPicture } from '../../../local/fakes/blankPicture.ts';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { aspectRatios, type Resolution, type TierOffer } from '../../../shared/contract.ts';
import { createGemini } from '../../../shared/imagegen/gemini.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';

const [flash, banana, lite, pro] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
  'gemini-3-pro-image',
] as const;
const toEnv = ([first, ...others]: readonly string[], more: Record<string, string> = {}) => ({
  IMAGEGEN_MODEL_ID: first as string,
  IMAGEGEN_FALLBACK_MODEL_IDS: others.join(','),
  ...more,
});

let server: FakeGemini;
beforeAll(async () => {
  server = await startFakeGemini({ apiKey: 'key' });
});
beforeEach(() => {
  server.requests.length = 0;
  server.always(geminiFault.blank());
});
afterAll(() => server.close());

/** A studio that asks the fake Gemini over the wire. */
function startStudio(models: readonly string[], more: Record<string, string> = {}) {
  const options = {
    projectId: 'any',
    gemini: { apiKey: 'key', baseUrl: server.url, vertexAi: false, location: undefined },
  };
  const gemini = createGemini(options, { warning: vi.fn() });
  return createMemoryStudio({
    env: toEnv(models, { RETRY_BASE_DELAY_MS: '0', ...more }),
    generateImage: gemini.generateImage,
  });
}

type ImageConfig = { aspectRatio: string; imageSize?: string };
const getRequests = () =>
  server.requests.map(({ model, body }) => [
    model,
    (body as { generationConfig: { imageConfig: ImageConfig } }).generationConfig.imageConfig.imageSize,
  ]);

describe('only models that have the resolution are asked', () => {
  it.each<[Resolution, unknown[]]>([
    ['1K', [flash, undefined]],
    ['2K', [banana, '2K']],
    ['4K', [banana, '4K']],
  ])('%s', async (resolution, request) => {
    const { status, body } = await startStudio([flash, banana, lite]).generate('a', { resolution });
    expect(status).toBe(200);
    const side = 1024 * Number.parseInt(resolution, 10);
    expect(body.generation.image).toMatchObject({ width: side, height: side });
    expect(getRequests()).toEqual([request]);
  });

  it('also after a failure: the next one that has it', async () => {
    server.script({ ...geminiFault.perDay(), model: banana });
    const { body } = await startStudio([flash, banana, lite, pro]).generate('a', { resolution: '4K' });
    expect(body.generation.model).toBe(pro);
    expect(getRequests()).toEqual([
      [banana, '4K'],
      [pro, '4K'],
    ]);
  });

  it('while it is exhausted, only what it alone can is refused, and the account does not offer that', async () => {
    const studio = startStudio([flash, banana, lite]);
    server.script({ ...geminiFault.perDay(), model: banana });
    const failed = await studio.generate('a', { resolution: '4K' });
    expect(toOutcome(failed)).toEqual([503, 'PROVIDER_QUOTA']);
    expect(failed.body.receipt).toMatchObject({ charged: 4, refunded: 4 });
    const refused = await studio.generate('b', { resolution: '2K' });
    expect(toOutcome(refused)).toEqual([503, 'PROVIDER_QUOTA']);
    expect(refused.body.receipt).toBeUndefined();
    const message = 'No model that makes 2K images is available at the moment. On offer: 1K.';
    expect(refused.body.error.message).toBe(message);
    expect((await studio.generate('c')).status).toBe(200);
    const { body } = await studio.get('account');
    expect((body.tiers as TierOffer[]).map(({ resolutions }) => resolutions.length)).toEqual([1, 1, 1]);
  });
});

it('while the only model with room for the references is exhausted, the refusal says that', async () => {
  const studio = startStudio([flash, banana]);
  const { id } = (await studio.generate('a')).body.generation;
  server.script({ ...geminiFault.perDay(), model: banana });
  const more = { references: Array(4).fill({ generationId: id }) };
  expect(toOutcome(await studio.generate('b', more))).toEqual([503, 'PROVIDER_QUOTA']);
  const refused = await studio.generate('c', more);
  expect(toOutcome(refused)).toEqual([503, 'PROVIDER_QUOTA']);
  expect(refused.body.receipt).toBeUndefined();
  const message = 'No model that takes so many images is available at the moment.';
  expect(refused.body.error.message).toBe(message);
});

describe('what is delivered is what was requested', () => {
  const atResolution = async (factor: number) =>
    geminiFault.image(
      await createBlankPicture({ width: 1024 * factor, height: 1024 * factor, mimeType: 'image/jpeg' }),
    );

  it('an image of a lower resolution is asked for once more of the next model', async () => {
    server.script({ ...(await atResolution(1)), model: banana });
    const studio = startStudio([banana, pro]);
    const { body } = await studio.generate('a', { resolution: '4K' });
    expect(body.generation).toMatchObject({ model: pro, image: { width: 4096, height: 4096 } });
    expect(body.receipt).toMatchObject({ charged: 4, refunded: 0 });
    const [record] = studio.documents('accounts/ann/generations');
    expect(record?.providerCostMicros).toBe(113_400 + 240_000);
  });

  it('then it is refunded', async () => {
    server.always(await atResolution(2));
    const studio = startStudio([banana, pro]);
    const answer = await studio.generate('a', { resolution: '4K' });
    expect(toOutcome(answer)).toEqual([502, 'NO_IMAGE']);
    expect(answer.body.error.message).toBe(
      'The model returned an image of only 2048 x 2048 pixels, which is not 4K.',
    );
    expect(answer.body.receipt).toMatchObject({ charged: 4, refunded: 4 });
    expect(server.requests).toHaveLength(2);
    expect(studio.stored).toEqual([]);
  });
});

describe('a resolution that no configured model has', () => {
  const world = createMemoryWorld();
  const before = createMemoryStudio({ world, env: toEnv([banana]) });
  const after = createMemoryStudio({ world, env: toEnv([flash, lite]) });

  it('is refused before any debit, with the field and what is on offer', async () => {
    const refused = await after.generate('new', { resolution: '2K' });
    expect(toOutcome(refused)).toEqual([400, 'INVALID_REQUEST']);
    const message = 'resolution must be 1K: no model of this studio makes 2K images.';
    expect(refused.body.error.message).toBe(message);
    expect(refused.body.receipt).toBeUndefined();
    expect(after.generated()).toBe(0);
    expect((await after.generate('new')).status).toBe(200);
  });

  it('is replayed if the key was paid for', async () => {
    const first = await before.generate('k', { resolution: '4K' });
    expect(first.status).toBe(200);
    expect(await after.generate('k', { resolution: '4K' })).toEqual(first);
    expect(toOutcome(await after.generate('k', { resolution: '2K' }))).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
    ]);
    expect(after.generated()).toBe(1);
  });

  it('has fewer references: those of the models that have it', async () => {
    const references = Array.from({ length: 5 }, () => ({ generationId: '0'.repeat(32) }));
    const studio = createMemoryStudio({
      env: toEnv([flash, 'another'], { IMAGEGEN_MODEL_COSTS_USD: 'another=1/2' }),
    });
    const refused = await studio.generate('a', { resolution: '2K', references });
    expect(refused.body.error.message).toBe('references must have at most 3 images with this model.');
  });

  it.each(['1k', '512', '8K', 4, null])('unknown is refused: %j', async (resolution) => {
    const refused = await after.generate('unknown', { resolution });
    expect(refused.body.error.message).toBe('resolution must be one of 1K, 2K, 4K.');
  });
});

describe("an aspect ratio in place of the tier's", () => {
  it.each(aspectRatios)(
    '%s has the price of the tier and the pixels of its resolution',
    async (aspectRatio) => {
      const studio = startStudio([banana]);
      const answer = await studio.generate('a', { tier: 'premium2', resolution: '2K', aspectRatio });
      const { generation, receipt } = answer.body;
      expect(receipt).toMatchObject({ charged: 4 });
      expect(generation).toMatchObject({ aspectRatio, resolution: '2K' });
      const { width = 0, height = 0 } = generation.image ?? {};
      const [across = 0, down = 0] = aspectRatio.split(':').map(Number);
      expect(Math.abs((width * down) / (height * across) - 1)).toBeLessThan(0.05);
      expect(width * height).toBeLessThan(2048 * 2048 * 1.03);
      expect(generation.orientation).toBe(across < down ? 'portrait' : 'landscape');
    },
  );

  it.each([
    ['landscape', '9:16', 'portrait'],
    ['portrait', '16:9', 'landscape'],
    ['portrait', '1:1', 'portrait'],
  ])('goes before the orientation: %s, %s', async (orientation, aspectRatio, expected) => {
    const studio = createMemoryStudio({});
    const { body } = await studio.generate('a', { orientation, aspectRatio });
    expect(body.generation).toMatchObject({ orientation: expected, aspectRatio });
  });

  it.each(['1:4', '8:1', '16:10', ''])('unknown is refused: %j', async (aspectRatio) => {
    const studio = createMemoryStudio({});
    expect(toOutcome(await studio.generate('a', { aspectRatio }))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('is part of the request: the same key with another one is refused', async () => {
    const studio = createMemoryStudio({});
    await studio.generate('a', { aspectRatio: '4:3' });
    for (const more of [{}, { aspectRatio: '3:4' }, { aspectRatio: '4:3', resolution: '2K' }]) {
      expect(toOutcome(await studio.generate('a', more))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
    expect((await studio.generate('a', { aspectRatio: '4:3', resolution: '1K' })).status).toBe(200);
  });
});

describe('the cache', () => {
  it('answers a request with the same resolution and shape only', async () => {
    const studio = createMemoryStudio({ env: { CACHE_TTL_SECONDS: '3600' } });
    const shapes = [
      {},
      { resolution: '2K' },
      { aspectRatio: '4:3' },
      { resolution: '2K', aspectRatio: '4:3' },
    ];
    const isCached = async (more: object, key: string) =>
      (await studio.generate(key, more)).body.generation.cached;
    for (const [i, shape] of shapes.entries()) expect(await isCached(shape, `first ${i}`)).toBe(false);
    for (const [i, shape] of shapes.entries()) expect(await isCached(shape, `again ${i}`)).toBe(true);
    expect(await isCached({ resolution: '1K' }, 'default')).toBe(true);
  });
});

describe('a generation of before there was a choice', () => {
  const world = createMemoryWorld();
  const studio = createMemoryStudio({ world, imageGenerator: async () => image() });

  it('has 1K, and its key gets the same answer', async () => {
    const first = await studio.generate('old');
    const { id } = first.body.generation;
    const path = `accounts/ann/generations/${id}`;
    const [document] = world.store.read([path]).documents;
    const { resolution, ...old } = document?.data ?? {};
    expect(resolution).toBe('1K');
    world.store.commit([{ set: path, data: old }]);
    expect(await studio.generate('old')).toEqual(first);
    expect(await studio.generate('old', { resolution: '1K' })).toEqual(first);
    // Of the code before.
    expect(old.fingerprint).toBe('e4febdc8a3556a48da07b997453a9ab630300a585bc9db2f2cc42d98cda76ff2');
  });
});
