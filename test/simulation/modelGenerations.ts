/** One generation, commit by commit: how it may begin and end, and which credits move. */
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange } from './memoryDatabase.ts';
import type { Rules } from './model.ts';
import type { Movement } from './modelLedger.ts';
import {
  type Body,
  getPrice,
  isSameImage,
  type ObservedAccount,
  type ObservedGeneration,
  type Status,
} from './observed.ts';
import { type Images, modelWords } from './upstreams.ts';
import type { World } from './world.ts';

/** The model when a commit is observed. */
export type Observation = {
  world: World;
  rules: Rules;
  images: Images;
  accounts: Map<string, ObservedAccount>;
  generations: Map<string, ObservedGeneration>;
  /** The ids of all announced keys. */
  ids: Set<string>;
  tick: number;
  isConsole: boolean;
};

/** The statuses that may follow a status. */
const nextStatuses: Record<Status, Status[]> = {
  pending: ['succeeded', 'refunded'],
  succeeded: ['deleted'],
  refunded: [],
  deleted: [],
};
/** The fields that never change. */
const fixedFields = [
  'owner',
  'deadline',
  'credits',
  'publicId',
  'fingerprint',
  'createdAt',
  'tier',
  'resolution',
  'cached',
  'ancestors',
];

/** Observes one change of a generation. Returns the credits that must move with it. */
export function observeGeneration(
  observation: Observation,
  uid: string,
  id: string,
  { before, after }: DocumentChange,
): Movement[] {
  const { check } = observation.world;
  const generation = observation.generations.get(id);
  if (!after) {
    check(observation.isConsole, 'a generation is never deleted', () => id);
    if (generation) remove(generation, observation.tick);
    return [];
  }
  if (!before) return begin(observation, uid, id, after);
  if (!generation) return [];
  for (const field of fixedFields) {
    check(
      String(before[field]) === String(after[field]),
      'the fields of the hold do not change',
      () => field,
    );
  }
  generation.erased = after.prompt === null;
  const shareToken = (after.shareToken as string | null | undefined) ?? undefined;
  if (shareToken !== generation.shareToken) {
    generation.shareTokens.push({ tick: observation.tick, token: shareToken });
  }
  generation.shareToken = shareToken;
  if (after.removedBy === 'studio' && !generation.isTakenDown) {
    observation.world.happened('generation removed by the studio');
    generation.isTakenDown = true;
  }
  observeSearch(observation, generation, after);
  const kept = [after.originalPrompt, after.group, after.thoughtSignature].filter(Boolean);
  check(!generation.erased || kept.length === 0, "a deletion erases the user's words", () => kept.join());
  const words = JSON.stringify(after.failure);
  check(
    !generation.erased || !words.includes(modelWords),
    "a deletion erases the model's words",
    () => words,
  );
  const to = after.status as Status;
  return generation.status === to ? [] : become(observation, generation, to, after);
}

/** Only a finished image has words, which are those of its prompts, and can be marked. */
function observeSearch({ world, tick }: Observation, generation: ObservedGeneration, after: Data): void {
  const { id, marks, words } = generation;
  const stored = [...((after.words ?? []) as string[])].sort().join();
  const expected = after.status === 'succeeded' ? words.join() : '';
  world.check(stored === expected, 'a finished image has the words of its prompts', () => `${id}: ${stored}`);
  const isMarked = after.favourite === true;
  world.check(!isMarked || after.status === 'succeeded', 'only a finished image is marked', () => id);
  if (isMarked === marks.at(-1)?.isMarked) return;
  world.happened(isMarked ? 'favourite: marked' : 'favourite: unmarked');
  marks.push({ tick, isMarked });
}

function remove(generation: ObservedGeneration, tick: number): void {
  generation.status = 'deleted';
  generation.history.push({ tick, status: 'deleted' });
  generation.erased = true;
  generation.removed = true;
}

