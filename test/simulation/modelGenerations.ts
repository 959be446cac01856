/** One generation, commit by commit: how it may begin, what may become of it, and what that moves. */
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange } from './memoryDatabase.ts';
import type { Rules } from './model.ts';
import type { Movement } from './modelBooks.ts';
import { type AccountSeen, type Body, type GenerationSeen, isSameBody, prices, type Status } from './seen.ts';
import type { Images } from './upstreams.ts';
import type { World } from './world.ts';

/** What is known when a commit comes. */
export type Seen = {
  world: World;
  rules: Rules;
  images: Images;
  accounts: Map<string, AccountSeen>;
  generations: Map<string, GenerationSeen>;
  /** All that were asked for. */
  ids: Set<string>;
  tick: number;
};

/** What a generation may become. */
const ends: Record<Status, Status[]> = {
  pending: ['succeeded', 'refunded'],
  succeeded: ['deleted'],
  refunded: [],
  deleted: [],
};
/** What never changes from its first commit on. */
const fixed = ['owner', 'deadline', 'credits', 'publicId', 'fingerprint', 'createdAt', 'tier', 'cached'];

/** Takes one change of a generation, and returns the credits that must have moved with it. */
export function observeGeneration(
  seen: Seen,
  uid: string,
  id: string,
  { before, after }: DocumentChange,
): Movement[] {
  const { check } = seen.world;
  if (!after) {
    check(false, 'a generation is never deleted', () => id);
    return [];
  }
  if (!before) return begin(seen, uid, id, after);
  const generation = seen.generations.get(id);
  if (!generation) return [];
  for (const field of fixed) {
    check(String(before[field]) === String(after[field]), 'what was held does not change', () => field);
  }
  generation.erased = after.prompt === null;
  const to = after.status as Status;
  return generation.status === to ? [] : become(seen, generation, to, after);
}

function begin(seen: Seen, uid: string, id: string, after: Data): Movement[] {
  const { world, ids, generations, tick } = seen;
  const { check } = world;
  const status = after.status as Status;
  const cached = after.cached === true;
  check(ids.has(id) && !generations.has(id), 'one key, one generation', () => `${uid} ${id}`);
  check(status === (cached ? 'succeeded' : 'pending'), 'a generation begins pending', () => status);
  const { prompt, tier, orientation, request } = after as Body & { request?: { fresh?: boolean } };
  const generation: GenerationSeen = {
    id,
    uid,
    body: { prompt, tier, orientation, fresh: request?.fresh === true },
    cached,
    status,
    history: [{ tick, status }],
    price: cached ? 0 : (prices[tier] ?? Number.NaN),
    publicId: String(after.publicId),
    deadline: (after.deadline as Date).getTime(),
    createdAt: (after.createdAt as Date).getTime(),
    failure: undefined,
    billedRefundAt: undefined,
    erased: false,
  };
  const twins = [...generations.values()].filter(({ publicId }) => publicId === generation.publicId);
  generations.set(id, generation);
  if (cached) {
    world.happened('generation cached', () => id);
    const isTwin = (twin: GenerationSeen) =>
      twin.status === 'succeeded' &&
      twin.uid === uid &&
      isSameBody({ ...twin.body, fresh: false }, generation.body);
    check(twins.some(isTwin), 'the cache gives the same image to the same wish', () => id);
    return [];
  }
  check(twins.length === 0, 'an image name of its own', () => generation.publicId);
  observeLimits(seen, generation);
  return [{ type: 'debit', amount: -generation.price, generationId: id }];
}

function become(
  { world, images, tick }: Seen,
  generation: GenerationSeen,
  to: Status,
  after: Data,
): Movement[] {
  const { check } = world;
  const { id, status: from, publicId, deadline, price } = generation;
  check(ends[from].includes(to), 'one end for each generation', () => `${id}: ${from} to ${to}`);
  generation.status = to;
  generation.history.push({ tick, status: to });
  world.happened(`generation ${to}`, () => id);
  if (to === 'succeeded') {
    check(images.stored.has(publicId), 'what succeeded has its image', () => id);
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

function observeLimits({ world, rules, accounts, generations }: Seen, held: GenerationSeen): void {
  const { uid, createdAt, id } = held;
  const account = accounts.get(uid);
  if (!account || account.limitsForgotten) return;
  const holds = [...generations.values()].filter((one) => one.uid === uid && one.id !== id && !one.cached);
  const running = holds.filter((one) => one.status === 'pending' && one.deadline > world.now());
  world.check(running.length < rules.maxInFlight, 'the limit in flight holds', () => `${running.length + 1}`);
  // A hold counts from the time at which it read.
  const recent = holds.filter((one) => one.createdAt > createdAt - 60_000 && one.createdAt <= createdAt);
  world.check(recent.length < rules.maxPerMinute, 'the limit per minute holds', () => `${recent.length + 1}`);
  const refunds = countBilledRefunds(holds, createdAt - 3_600_000, createdAt);
  world.check(refunds < rules.maxRefundsPerHour, 'the limit of billed refunds holds', () => `${refunds}`);
}

/** Refunds after one time and up to another, milliseconds since 1970, that count for the limit per hour. */
export function countBilledRefunds(
  generations: readonly GenerationSeen[],
  after: number,
  until: number,
): number {
  return generations.filter(({ billedRefundAt: at }) => at !== undefined && at > after && at <= until).length;
}
