/** Users who mark images as favourites, and search for images. */
import { parseAnswer, statusesSince } from './answers.ts';
import type { User } from './clients.ts';
import type { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import { tokens } from './instance.ts';
import type { Model } from './model.ts';
import type { ObservedGeneration } from './observed.ts';

export type Favourites = ReturnType<typeof createFavourites>;

export type Search = { query?: string; favourite?: 'true' };
/** Searches of the prompts that histories use. */
export const searches: readonly Search[] = [
  { query: 'Banana' },
  { query: 'apple an' },
  { query: 'edit, a rough one' },
  { query: 'ROUGH edit' },
  { query: 'ban' },
  { favourite: 'true' },
  { favourite: 'true', query: 'a banana' },
];

const unknownId = '0'.repeat(32);

/** True if a search finds a generation with these words, as long as it is finished. */
export const isMatch = ({ words }: ObservedGeneration, { query = '' }: Search) =>
  query
    .toLowerCase()
    .split(/[ ,]+/)
    .every((word) => words.includes(word));

/** The values of the mark since a tick, beginning with the one at that tick. */
function marksSince({ marks }: ObservedGeneration, startTick: number): boolean[] {
  const current = marks.findLastIndex(({ tick }) => tick <= startTick);
  return marks.slice(Math.max(0, current)).map(({ isMarked }) => isMarked);
}

/** The calls about favourites and searches of a history. */
export function createFavourites(fleet: Fleet, model: Model) {
  const { check } = model.world;

  return {
    async mark({ uid, verified }: User, key: string, favourite: boolean): Promise<void> {
      const id = model.findGeneration(uid, key)?.id ?? unknownId;
      const body = { id, favourite };
      const request = { name: 'favourite', method: 'POST' as const, as: tokens.user(uid, verified), body };
      await fleet.send(request, (answer, startTick) => {
        const describe = () => `${uid} ${id} ${favourite}: ${JSON.stringify(answer.body)}`;
        const found = model.generations.get(id);
        if (answer.status === 200) {
          const { generation } = answer.body as { generation: { favourite: boolean } };
          check(generation.favourite === favourite, 'a mark is as it was asked for', describe);
          const wasMarked = found && marksSince(found, startTick).includes(favourite);
          return check(wasMarked === true, 'a mark was as the reply says', describe);
        }
        const { reason } = parseAnswer(model, answer);
        const statuses = found ? statusesSince(found, startTick) : [];
        const wasMissing = !found || found.removed || statuses.some((status) => status !== 'succeeded');
        if (reason === 'NOT_FOUND') return check(wasMissing, 'a refusal is justified', describe);
        // Calls that wait for a stopped instance arrive all at once.
        if (reason !== 'RATE_LIMITED') check(reason === 'DATABASE_UNAVAILABLE', 'no other reply', describe);
      });
    },

    /** Reads the first page. */
    async search({ uid, verified }: User, search: Search): Promise<void> {
      const query = { pageSize: '3', ...search };
      const request = { name: 'gallery', method: 'GET' as const, as: tokens.user(uid, verified), query };
      await fleet.send(request, (answer, startTick) => {
        if (answer.status !== 200) {
          const { reason } = parseAnswer(model, answer);
          const mayFail = ['DATABASE_UNAVAILABLE', 'RATE_LIMITED'];
          return check(mayFail.includes(reason), 'no other reply', () => reason);
        }
        for (const { id } of (answer.body as { generations: { id: string }[] }).generations) {
          const found = model.generations.get(id);
          const describe = () => `${uid} ${JSON.stringify(search)}: ${id} ${found?.words}`;
          const isFound =
            found?.uid === uid &&
            (search.query === undefined || isMatch(found, search)) &&
            statusesSince(found, startTick).includes('succeeded') &&
            (search.favourite === undefined || marksSince(found, startTick).includes(true));
          check(isFound, 'a search finds what it was asked for', describe);
          model.world.happened('search: found');
        }
      });
    },
  };
}

/** Images that are marked, now and then several times at once and while they are deleted, and searches. */
export function planFavourites(
  { world, favourites, clients, users, imageRequests }: History,
  sometime: (what: string, act: () => unknown) => void,
): void {
  const { random } = world;
  for (let i = random.pick([0, 4, 12]); i > 0; i -= 1) {
    sometime('a user marks', () => {
      const { user, key } = random.pick(imageRequests);
      for (let j = random.pick([1, 1, 2]); j > 0; j -= 1) {
        const favourite = random.chance(0.7);
        world.after(random.whole(0, 60), 'a mark', () => void favourites.mark(user, key, favourite));
      }
      if (random.chance(0.1)) void clients.deleteGeneration(user, key);
    });
  }
  for (let i = random.pick([0, 2, 6]); i > 0; i -= 1) {
    sometime('a user searches', () => favourites.search(random.pick(users), random.pick(searches)));
  }
}
