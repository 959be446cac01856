/** One history: a seed's worth of users, admins, failures and crashes, brought to rest and looked over. */

import { type Admin, createAdmin, type Grant } from './admin.ts';
import { checkAtRest } from './atRest.ts';
import { bodyOf, type Clients, createClients, type ImageRequest, type User } from './clients.ts';
import type { Weather } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { createMemoryStore, type MemoryStore } from './memoryDatabase.ts';
import { createModel, type Model } from './model.ts';
import { accountEvent } from './wire.ts';
import { Broken, createWorld, type World } from './world.ts';

export type Outcome = {
  seed: number;
  counts: Map<string, number>;
  /** Which promise was broken, and how. */
  broken: Broken | undefined;
  trace: string[];
};

/** What a history consists of. */
export type History = {
  world: World;
  weather: Weather;
  store: MemoryStore;
  model: Model;
  fleet: Fleet;
  clients: Clients;
  admin: Admin;
  users: User[];
  wishes: ImageRequest[];
  grants: Grant[];
  finals: Map<string, string>;
};

/** Runs the history of a seed; always the same one. */
export async function runHistory(seed: number, tracing = false): Promise<Outcome> {
  const world = createWorld(seed, tracing);
  let broken: Broken | undefined;
  try {
    const history = await begin(world);
    // What is not over by then goes on while everything comes to rest.
    await world.run(world.sleep(plan(history)));
    await checkAtRest(history);
  } catch (error) {
    broken =
      error instanceof Broken ? error : new Broken('the simulation works', String((error as Error).stack));
  }
  return { seed, counts: world.counts, broken, trace: world.trace };
}

async function begin(world: World): Promise<History> {
  const { random } = world;
  // Some histories have one kind of trouble only, and some have none: what hides in a storm shows in a calm.
  const database = random.pick([0, 0, 0.02, 0.08, 0.2, 0.4]);
  const slow = random.pick([0, 0, 0.05, 0.3]);
  const calmFrom = database + slow > 0 ? Number.POSITIVE_INFINITY : 0;
  const weather: Weather = { database, slow, upstream: random.pick([0, 0.2, 0.5]), calmFrom };
  const rules = {
    signupCredits: random.pick([0, 3, 10]),
    maxInFlight: random.pick([1, 3, 8, 30]),
    maxPerMinute: random.pick([3, 20, 60]),
    maxRefundsPerHour: random.pick([2, 30, 30, 30]),
    allowanceCredits: random.pick([0, 0, 5]),
  };
  const users = ['ada', 'bob', 'eve']
    .slice(0, random.whole(1, 3))
    .map((uid) => ({ uid, verified: random.chance(0.8) }));
  const store = createMemoryStore(world.now);
  const model = createModel(world, store, rules, users);
  const env = {
    SIGNUP_CREDITS: String(rules.signupCredits),
    MAX_IN_FLIGHT_PER_USER: String(rules.maxInFlight),
    MAX_PER_MINUTE_PER_USER: String(rules.maxPerMinute),
    MAX_REFUNDS_PER_HOUR_PER_USER: String(rules.maxRefundsPerHour),
    ALLOWANCE_CREDITS: String(rules.allowanceCredits),
    CACHE_TTL_SECONDS: random.pick(['0', '20', '3600']),
  };
  const { images, observeLog } = model;
  const ground = { world, weather, store, images, env, observeLog };
  const fleet = await startFleet(ground, model, random.whole(1, 3));
  const finals = new Map<string, string>();
  const clients = createClients(fleet, model, finals);
  const admin = createAdmin(fleet, model, store, users);
  return { world, weather, store, model, fleet, clients, admin, users, wishes: [], grants: [], finals };
}