function begin(observation: Observation, uid: string, id: string, after: Data): Movement[] {
  const { world, ids, generations, tick } = observation;
  const { check } = world;
  const status = after.status as Status;
  const cached = after.cached === true;
  check(ids.has(id) && !generations.has(id), 'one key, one generation', () => `${uid} ${id}`);
  check(status === (cached ? 'succeeded' : 'pending'), 'a generation begins pending', () => status);
  const { prompt, tier, orientation, resolution, group, request } = after as Body & {
    request?: { fresh?: boolean };
  };
  const ancestors = (after.ancestors ?? []) as string[];
  const [editOf] = ancestors;
  const words = `${prompt} ${after.originalPrompt ?? ''}`.split(' ').filter(Boolean);
  const body: Body = {
    prompt,
    tier,
    orientation,
    fresh: request?.fresh === true,
    ...(editOf && { editOf }),
    ...(group && { group }),
    ...(resolution && { resolution }),
  };
  const generation: ObservedGeneration = {
    id,
    uid,
    body,
    words: [...new Set(words)].sort(),
    ancestors,
    cached,
    status,
    history: [{ tick, status }],
    price: cached ? 0 : getPrice(body),
    publicId: String(after.publicId),
    deadline: (after.deadline as Date).getTime(),
    createdAt: (after.createdAt as Date).getTime(),
    failure: undefined,
    billedRefundAt: undefined,
    erased: false,
    shareToken: undefined,
    shareTokens: [{ tick, token: undefined }],
    marks: [{ tick, isMarked: false }],
    isTakenDown: false,
    removed: false,
  };
  checkLineage(observation, generation);
  observeSearch(observation, generation, after);
  const twins = [...generations.values()].filter(({ publicId }) => publicId === generation.publicId);
  generations.set(id, generation);
  if (cached) {
    world.happened('generation cached', () => id);
    const isTwin = (twin: ObservedGeneration) =>
      twin.status === 'succeeded' &&
      twin.uid === uid &&
      isSameImage({ ...twin.body, fresh: false }, generation.body);
    check(twins.some(isTwin), 'the cache returns an image of the same request', () => id);
    return [];
  }
  check(twins.length === 0, 'every generation has its own image name', () => generation.publicId);
  observeLimits(observation, generation);
  return [{ type: 'debit', amount: -generation.price, generationId: id }];
}

/** An edit begins only of an image that its user had finished. It may have been deleted since the hold has read it. */
function checkLineage({ world, generations }: Observation, { id, uid, ancestors }: ObservedGeneration): void {
  const [parentId] = ancestors;
  if (parentId === undefined) return;
  world.happened('generation is an edit', () => id);
  const parent = generations.get(parentId);
  const wasFinished = parent?.uid === uid && parent.history.some(({ status }) => status === 'succeeded');
  world.check(wasFinished, 'only a finished image is edited', () => `${id} of ${parentId}`);
  const expected = [parentId, ...(parent?.ancestors ?? [])].join();
  world.check(ancestors.join() === expected, 'an edit keeps the lineage of its parent', () => id);
}

function become(
  { world, images, tick }: Observation,
  generation: ObservedGeneration,
  to: Status,
  after: Data,
): Movement[] {
  const { check } = world;
  const { id, status: from, publicId, deadline, price } = generation;
  check(nextStatuses[from].includes(to), 'a generation ends once', () => `${id}: ${from} to ${to}`);
  generation.status = to;
  generation.history.push({ tick, status: to });
  world.happened(`generation ${to}`, () => id);
  if (to === 'succeeded') {
    check(images.stored.has(publicId), 'a succeeded generation has its image', () => id);
    const isNow = Number(after.finishedAt) === Math.floor(world.now());
    check(isNow, "the time of success is the database's", () => `${id}: ${after.finishedAt}`);
  }
  if (to !== 'refunded') return [];
  generation.failure = (after.failure as { reason: string }).reason;
  world.happened(`refund: ${generation.failure}`);
  // The sweep does not know what a worker that died has cost.
  const isBilled = generation.failure === 'EXPIRED' || after.providerCostMicros !== 0;
  if (isBilled) generation.billedRefundAt = Number(after.finishedAt);
  const isDue = generation.failure !== 'EXPIRED' || deadline <= world.now();
  check(isDue, 'nothing expires before its deadline', () => `${id} by ${deadline - world.now()} ms`);
  return [{ type: 'refund', amount: price, generationId: id }];
}

function observeLimits({ world, rules, accounts, generations }: Observation, held: ObservedGeneration): void {
  const { uid, createdAt, id } = held;
  const account = accounts.get(uid);
  if (!account || account.limitsForgotten) return;
  const holds = [...generations.values()].filter((one) => one.uid === uid && one.id !== id && !one.cached);
  const running = holds.filter((one) => one.status === 'pending' && one.deadline > world.now());
  world.check(running.length < rules.maxInFlight, 'the limit in flight holds', () => `${running.length + 1}`);
  // A hold counts from the time of its read.
  const recent = holds.filter((one) => one.createdAt > createdAt - 60_000 && one.createdAt <= createdAt);
  world.check(recent.length < rules.maxPerMinute, 'the limit per minute holds', () => `${recent.length + 1}`);
  const refunds = countBilledRefunds(holds, createdAt - 3_600_000, createdAt);
  world.check(refunds < rules.maxRefundsPerHour, 'the limit of billed refunds holds', () => `${refunds}`);
}

/** Refunds after one time and up to another, milliseconds since 1970, that count for the limit per hour. */
export function countBilledRefunds(
  generations: readonly ObservedGeneration[],
  after: number,
  until: number,
): number {
  return generations.filter(({ billedRefundAt: at }) => at !== undefined && at > after && at <= until).length;
}
