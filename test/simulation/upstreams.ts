/** The model and the image store in a history: every way they fail, and images that come too late. */

import { Failure } from '../../shared/errors.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import type { Overrides } from '../../shared/services.ts';
import type { Weather } from './faults.ts';
import type { Actor, World } from './world.ts';

type GenerateImage = NonNullable<Overrides['imageGenerator']>;

/** How long after its signing an upload is accepted, milliseconds: an hour. */
export const signatureMs = 3_600_000;

/** What is kept in the image store, and who wants to know of it. */
export type Images = {
  stored: Set<string>;
  /** Told of each upload when it is signed, and of each image right after it came or went. */
  watch: {
    signed(publicId: string, actor: Actor): void;
    stored(publicId: string): void;
    destroyed(publicId: string): void;
  };
};

const paintFailures = [
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
/** The model's bill for one image, micro-dollars. */
const costMicros = 39_000;

function failureOf(reason: (typeof paintFailures)[number]) {
  const message = `The model failed: ${reason}.`;
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

/** A call upstream that ends in time, or is ended by the shutdown. */
function ending<T>(
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

/** The model as one instance sees it. */
export function painterIn(world: World, weather: Weather, actor: Actor): GenerateImage {
  const { random, happened } = world;
  return async (_request, millisecondsLeft, signal) => {
    const wanted = random.chance(weather.slow) ? random.whole(10_000, 150_000) : random.whole(50, 9_000);
    const milliseconds = Math.min(wanted, millisecondsLeft);
    const fails = random.chance(weather.upstream);
    const failure = random.pick(paintFailures);
    const isOurs = random.chance(0.1);
    return ending({ world, actor }, 'has painted', milliseconds, signal, () => {
      if (wanted > millisecondsLeft) {
        happened('paint: takes too long');
        throw failureOf('PROVIDER_TIMEOUT');
      }
      if (fails && isOurs) {
        happened('paint: INTERNAL');
        throw new TypeError('an injected mistake of ours');
      }
      if (fails) {
        happened(`paint: ${failure}`);
        throw failureOf(failure);
      }
      happened('paint: done');
      const facts = { mimeType: 'image/png' as const, width: 1024, height: 1024 };
      return { ...facts, chunks: [], bytes: 3, model: 'model', providerCostMicros: costMicros };
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
export function imageStoreIn(world: World, weather: Weather, actor: Actor, images: Images): ImageStore {
  const { random, happened } = world;
  const delay = () => (random.chance(weather.slow) ? random.whole(1_000, 20_000) : random.whole(5, 900));
  const land = (publicId: string) => {
    images.stored.add(publicId);
    images.watch.stored(publicId);
  };
  const unavailable = (reason: 'STORAGE_ERROR' | 'PROVIDER_TIMEOUT') =>
    new Failure(reason, `The image store failed: ${reason}.`);

  return {
    async store(publicId, _pieces, millisecondsLeft, signal) {
      // Signed now: whatever becomes of this call, the upload may arrive for an hour.
      images.watch.signed(publicId, actor);
      const fate = random.chance(weather.upstream)
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
      happened(`store: ${fate ?? 'done'}`);
      const arrive = (after: number) =>
        world.after(after, 'an image arrives at the store', () => land(publicId));
      const isTimeout = fate === 'takes too long' || fate === 'comes after its timeout';
      if (fate === 'is stored but fails') arrive(milliseconds);
      if (fate === 'fails and comes late') arrive(late);
      if (fate === 'comes after its timeout') arrive(Math.min(millisecondsLeft + late, signatureMs));
      const within = isTimeout || milliseconds > millisecondsLeft ? millisecondsLeft : milliseconds;
      // Where a call is given up at its deadline or at a shutdown, its bytes may be there already.
      if (!fate) arrive(milliseconds);
      return ending({ world, actor }, `has stored (${fate ?? 'done'})`, within + 1, signal, () => {
        if (isTimeout || milliseconds > millisecondsLeft) throw unavailable('PROVIDER_TIMEOUT');
        if (fate) throw unavailable('STORAGE_ERROR');
        const url = `https://images.example/${publicId}`;
        return { url, thumbnailUrl: `${url}/small` };
      });
    },

    async fetch() {
      throw unavailable('STORAGE_ERROR');
    },

    async destroy(publicId) {
      const isDone = !random.chance(weather.upstream);
      const isHeard = isDone || random.chance(0.5);
      const isHeardOf = isDone;
      happened(`destroy: ${isDone ? 'done' : isHeard ? 'done but fails' : 'fails'}`);
      const milliseconds = delay();
      let wasThere = false;
      if (isHeard) {
        world.after(milliseconds, 'an image is deleted from the store', () => {
          wasThere = images.stored.delete(publicId);
          images.watch.destroyed(publicId);
        });
      }
      return ending({ world, actor }, 'has deleted an image', milliseconds + 1, undefined, () => {
        if (!isHeardOf) throw unavailable('STORAGE_ERROR');
        return wasThere;
      });
    },
  };
}
