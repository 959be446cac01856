/**
 * What must be, told from the outside: every commit is watched and every credit accounted for by rules
 * written down here a second time, from the contract and not from the ledger's code.
 */
import type { Data } from '../../shared/database.ts';
import { type Entry, type Movement, observeBooks } from './modelBooks.ts';
import type { DocumentChange, MemoryStore } from './memoryDatabase.ts';
import type { Images } from './upstreams.ts';
import type { World } from './world.ts';

/** The contract's prices. */
export const prices: Record<string, number> = { standard: 1, premium2: 2, premium4: 4 };

/** The body of `generate`. */
export type Body = { prompt: string; tier: string; orientation: string };

export type Status = 'pending' | 'succeeded' | 'refunded' | 'deleted';

export type GenerationSeen = {
  id: string;
  uid: string;
  /** What it was asked with; the prompt begins with the key. */
  body: Body;
  status: Status;
  /** The status after each commit that changed it. */
  history: { tick: number; status: Status }[];
  price: number;
  publicId: string;
  deadline: number;
  createdAt: number;
  failure: string | undefined;
  erased: boolean;
};

/** An account as it stood after one commit. */
export type Moment = {
  tick: number;
  exists: boolean;
  /** Undefined where the balance is no whole number ≥ 0. */
  shown: number | undefined;
  /** Null where it is no whole number. */
  adjust: number | null | undefined;
  suspended: boolean;
  /** Generations pending. */
  pending: number;
  /** Entries. */
  entries: number;
};

export type AccountSeen = {
  uid: string;
  verified: boolean;
  data: Data | undefined;
  entries: Entry[];
  sum: number;
  moments: Moment[];
  /** An admin threw away what the limits are counted by. */
  limitsForgotten: boolean;
  /** An admin deleted it or made it by hand: what is due at a first call is then anybody's guess. */
  touched: boolean;
  /** What all console edits, taken together, added. */
  edits: number;
};

export type Rules = { signupCredits: number; maxInFlight: number; maxPerMinute: number };

export type Model = {
  world: World;
  rules: Rules;
  /** Counts commits: intervals are measured in these, so that no two things are at one time. */
  tick(): number;
  account(uid: string): AccountSeen;
  accounts: Map<string, AccountSeen>;
  generations: Map<string, GenerationSeen>;
  /** The generation that was asked for with this prompt's key. */
  generationAsked(uid: string, key: string): GenerationSeen | undefined;
  outbox: Map<string, Data>;
  images: Images;
  /** Writes as an admin does in the console: past the ledger. */
  asConsole(write: () => void): void;
  /** The moments of an account from a tick on, the one that was current then included. */
  since(uid: string, tick: number): Moment[];
};

/** The key that a prompt was asked with. */
export const keyOf = (prompt: string) => prompt.split(' ')[0] ?? '';

