/** The image generator and the image store of a history: their failures, and images that arrive late. */
import { Failure } from '../../shared/errors.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import type { Overrides } from '../../shared/services.ts';
import { onePixelPng } from '../support/pictures.ts';
import type { FaultRates } from './faults.ts';
import type { Actor, World } from './world.ts';

type GenerateImage = NonNullable<Overrides['imageGenerator']>;

/** How long after its signature an upload is accepted, milliseconds: one hour. */
export const signatureMs = 3_600_000;

/** The image store and its observer. */
export type Images = {
  stored: Set<string>;
  /** Called when an upload is signed, and right after an image is stored or deleted. */
  watch: {
    signed(publicId: string, actor: Actor): void;
    stored(publicId: string): void;
    destroyed(publicId: string): void;
  };
};

const generatorFailures = [
  'CONTENT_BLOCKED',
  'NO_IMAGE',
  'unusable image',
  'REFERENCE_UNREADABLE',
  'PROVIDER_ERROR',
  'PROVIDER_QUOTA',
  'PROVIDER_OVERLOADED',
  'PROVIDER_TIMEOUT',
  'PROVIDER_MISCONFIGURED',
] as const;
/** The failures that the last release knows. */
const oldFailures = generatorFailures.filter((failure) => failure !== 'REFERENCE_UNREADABLE');
/** How every message of the model begins. */
export const modelWords = 'The model failed';
/** What the provider bills for one image, micro-dollars. */
const costMicros = 39_000;

function createFailure(reason: (typeof generatorFailures)[number]) {
  const message = `${modelWords}: ${reason}.`;
  if (reason === 'unusable image') {
    // Of another shape, or broken: the model is done with it, and bills it.
    const providerFailure = { kind: 'unusable', mayBeBilled: true } as const;
    return new Failure('NO_IMAGE', message, { providerFailure, providerCostMicros: costMicros });
  }
  if (reason === 'REFERENCE_UNREADABLE') return new Failure(reason, message, { metadata: { index: '0' } });
  if (reason === 'CONTENT_BLOCKED') {
    return new Failure(reason, message, { metadata: { finishReason: 'IMAGE_SAFETY' } });
  }
  return new Failure(reason, message, reason === 'PROVIDER_QUOTA' ? { retryAfterSeconds: 60 } : {});
}

/** An upstream call that ends after `milliseconds`, or at a shutdown. */
function endAfter<T>(
  { world, actor }: { world: World; actor: Actor },
  what: string,
  milliseconds: number,
  signal: AbortSignal | undefined,
  outcome: () => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal?.removeEventListener('abort', abort);
      try {
        resolve(outcome());
      } catch (error) {
        reject(error);
      }
    };
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort);
    world.after(milliseconds, `${actor.name} ${what}`, end, actor);
  });
}

/** The image generator as one instance sees it. */
export function createImageGenerator(world: World, rates: FaultRates, actor: Actor): GenerateImage {
  const { random, happened } = world;
  return async (_request, millisecondsLeft, signal) => {
    const duration = random.chance(rates.slow) ? random.whole(10_000, 150_000) : random.whole(50, 9_000);
    const milliseconds = Math.min(duration, millisecondsLeft);
    const fails = random.chance(rates.upstream);
    const failure = random.pick(rates.hasNewFailures ? generatorFailures : oldFailures);
    const isOurBug = random.chance(0.1);
    return endAfter({ world, actor }, 'has generated an image', milliseconds, signal, () => {
      if (duration > millisecondsLeft) {
        happened('generate image: takes too long');
        throw createFailure('PROVIDER_TIMEOUT');
      }
      if (fails && isOurBug) {
        happened('generate image: INTERNAL');
        throw new TypeError('an injected bug');
      }
      if (fails) {
        happened(`generate image: ${failure}`);
        throw createFailure(failure);
      }
      happened('generate image: done');
      const facts = { mimeType: 'image/png' as const, width: 1024, height: 1024 };
      return {
        ...facts,
        chunks: [],
        bytes: 3,
        model: 'model',
        thoughtSignature: 'c2ln',
        providerCostMicros: costMicros,
      };
    });
  };
}

type StoreFate =
  | 'fails'
  | 'is stored but fails'
  | 'fails and comes late'
  | 'takes too long'
  | 'comes after its timeout';

