/** At every moment each image in the store belongs to a generation or is in the outbox, and no shown image is deleted. */
import type { Data } from '../../shared/database/database.ts';
import { type Shares, toShareToken } from './modelShares.ts';
import type { ObservedGeneration } from './observed.ts';
import type { Images } from './upstreams.ts';
import type { Actor, World } from './world.ts';

type Observed = {
  generations: Map<string, ObservedGeneration>;
  outbox: Map<string, Data>;
  shares: Shares;
};

/** The images of a history. Call `checkOwned` after each commit. */
export function watchImages(
  world: World,
  { generations, outbox, shares }: Observed,
  onUpload: (actor: Actor, deadline: number) => void,
): { images: Images; checkOwned(): void } {
  const { check } = world;
  /** The instance that signed each upload. */
  const signed = new Map<string, Actor>();
  const retried = new Set<string>();
  const stored = new Set<string>();
  /** Twins share one image. */
  const findOwners = (publicId: string) =>
    [...generations.values()].filter((one) => one.publicId === publicId);
  const isInOutbox = (publicId: string) => [...outbox.values()].some((item) => item.publicId === publicId);

  function checkOne(publicId: string): void {
    const token = toShareToken(publicId);
    if (token !== undefined) {
      const isOwned = shares.get(token)?.isPublic === true || isInOutbox(publicId);
      check(isOwned, 'every copy is of a share or in the outbox', () => token);
      return;
    }
    const owners = findOwners(publicId);
    const isOwned = owners.some(({ status }) => status === 'pending' || status === 'succeeded');
    const describe = () => owners.map(({ id, status }) => `${id} is ${status}`).join();
    check(isOwned || isInOutbox(publicId), 'every image is owned or in the outbox', describe);
  }

  function signedCopy(token: string, actor: Actor): void {
    check(!signed.has(token), 'a copy is uploaded once', () => token);
    signed.set(token, actor);
    const { isUnfinished, dueAt } = outbox.get(token) ?? {};
    const deadline = isUnfinished ? Number(dueAt) : 0;
    check(world.now() <= deadline, 'no upload is signed past its deadline', () => token);
    onUpload(actor, deadline);
  }

  const watch: Images['watch'] = {
    signed(publicId, actor) {
      const token = toShareToken(publicId);
      if (token !== undefined) return signedCopy(token, actor);
      const [owner] = findOwners(publicId);
      const isRetry = signed.get(publicId) === actor && !retried.has(publicId);
      if (isRetry) retried.add(publicId);
      const isFirst = !signed.has(publicId);
      check(isRetry || isFirst, 'one call generates, all others are replays', () => `${owner?.id}`);
      signed.set(publicId, actor);
      const isInTime = owner !== undefined && world.now() <= owner.deadline;
      check(isInTime, 'no upload is signed past its deadline', () => `${owner?.id}`);
      if (owner) onUpload(actor, owner.deadline);
    },
    stored: checkOne,
    destroyed(publicId) {
      const share = shares.get(toShareToken(publicId) ?? '');
      check(!share?.isPublic, 'no copy of a share is deleted', () => publicId);
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
