/** Users who go on from their images, and ask for several at once. */
import { createBody, type ImageRequest } from './clients.ts';
import type { History } from './history.ts';
import { hashId } from './observed.ts';

const turns = 4;
/** Between two turns, milliseconds: most images are finished by then. */
const turnMs = 15_000;

/**
 * Groups of images that change one of an earlier group, with deletions and take-downs of parents in between: before the edit
 * is requested, while its hold is made, and while its image is generated. Some parents never succeed.
 */
export function planEdits({ world, model, users, clients, sharing, imageRequests }: History): void {
  const { random } = world;
  const user = random.pick(users);
  const keys: string[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const at = turn * turnMs;
    const parentKey = random.pick([...keys, ...keys.slice(-2), 'none']);
    const owner = random.chance(0.05) ? random.pick(users) : user;
    const body = {
      ...createBody(0, 'standard'),
      prompt: 'an edit',
      group: `turn ${turn}`,
      originalPrompt: 'a rough edit',
      ...(turn > 0 && { editOf: hashId(owner.uid, parentKey) }),
    };
    for (let i = random.whole(1, 4); i > 0; i -= 1) {
      const key = `edit-${turn}-${i}`;
      const imageRequest: ImageRequest = { uid: user.uid, user, key, body };
      keys.push(key);
      model.expect(user.uid, key);
      imageRequests.push(imageRequest);
      const ask = () => void clients.ask(imageRequest, random.whole(2, 4));
      world.after(at + random.whole(0, 60), 'an image of a group is requested', ask);
    }
    if (turn === 0 || random.chance(0.7)) continue;
    const remove = () =>
      void (random.chance(0.7)
        ? clients.deleteGeneration(user, parentKey)
        : sharing.takeDown(user, parentKey));
    world.after(at + random.pick([-500, 0, 20, 60, 500, 5_000]), 'a parent is removed', remove);
  }
}