/** The image store as one instance sees it. */
export function createImageStore(world: World, rates: FaultRates, actor: Actor, images: Images): ImageStore {
  const { random, happened } = world;
  const begun = new Set<string>();
  const delay = () => (random.chance(rates.slow) ? random.whole(1_000, 20_000) : random.whole(5, 900));
  const putImage = (publicId: string) => {
    images.stored.add(publicId);
    images.watch.stored(publicId);
  };
  const createStoreFailure = (reason: 'STORAGE_ERROR' | 'PROVIDER_TIMEOUT') =>
    new Failure(
      reason,
      `The image store failed: ${reason}.`,
      // Then the image is uploaded once more. The last release cannot delete one that may still arrive.
      reason === 'STORAGE_ERROR' && rates.hasNewFailures ? { providerFailure: { kind: 'passing' } } : {},
    );

  function fetch(url: string, millisecondsLeft: number, signal: AbortSignal): Promise<Buffer> {
    const fails = random.chance(rates.upstream);
    const milliseconds = delay();
    happened(`fetch: ${fails ? 'fails' : 'done'}`);
    const within = Math.min(milliseconds, millisecondsLeft);
    return endAfter({ world, actor }, 'has fetched an image', within, signal, () => {
      if (milliseconds > millisecondsLeft) throw createStoreFailure('PROVIDER_TIMEOUT');
      const isThere = images.stored.has(url.replace('https://images.example/', ''));
      if (fails || !isThere) throw createStoreFailure('STORAGE_ERROR');
      return onePixelPng;
    });
  }

  return {
    fetch,
    fetchSmaller: (url, _bytesMax, millisecondsLeft, signal) => fetch(url, millisecondsLeft, signal),

    async store(publicId, _pieces, millisecondsLeft, signal) {
      // Signed now: whatever the result of this call, the upload may arrive for an hour.
      images.watch.signed(publicId, actor);
      const fate = random.chance(rates.upstream)
        ? random.weighted<StoreFate>({
            fails: 2,
            'is stored but fails': 3,
            'fails and comes late': 3,
            'takes too long': 1,
            'comes after its timeout': 2,
          })
        : undefined;
      const milliseconds = delay();
      const late = random.chance(0.3) ? signatureMs : random.whole(milliseconds + 1, signatureMs);
      happened(`store: ${fate ?? 'done'}${begun.has(publicId) ? ' at the second try' : ''}`);
      begun.add(publicId);
      const arrive = (after: number) =>
        world.after(after, 'an image arrives at the store', () => putImage(publicId));
      const isTimeout = fate === 'takes too long' || fate === 'comes after its timeout';
      if (fate === 'is stored but fails') arrive(milliseconds);
      if (fate === 'fails and comes late') arrive(late);
      if (fate === 'comes after its timeout') arrive(Math.min(millisecondsLeft + late, signatureMs));
      const within = isTimeout || milliseconds > millisecondsLeft ? millisecondsLeft : milliseconds;
      // A call that ends at its deadline or at a shutdown may have stored its bytes already.
      if (!fate) arrive(milliseconds);
      return endAfter({ world, actor }, `has stored (${fate ?? 'done'})`, within + 1, signal, () => {
        if (isTimeout || milliseconds > millisecondsLeft) throw createStoreFailure('PROVIDER_TIMEOUT');
        if (fate) throw createStoreFailure('STORAGE_ERROR');
        const url = `https://images.example/${publicId}`;
        return { url, thumbnailUrl: `${url}/small` };
      });
    },

    async destroy(publicId) {
      const isDone = !random.chance(rates.upstream);
      const isExecuted = isDone || random.chance(0.5);
      const hasReply = isDone;
      happened(`destroy: ${isDone ? 'done' : isExecuted ? 'done but fails' : 'fails'}`);
      const milliseconds = delay();
      let wasThere = false;
      if (isExecuted) {
        world.after(milliseconds, 'an image is deleted from the store', () => {
          wasThere = images.stored.delete(publicId);
          images.watch.destroyed(publicId);
        });
      }
      return endAfter({ world, actor }, 'has deleted an image', milliseconds + 1, undefined, () => {
        if (!hasReply) throw createStoreFailure('STORAGE_ERROR');
        return wasThere;
      });
    },
  };
}
