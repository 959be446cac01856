/** At every moment each image in the store belongs to a generation or is in the outbox, and no shown image is deleted. */
import type { Data } from '../../shared/database/database.ts';
import type { ObservedGeneration } from './observed.ts';
import type { Images } from './upstreams.ts';
import type { Actor, World } from './world.ts';

/** The images of a history. Call `checkOwned` after each commit. */
export function watchImages(
  world: World,
  generations: Map<string, ObservedGeneration>,
  outbox: Map<string, Data>,
  onUpload: (actor: Actor, deadline: number) => void,
): { images: Images; checkOwned(): void } {
  const { check } = world;
  const signed = new Set<string>();
  const stored = new Set<string>();
  /** Twins share one image. */
  const findOwners = (publicId: string) =>
    [...generations.values()].filter((one) => one.publicId === publicId);
  const isInOutbox = (publicId: string) => [...outbox.values()].some((item) => item.publicId === publicId);

  function checkOne(publicId: string): void {
    const owners = findOwners(publicId);
    const isOwned = owners.some(({ status }) => status === 'pending' || status === 'succeeded');
    const describe = () => owners.map(({ id, status }) => `${id} is ${status}`).join();
    check(isOwned || isInOutbox(publicId), 'every image is owned or in the outbox', describe);
  }

  const watch: Images['watch'] = {
    signed(publicId, actor) {
      const [owner] = findOwners(publicId);
      check(!signed.has(publicId), 'one call generates, all others are replays', () => `${owner?.id}`);
      signed.add(publicId);
      const isInTime = owner !== undefined && world.now() <= owner.deadline;
      check(isInTime, 'no upload is signed past its deadline', () => `${owner?.id}`);
      if (owner) onUpload(actor, owner.deadline);
    },
    stored: checkOne,
    destroyed(publicId) {
      const owner = findOwners(publicId).find(({ status }) => status === 'succeeded');
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