/** Puts everything that will happen at its moment; the answers bring on the rest. Returns how long it goes on. */
function plan(history: History): number {
  const { world, store, users, fleet, clients, admin, wishes, grants } = history;
  const { random } = world;
  const lengthMs = random.pick([2_000, 60_000, 600_000]);
  const sometime = (what: string, act: () => unknown) =>
    world.after(random.whole(0, lengthMs), what, () => void act());
  const times = (count: number, what: string, act: () => unknown) => {
    for (let i = 0; i < count; i += 1) sometime(what, act);
  };
  const someone = () => random.pick(users);

  // Most users begin with what an admin gave them.
  for (const user of users) {
    if (random.chance(0.7)) give(history, user);
  }
  planWishes(history, sometime);
  times(random.whole(0, 6), 'a user looks', () => {
    const imageRequest = random.pick(wishes);
    return clients.look(imageRequest.user, imageRequest.key);
  });
  times(random.whole(0, 6), 'a user deletes', () => {
    const imageRequest = random.pick(wishes);
    return clients.erase(imageRequest.user, imageRequest.key);
  });
  times(random.whole(0, 3), 'a user looks at the account', () => clients.getOrCreateAccount(someone()));
  times(random.pick([0, 1, 3, 8]), 'an admin edits', () => admin.edit(someone()));
  times(random.pick([0, 0, 0, 1]), 'an admin deletes', () => admin.erase(someone()));
  times(random.whole(0, 2), 'an admin audits', () => admin.audit(someone()));
  for (let i = random.whole(0, 3); i > 0; i -= 1) {
    const key = `grant-${random.whole(1, 2)}`;
    const imageRequest: Grant = {
      key,
      uid: someone().uid,
      amount: random.pick([5, 5, -2, 9]),
      settled: undefined,
    };
    grants.push(imageRequest);
    for (let j = random.whole(1, 2); j > 0; j -= 1)
      sometime('an admin grants', () => admin.grant(imageRequest, 2));
  }
  times(random.whole(0, 4), 'the scheduler sweeps', () => {
    for (let i = random.whole(1, 3); i > 0; i -= 1) void admin.schedule('sweepHolds');
  });
  times(random.whole(0, 2), 'the scheduler reconciles', () => admin.schedule('reconcile'));
  times(random.pick([0, 1, 3]), 'the scheduler refills', () => admin.schedule('refillAllowances'));
  times(random.pick([0, 0, 1, 3]), 'a crash', fleet.crash);
  times(random.pick([0, 1, 2, 4]), 'a stop', () =>
    fleet.suspend(random.pick([5_000, 100_000, 300_000, 4_000_000])),
  );
  times(random.pick([0, 0, 1]), 'a deployment', fleet.replace);
  times(1, 'another instance', fleet.start);
  if (random.chance(0.4)) planDuels(history);
  if (random.chance(0.3)) planTwins(history);

  const isNoisy = random.chance(0.5);
  store.watch((changes) => {
    for (const change of changes) {
      const [root, uid = '', more] = change.path.split('/');
      if (root !== 'accounts' || more || !isNoisy) continue;
      for (let i = random.pick([0, 1, 1, 2]); i > 0; i -= 1) {
        const actor = random.chance(0.5) ? 'admin@example.com' : undefined;
        const event = accountEvent(uid, change, actor);
        world.after(random.pick([1, 5, 100, 60_000]), 'an event is sent', () => fleet.deliver(event, 3));
      }
    }
  });
  return lengthMs + 1;
}

/** Workers that are stopped with their image on its way, and come back when the sweep comes for it. */
function planDuels({ world, model, admin }: History): void {
  const { random } = world;
  model.onUpload = (actor, deadline) => {
    if (!random.chance(0.4)) return;
    world.happened('duel of a worker and the sweep', () => actor.name);
    const wait = deadline - world.now() + random.whole(-20, 400);
    actor.stoppedUntil = world.now() + wait;
    for (let i = random.whole(1, 3); i > 0; i -= 1) {
      world.after(
        wait + random.whole(-120, 20),
        'a sweep in a duel',
        () => void admin.schedule('sweepHolds'),
      );
    }
  };
}

/** One wish under several keys, so that the cache has it, and in bursts deletions of what was made of it. */
function planTwins({ world, model, users, clients, wishes }: History): void {
  const { random } = world;
  const user = random.pick(users);
  const body = bodyOf(0, 'standard');
  const keys = [1, 2, 3, 4].map((i) => `twin-${i}`);
  for (const key of keys) {
    model.expect(user.uid, key);
    wishes.push({ uid: user.uid, user, key, body });
  }
  const twins = wishes.slice(-keys.length);
  for (let burst = 0; burst < 3; burst += 1) {
    const at = burst * 15_000;
    for (const imageRequest of twins) {
      if (random.chance(0.5)) {
        world.after(at + random.whole(0, 60), 'a twin is asked for', () => void clients.ask(imageRequest, 2));
      }
      if (burst > 0 && random.chance(0.6)) {
        world.after(
          at + random.whole(0, 60),
          'a twin is deleted',
          () => void clients.erase(user, imageRequest.key),
        );
      }
    }
  }
}

function give({ world, store, model }: History, { uid }: User): void {
  const balance = world.random.pick([3, 10, 40, 100]);
  world.happened('console: account made by hand', () => `${uid} ${balance}`);
  model.asConsole(() => store.commit([{ create: `accounts/${uid}`, data: { balance } }]));
}

/** Calls of `generate`: several for many keys, some at once, some with another body. */
function planWishes(
  { world, model, users, clients, wishes }: History,
  sometime: (what: string, act: () => unknown) => void,
): void {
  const { random } = world;
  for (let i = random.pick([2, 6, 12, 24]); i > 0; i -= 1) {
    const user = random.pick(users);
    // Users have keys of the same name.
    const key = `key-${i % 9}`;
    const tier = random.pick(['standard', 'premium2', 'premium4']);
    const first = wishes.find((imageRequest) => imageRequest.key === key && imageRequest.uid === user.uid);
    const body = first && random.chance(0.7) ? first.body : bodyOf(random.pick([0, 0, 0, 1, 2, 3, 4]), tier);
    const imageRequest: ImageRequest = { uid: user.uid, user, key, body };
    wishes.push(imageRequest);
    model.expect(user.uid, key);
    for (let j = random.pick([1, 1, 2, 3]); j > 0; j -= 1) {
      const patienceMs = random.pick([400_000, 400_000, 5_000, 60_000]);
      sometime('a user asks', () => clients.ask(imageRequest, random.whole(1, 4), patienceMs));
    }
  }
}