/** A model that watches a store and its images from now on. */
export function createModel(
  world: World,
  store: MemoryStore,
  rules: Rules,
  users: { uid: string; verified: boolean }[],
): Model {
  let ticks = 0;
  let isConsole = false;
  const accounts = new Map<string, AccountSeen>();
  const generations = new Map<string, GenerationSeen>();
  const asked = new Map<string, GenerationSeen>();
  const ofImage = new Map<string, GenerationSeen>();
  const outbox = new Map<string, Data>();
  const { check } = world;

  for (const { uid, verified } of users) {
    accounts.set(uid, {
      uid,
      verified,
      data: undefined,
      entries: [],
      sum: 0,
      moments: [{ tick: 0, exists: false, shown: 0, adjust: undefined, suspended: false, pending: 0, entries: 0 }],
      limitsForgotten: false,
      touched: false,
      edits: 0,
    });
  }

  const images: Images = {
    stored: new Set(),
    watch: {
      stored(publicId) {
        const status = ofImage.get(publicId)?.status;
        const isOwned = status === 'pending' || status === 'succeeded';
        check(isOwned || isInOutbox(publicId), 'every image is owned or in the outbox', () => `it came late`);
      },
      destroyed(publicId) {
        const owner = ofImage.get(publicId);
        check(owner?.status !== 'succeeded', 'no image of a succeeded generation is deleted', () => `${owner?.id}`);
      },
    },
  };
  const isInOutbox = (publicId: string) => [...outbox.values()].some((item) => item.publicId === publicId);

  function observeGeneration(uid: string, id: string, { before, after }: DocumentChange): Movement[] {
    const now = world.now();
    if (!after) {
      check(false, 'a generation is never deleted', () => id);
      return [];
    }
    if (!before) {
      const key = `${uid} ${keyOf(String(after.prompt))}`;
      check(!asked.has(key), 'one key, one generation', () => key);
      check(after.status === 'pending', 'a generation begins pending', () => `${after.status}`);
      const seen: GenerationSeen = {
        id,
        uid,
        body: {
          prompt: String(after.prompt),
          tier: String(after.tier),
          orientation: String(after.orientation),
        },
        status: 'pending',
        history: [{ tick: ticks, status: 'pending' }],
        price: prices[String(after.tier)] ?? Number.NaN,
        publicId: String(after.publicId),
        deadline: (after.deadline as Date).getTime(),
        createdAt: (after.createdAt as Date).getTime(),
        failure: undefined,
        erased: false,
      };
      generations.set(id, seen);
      asked.set(key, seen);
      check(!ofImage.has(seen.publicId), 'an image name of its own', () => seen.publicId);
      ofImage.set(seen.publicId, seen);
      observeLimits(seen);
      return [{ type: 'debit', amount: -seen.price, generationId: id }];
    }
    const seen = generations.get(id);
    if (!seen) return [];
    for (const field of ['owner', 'deadline', 'credits', 'publicId', 'fingerprint', 'createdAt', 'tier']) {
      check(String(before[field]) === String(after[field]), 'what was held does not change', () => field);
    }
    seen.erased = after.prompt === null;
    const [from, to] = [seen.status, after.status as Status];
    if (from === to) return [];
    check(ends[from].includes(to), 'one end for each generation', () => `${id}: ${from} to ${to}`);
    seen.status = to;
    seen.history.push({ tick: ticks, status: to });
    world.happened(`generation ${to}`, () => id);
    if (to === 'succeeded') {
      check(images.stored.has(seen.publicId), 'what succeeded has its image', () => id);
    }
    if (to !== 'refunded') return [];
    seen.failure = (after.failure as { reason: string }).reason;
    world.happened(`refund: ${seen.failure}`);
    const isDue = seen.failure !== 'EXPIRED' || seen.deadline <= now;
    check(isDue, 'nothing expires before its deadline', () => `${id} by ${seen.deadline - now} ms`);
    return [{ type: 'refund', amount: seen.price, generationId: id }];
  }

  function observeLimits({ uid, createdAt, id }: GenerationSeen): void {
    const account = accounts.get(uid);
    if (!account || account.limitsForgotten) return;
    const others = [...generations.values()].filter((one) => one.uid === uid && one.id !== id);
    const running = others.filter((one) => one.status === 'pending' && one.deadline > world.now());
    check(running.length < rules.maxInFlight, 'the limit in flight holds', () => `${running.length + 1}`);
    // Holds count at the time they read, so that two may be in either order.
    const recent = others.filter((one) => one.createdAt > createdAt - 60_000 && one.createdAt <= createdAt);
    check(recent.length < rules.maxPerMinute, 'the limit per minute holds', () => `${recent.length + 1}`);
  }

  function observeOutbox(id: string, { after }: DocumentChange): void {
    if (after) outbox.set(id, after);
    else outbox.delete(id);
  }

  function observe(changes: DocumentChange[]): void {
    ticks += 1;
    const movements = new Map<string, Movement[]>();
    const touched = new Set<string>();
    for (const change of changes) {
      const [root, first = '', collection, second = ''] = change.path.split('/');
      if (root === 'outbox') observeOutbox(first, change);
      if (root === 'grants' && !change.before) {
        const { uid, amount } = change.after as { uid: string; amount: number };
        movements.set(uid, [...(movements.get(uid) ?? []), { type: 'grant', amount }]);
        touched.add(uid);
      }
      if (root !== 'accounts') continue;
      touched.add(first);
      if (collection !== 'generations') continue;
      const moved = observeGeneration(first, second, change);
      movements.set(first, [...(movements.get(first) ?? []), ...moved]);
    }
    for (const uid of touched) {
      const account = accounts.get(uid);
      if (!account) continue;
      const own = changes.filter(({ path }) => path.split('/')[1] === uid);
      observeBooks(world, rules, account, own, movements.get(uid) ?? [], isConsole);
      account.moments.push(momentOf(account));
    }
    for (const publicId of images.stored) {
      const status = ofImage.get(publicId)?.status;
      if (status === 'pending' || status === 'succeeded') continue;
      check(isInOutbox(publicId), 'every image is owned or in the outbox', () => `${status}`);
    }
  }

  function momentOf({ uid, data, entries }: AccountSeen): Moment {
    const mine = [...generations.values()].filter((one) => one.uid === uid && one.status === 'pending');
    return {
      tick: ticks,
      exists: data !== undefined,
      shown: data ? creditsIn(data.balance) : 0,
      adjust: data?.adjust === undefined ? undefined : Number.isSafeInteger(data.adjust) ? Number(data.adjust) : null,
      suspended: Boolean(data?.suspended),
      pending: mine.length,
      entries: entries.length,
    };
  }

  store.watch(observe);
  return {
    world,
    rules,
    tick: () => ticks,
    account(uid) {
      const account = accounts.get(uid);
      if (!account) throw new Error(`Nobody is called ${uid}`);
      return account;
    },
    accounts,
    generations,
    generationAsked: (uid, key) => asked.get(`${uid} ${key}`),
    outbox,
    images,
    asConsole(write) {
      isConsole = true;
      try {
        write();
      } finally {
        isConsole = false;
      }
    },
    since(uid, tick) {
      const { moments } = accounts.get(uid) as AccountSeen;
      const current = moments.findLastIndex((moment) => moment.tick <= tick);
      return moments.slice(Math.max(0, current));
    },
  };
}

/** What a generation may become. */
const ends: Record<Status, Status[]> = {
  pending: ['succeeded', 'refunded'],
  succeeded: ['deleted'],
  refunded: [],
  deleted: [],
};

/** A balance that is a whole number of credits, or undefined. */
export const creditsIn = (balance: unknown): number | undefined =>
  Number.isSafeInteger(balance) && Number(balance) >= 0 ? Number(balance) : undefined;

/** What an admin's addition comes to where it can be applied, or undefined. */
export function adjustable({ shown, adjust }: Pick<Moment, 'shown' | 'adjust'>): number | undefined {
  if (shown === undefined || typeof adjust !== 'number' || shown + adjust < 0) return undefined;
  return adjust;
}
