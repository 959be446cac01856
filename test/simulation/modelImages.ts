/** Every image in the store is owned or in the outbox, at every moment; and nobody's image is taken away. */
import type { Data } from '../../shared/database/database.ts';
import type { GenerationSeen } from './seen.ts';
import type { Images } from './upstreams.ts';
import type { Actor, World } from './world.ts';

/** The images of a history; `checkOwned` is for after each commit. */
export function watchImages(
  world: World,
  generations: Map<string, GenerationSeen>,
  outbox: Map<string, Data>,
  onUpload: (actor: Actor, deadline: number) => void,
): { images: Images; checkOwned(): void } {
  const { check } = world;
  /** The instance that signed each upload. */
  const signed = new Map<string, Actor>();
  const retried = new Set<string>();
  const stored = new Set<string>();
  /** Twins share one image. */
  const ownersOf = (publicId: string) => [...generations.values()].filter((one) => one.publicId === publicId);
  const isInOutbox = (publicId: string) => [...outbox.values()].some((item) => item.publicId === publicId);

  function checkOne(publicId: string): void {
    const owners = ownersOf(publicId);
    const isOwned = owners.some(({ status }) => status === 'pending' || status === 'succeeded');
    const about = () => owners.map(({ id, status }) => `${id} is ${status}`).join();
    check(isOwned || isInOutbox(publicId), 'every image is owned or in the outbox', about);
  }

  const watch: Images['watch'] = {
    signed(publicId, actor) {
      const [owner] = ownersOf(publicId);
      const isRetry = signed.get(publicId) === actor && !retried.has(publicId);
      if (isRetry) retried.add(publicId);
      check(
        isRetry || !signed.has(publicId),
        'one call paints, all others are replays',
        () => `${owner?.id}`,
      );
      signed.set(publicId, actor);
      const isInTime = owner !== undefined && world.now() <= owner.deadline;
      check(isInTime, 'no upload is signed past its deadline', () => `${owner?.id}`);
      if (owner) onUpload(actor, owner.deadline);
    },
    stored: checkOne,
    destroyed(publicId) {
      const owner = ownersOf(publicId).find(({ status }) => status === 'succeeded');
      check(owner === undefined, 'no image of a succeeded generation is deleted', () => `${owner?.id}`);
    },
  };
  return {
    images: { stored, watch },
    checkOwned() {
      for (const publicId of stored) checkOne(publicId);
    },
  };
}
