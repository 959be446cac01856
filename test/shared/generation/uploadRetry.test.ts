/** An image that is generated is paid for: a store that fails once does not throw it away. */
import { expect, it } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { createMemoryStudio, createMemoryWorld, image, toOutcome } from '../../support/memoryStudio.ts';

const urls = { url: 'https://images.example/a', thumbnailUrl: 'https://images.example/a/small' };
const passing = () => new Failure('STORAGE_ERROR', 'It broke.', { providerFailure: { kind: 'passing' } });
const lasting = () => new Failure('STORAGE_ERROR', 'It is too large.');

/** A studio whose uploads end as listed, and succeed after that. */
function createStudio(outcomes: (() => Failure)[], { uploadMs = 0, env = {} } = {}) {
  const world = createMemoryWorld();
  const uploads: { publicId: string; bytes: number; millisecondsLeft: number }[] = [];
  const studio = createMemoryStudio({
    world,
    env,
    imageStore: {
      async store(publicId, chunks, millisecondsLeft) {
        uploads.push({ publicId, bytes: chunks.flatMap((chunk) => [...chunk]).length, millisecondsLeft });
        world.advance(uploadMs);
        const outcome = outcomes.shift();
        if (outcome) throw outcome();
        return urls;
      },
    },
  });
  return { ...studio, world, uploads };
}

it('uploads an image once more under the same name, with all of its bytes and the time that is left', async () => {
  const studio = createStudio([passing], { uploadMs: 1_000 });
  const { status, body } = await studio.generate('k');
  expect(status).toBe(200);
  expect(body.receipt).toMatchObject({ charged: 1, refunded: 0 });
  const [first, second] = studio.uploads;
  expect(studio.uploads).toHaveLength(2);
  expect(second).toMatchObject({ publicId: first?.publicId, bytes: image().bytes });
  expect(second?.millisecondsLeft).toBeLessThanOrEqual((first?.millisecondsLeft ?? 0) - 1_000);
  expect(studio.generated()).toBe(1);
  expect(studio.lines.at(-1)).toMatchObject({ outcome: 'ok', failedUploads: 1 });
});

it('refunds after the second upload that fails', async () => {
  const studio = createStudio([passing, passing]);
  const answer = await studio.generate('k');
  expect(toOutcome(answer)).toEqual([502, 'STORAGE_ERROR']);
  expect(answer.body.receipt).toMatchObject({ charged: 1, refunded: 1 });
  expect(studio.uploads).toHaveLength(2);
});

it('does not upload again after a failure that would come again', async () => {
  const studio = createStudio([lasting]);
  expect(toOutcome(await studio.generate('k'))).toEqual([502, 'STORAGE_ERROR']);
  expect(studio.uploads).toHaveLength(1);
});

it('passes on how long the store wants us to wait', async () => {
  const busy = () => lasting().with({ retryAfterSeconds: 17 });
  const studio = createStudio([busy]);
  const { body } = await studio.generate('k');
  expect(body.error.details).toContainEqual({
    '@type': 'type.googleapis.com/google.rpc.RetryInfo',
    retryDelay: '17s',
  });
});

it('logs what the store answered to a deletion', async () => {
  const world = createMemoryWorld();
  const cause = new Error('Cloudinary failed: 401 bad_signature (check the API secret)');
  const studio = createMemoryStudio({
    world,
    imageStore: {
      async destroy() {
        throw new Failure('PROVIDER_MISCONFIGURED', 'It is not set up.', { cause });
      },
    },
  });
  await studio.deleteGeneration((await studio.generate('k')).body.generation.id);
  expect(studio.lines).toContainEqual(
    expect.objectContaining({
      event: 'image_not_deleted',
      reason: 'PROVIDER_MISCONFIGURED',
      cause: cause.message,
    }),
  );
});

it('does not upload again after the time is up', async () => {
  const studio = createStudio([passing], { uploadMs: 1_001, env: { GENERATE_TIMEOUT_MS: '1000' } });
  expect(toOutcome(await studio.generate('k'))).toEqual([504, 'PROVIDER_TIMEOUT']);
  expect(studio.uploads).toHaveLength(1);
});

it('deletes an image until the upload that failed can no longer arrive', async () => {
  const retried = createStudio([passing]);
  const id = (await retried.generate('k')).body.generation.id;
  expect((await retried.deleteGeneration(id)).status).toBe(200);
  const [item] = retried.documents('outbox');
  const [generation] = retried.documents('accounts/ann/generations');
  expect(Number(item?.until)).toBe(Number(generation?.deadline) + 3_600_000);

  const usual = createStudio([]);
  await usual.deleteGeneration((await usual.generate('k')).body.generation.id);
  expect(usual.documents('outbox')).toEqual([]);
});

it('deletes the image of a twin until the upload that failed can no longer arrive', async () => {
  const studio = createStudio([passing], { env: { CACHE_TTL_SECONDS: '60' } });
  const first = (await studio.generate('a')).body.generation;
  const twin = (await studio.generate('b')).body.generation;
  expect(twin.cached).toBe(true);
  await studio.deleteGeneration(first.id);
  expect(studio.documents('outbox')).toEqual([]);
  await studio.deleteGeneration(twin.id);
  expect(Number(studio.documents('outbox')[0]?.until)).toBeGreaterThan(studio.world.clock.now() + 3_600_000);
});
