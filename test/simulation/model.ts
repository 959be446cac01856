/**
 * An independent model of the contract: it observes every commit and accounts for every credit. Its rules are
 * written from the contract and import nothing of the ledger.
 */
import type { Fields } from '../../shared/core/log.ts';
import type { Data } from '../../shared/database/database.ts';
import { checkGoodwill } from './goodwill.ts';
import type { DocumentChange, MemoryStore } from './memoryDatabase.ts';
import { type Observation, observeGeneration } from './modelGenerations.ts';
import { watchImages } from './modelImages.ts';
import { type Movement, observeLedger } from './modelLedger.ts';
import { checkRemoved, checkShares, observeShare, type Shares } from './modelShares.ts';
import { createReasons } from './modelSuspensions.ts';
import {
  findMistyped,
  hashId,
  isClosed,
  isMisnumbered,
  isSuspended,
  type Moment,
  type ObservedAccount,
  type ObservedGeneration,
  parseBalance,
} from './observed.ts';
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
  /** The number of commits so far. Intervals are measured in ticks, so that no two commits are at the same time. */
  tick(): number;
  account(uid: string): ObservedAccount;
  accounts: Map<string, ObservedAccount>;
  generations: Map<string, ObservedGeneration>;
  /** Announces a key of a user. No other generations may be created. */
  expect(uid: string, key: string): void;
  findGeneration(uid: string, key: string): ObservedGeneration | undefined;
  outbox: Map<string, Data>;
  /** The documents of closings, by uid. */
  closures: Map<string, Data>;
  images: Images;
  shares: Shares;
  /** Checks a log line of an instance about an entry: it must be an entry that it has committed. */
  observeLog(instance: string, fields: Fields): void;
  /** The number of entries that were logged. */
  loggedCount(): number;
  /** Runs a write as the console's, past the ledger. */
  asConsole(write: () => void): void;
  /** Called when an upload begins, with its actor and the deadline of its generation. */
  onUpload?: (actor: Actor, deadline: number) => void;
  /** The moments of an account since a tick, beginning with the current one at that tick. */
  since(uid: string, tick: number): Moment[];
};

/** A model that observes a store and its images from now on. */
export function createModel(
  world: World,
  store: MemoryStore,
  rules: Rules,
  users: { uid: string; verified: boolean; person?: string }[],
): Model {
  let ticks = 0;
  let isConsole = false;
  const accounts = new Map<string, ObservedAccount>();
  const generations = new Map<string, ObservedGeneration>();
  const outbox = new Map<string, Data>();
  const shares: Shares = new Map();
  const closures = new Map<string, Data>();
  const identities = new Map<string, Data>();
  const ids = new Set<string>();
  /** The instances that logged an entry, by its account and id. */
  const logged = new Map<string, string[]>();

  for (const { uid, verified, person = uid } of users) {
    accounts.set(uid, {
      uid,
      verified,
      names: verified ? person.split('+') : [],
      decisions: new Set(),
      reasons: createReasons(),
      met: new Set(),
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
          closed: false,
          misnumbered: false,
          mistyped: false,
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

  const { images, checkOwned } = watchImages(world, { generations, outbox, shares }, (actor, deadline) =>
    model.onUpload?.(actor, deadline),
  );

  function observeOutbox(id: string, { after }: DocumentChange): void {
    if (after) outbox.set(id, after);
    else outbox.delete(id);
  }

  function observeClosure(uid: string, { before, after }: DocumentChange): void {
    world.check(after !== undefined, 'a closing is never forgotten', () => uid);
    if (!after) return;
    closures.set(uid, after);
    if (before?.status !== after.status) world.happened(`closing: ${after.status}`, () => uid);
  }

  function observe(changes: DocumentChange[]): void {
    ticks += 1;
    const movements = new Map<string, Movement[]>();
    const touched = new Set<string>();
    for (const change of changes) {
      const [root, first = '', collection, second = ''] = change.path.split('/');
      if (root === 'outbox') observeOutbox(first, change);
      if (root === 'shares') observeShare(world, shares, first, change);
      if (root === 'closures') observeClosure(first, change);
      // A copy is under the hash of version 0.1.0.
      const isCopy = changes.find(({ after }) => after?.owner === change.after?.owner) !== change;
      if (root === 'grants' && !change.before && !isCopy) {
        const { uid, amount, generationId } = change.after as Movement & { uid: string };
        const of = generationId === undefined ? {} : { generationId };
        movements.set(uid, [...(movements.get(uid) ?? []), { type: 'grant', amount, ...of }]);
        if (generationId !== undefined)
          checkGoodwill(world, accounts.get(uid), generations.get(generationId), amount);
        touched.add(uid);
      }
      if (root !== 'accounts') continue;
      touched.add(first);
      if (collection !== 'generations') continue;
      const observation: Observation = {
        world,
        rules,
        images,
        accounts,
        generations,
        ids,
        tick: ticks,
        isConsole,
      };
      const moved = observeGeneration(observation, first, second, change);
      movements.set(first, [...(movements.get(first) ?? []), ...moved]);
    }
    for (const uid of touched) {
      const account = accounts.get(uid);
      if (!account) continue;
      observeLedger(
        { world, rules, accounts, identities, closures },
        account,
        changes,
        movements.get(uid) ?? [],
        isConsole,
      );
      account.moments.push(createMoment(account));
    }
    for (const { path, after } of changes) {
      const [root, name = ''] = path.split('/');
      if (root === 'identities' && after) identities.set(name, after);
    }
    checkOwned();
    checkShares(world, shares, generations, images.stored);
    checkRemoved(world, generations);
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

  function createMoment({ uid, data, entries, sum }: ObservedAccount): Moment {
    const mine = [...generations.values()].filter((one) => one.uid === uid && one.status === 'pending');
    return {
      tick: ticks,
      exists: data !== undefined,
      shown: data ? parseBalance(data) : 0,
      adjust:
        data?.adjust === undefined
          ? undefined
          : Number.isSafeInteger(data.adjust)
            ? Number(data.adjust)
            : null,
      suspended: isSuspended(data),
      closed: isClosed(data),
      misnumbered: isMisnumbered(data, entries.length),
      mistyped: findMistyped(data).length > 0,
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
      if (!account) throw new Error(`There is no user ${uid}`);
      return account;
    },
    accounts,
    generations,
    expect: (uid, key) => void ids.add(hashId(uid, key)),
    findGeneration: (uid, key) => generations.get(hashId(uid, key)),
    outbox,
    closures,
    images,
    shares,
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
      const { moments } = accounts.get(uid) as ObservedAccount;
      const current = moments.findLastIndex((moment) => moment.tick <= tick);
      return moments.slice(Math.max(0, current));
    },
  };
  return model;
}
