/** Users who go on from their images, and ask for several at once. */
import { createBody, type ImageRequest } from './clients.ts';
import type { History } from './history.ts';
import { type Body, hashId } from './observed.ts';

/**
 * A chain of edits, each of several images in a group, with deletions and take-downs of parents in between: before the edit
 * is requested, while its hold is made, and while its image is generated.
 */
export function planEdits({ world, model, users, clients, sharing, imageRequests }: History): void {
  const { random } = world;
  const user = random.pick(users);
  const other = random.pick(users);
  let parentKey: string | undefined;
  for (let turn = 0; turn < 4; turn += 1) {
    const at = turn * 12_000;
    // Now and then of an image that is not there, or that is another user's.
    const parentOf = random.chance(0.1) ? other.uid : user.uid;
    const editOf = parentKey === undefined ? undefined : hashId(parentOf, parentKey);
    const body: Body = {
      ...createBody(0, 'standard'),
      prompt: 'an edit',
      group: `turn ${turn}`,
      originalPrompt: 'a rough edit',
      ...(editOf && { editOf }),
    };
    const keys = [1, 2, 3, 4].slice(0, random.whole(1, 4)).map((i) => `edit-${turn}-${i}`);
    const group = keys.map((key): ImageRequest => ({ uid: user.uid, user, key, body }));
    for (const imageRequest of group) {
      model.expect(user.uid, imageRequest.key);
      imageRequests.push(imageRequest);
      const ask = () => void clients.ask(imageRequest, random.whole(1, 3));
      world.after(at + random.whole(0, 60), 'an image of a group is requested', ask);
    }
    const removedKey = parentKey;
    if (removedKey !== undefined && random.chance(0.4)) {
      const remove = () =>
        void (random.chance(0.7)
          ? clients.deleteGeneration(user, removedKey)
          : sharing.takeDown(user, removedKey));
      world.after(at + random.pick([-500, 0, 20, 60, 500, 5_000]), 'a parent is removed', remove);
    }
    parentKey = random.pick(keys);
  }
}
