/** Shares, commit by commit: who can see an image, and that a share and its generation name each other. */
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange } from './memoryDatabase.ts';
import type { ObservedGeneration } from './observed.ts';
import type { World } from './world.ts';

/** A share by its token. Anyone can see it once it has an image. */
export type ObservedShare = { uid: string; generationId: string; isPublic: boolean };
export type Shares = Map<string, ObservedShare>;

const prefix = 'shares/';

/** The token of a copy's name in the store, undefined for the image of a generation. */
export const toShareToken = (publicId: string) =>
  publicId.startsWith(prefix) ? publicId.slice(prefix.length) : undefined;

/** Observes one change of a share. */
export function observeShare(
  { check, happened }: World,
  shares: Shares,
  token: string,
  change: DocumentChange,
) {
  const { before, after } = change;
  if (!after) {
    if (shares.get(token)?.isPublic) happened('share: private');
    return shares.delete(token);
  }
  const { uid, generationId, image } = after as { uid: string; generationId: string; image: Data | null };
  check(
    image === null || before?.image === null,
    'a share is public only after its copy is stored',
    () => token,
  );
  if (image) happened('share: public');
  return shares.set(token, { uid, generationId, isPublic: image !== null });
}

/** Checks all shares after a commit. */
export function checkShares(
  { check }: World,
  shares: Shares,
  generations: Map<string, ObservedGeneration>,
  stored: Set<string>,
): void {
  for (const [token, { generationId, isPublic }] of shares) {
    if (!isPublic) continue;
    const { status, shareToken, removed } = generations.get(generationId) ?? {};
    // The page does not read the generation, so it outlives one that an admin deletes.
    const isShown = (status === 'succeeded' || removed === true) && shareToken === token;
    check(
      isShown,
      'only a finished image is public, under one address',
      () => `${generationId} is ${status}`,
    );
    check(stored.has(`${prefix}${token}`), 'a share shows its copy', () => token);
  }
  for (const { id, shareToken, removed } of generations.values()) {
    const isPublic = shareToken === undefined || shares.get(shareToken)?.isPublic === true;
    // A take-down of a twin ends the share of a document that an admin has deleted.
    check(isPublic || removed, 'an address shows its image', () => id);
  }
}

/** What the studio removed is shown by no generation. */
export function checkRemoved({ check }: World, generations: Map<string, ObservedGeneration>): void {
  const all = [...generations.values()];
  const removed = new Set(all.filter((one) => one.isTakenDown).map((one) => one.publicId));
  for (const { id, publicId, status } of all) {
    check(!removed.has(publicId) || status === 'deleted', 'a removed image is nowhere', () => id);
  }
}
