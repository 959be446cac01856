/**
 * What must be, told from the outside: every commit is watched and every credit accounted for by rules
 * written down here a second time, from the contract and not from the ledger's code.
 */
import type { Fields } from '../../shared/core/log.ts';
import type { Data } from '../../shared/database/database.ts';
import type { DocumentChange, MemoryStore } from './memoryDatabase.ts';
import { type Movement, observeBooks } from './modelBooks.ts';
import { observeGeneration, type Seen } from './modelGenerations.ts';
import { watchImages } from './modelImages.ts';
import { type AccountSeen, creditsIn, type GenerationSeen, idOf, type Moment } from './seen.ts';
import type { Images } from './upstreams.ts';
import type { Actor, World } from './world.ts';

export type Rules = {
  signupCredits: number;
  maxInFlight: number;
  maxPerMinute: number;
  maxRefundsPerHour: number;
  allowanceCredits: number;
};

export type Model = {
  world: World;
  rules: Rules;
  /** Counts commits: intervals are measured in these, so that no two things are at one time. */
  tick(): number;
  account(uid: string): AccountSeen;
  accounts: Map<string, AccountSeen>;
  generations: Map<string, GenerationSeen>;
  /** Says that a user will use a key: no other generations may come to be. */
  expect(uid: string, key: string): void;
  generationAsked(uid: string, key: string): GenerationSeen | undefined;
  outbox: Map<string, Data>;
  images: Images;
  /** Checks a line that an instance logs: one for each entry that it has committed. */
  observeLog(instance: string, fields: Fields): void;
  /** How many entries were logged. */
  loggedCount(): number;
  /** Writes as an admin does in the console: past the ledger. */
  asConsole(write: () => void): void;
  /** Told of each upload as it begins: by whom, and when its generation's deadline is. */
  onUpload?: (actor: Actor, deadline: number) => void;
  /** The moments of an account from a tick on, the one that was current then included. */
  since(uid: string, tick: number): Moment[];
};

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
  const outbox = new Map<string, Data>();
  const ids = new Set<string>();
  /** The instances that logged an entry, by its account and id. */
  const logged = new Map<string, string[]>();

  for (const { uid, verified } of users) {
    accounts.set(uid, {
      uid,
      verified,
      data: undefined,
      entries: [],
      sum: 0,
      moments: [
        {
          tick: 0,
          exists: false,
          shown: 0,
          adjust: undefined,
          suspended: false,
          pending: 0,
          entries: 0,
          sum: 0,
        },
      ],
      limitsForgotten: false,
      signup: 'due',
      edits: 0,
    });
  }

  const { images, checkOwned } = watchImages(world, generations, outbox, (actor, deadline) =>
    model.onUpload?.(actor, deadline),
  );

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
      const seen: Seen = { world, rules, images, accounts, generations, ids, tick: ticks };
      const moved = observeGeneration(seen, first, second, change);
      movements.set(first, [...(movements.get(first) ?? []), ...moved]);
    }
    for (const uid of touched) {
      const account = accounts.get(uid);
      if (!account) continue;
      const own = changes.filter(({ path }) => path.split('/')[1] === uid);
      observeBooks(world, rules, account, own, movements.get(uid) ?? [], isConsole);
      account.moments.push(momentOf(account));
    }
    checkOwned();
  }

  function observeLog(instance: string, { uid, entryId, sequence, amount }: Fields): void {
    const entry = accounts.get(String(uid))?.entries[Number(sequence) - 1];
    const about = () => `${uid} ${entryId} ${amount}`;
    const isEntry = entry?.id === entryId && entry?.amount === amount;
    world.check(isEntry, 'only entries of the ledger are logged', about);
    // Two instances that read an edit in the same millisecond cannot tell which of them recorded it.
    const instances = logged.get(`${uid} ${entryId}`) ?? [];
    world.check(!instances.includes(instance), 'an instance logs an entry once', about);
    logged.set(`${uid} ${entryId}`, [...instances, instance]);
  }

  function momentOf({ uid, data, entries, sum }: AccountSeen): Moment {
    const mine = [...generations.values()].filter((one) => one.uid === uid && one.status === 'pending');
    return {
      tick: ticks,
      exists: data !== undefined,
      shown: data ? creditsIn(data.balance) : 0,
      adjust:
        data?.adjust === undefined
          ? undefined
          : Number.isSafeInteger(data.adjust)
            ? Number(data.adjust)
            : null,
      suspended: Boolean(data?.suspended),
      pending: mine.length,
      entries: entries.length,
      sum,
    };
  }

  store.watch(observe);
  const model: Model = {
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
    expect: (uid, key) => void ids.add(idOf(uid, key)),
    generationAsked: (uid, key) => generations.get(idOf(uid, key)),
    outbox,
    images,
    observeLog,
    loggedCount: () => logged.size,
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
  return model;
}
