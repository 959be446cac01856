/** One history: the users, admins, failures and crashes of a seed, brought to rest and checked. */
import { type Admin, createAdmin, type Grant } from './admin.ts';
import { checkAtRest } from './atRest.ts';
import { type Buyers, createBuyers, planDisputes, planPurchases } from './buyers.ts';
import { type Clients, createBody, createClients, type ImageRequest, type User } from './clients.ts';
import { planEdits } from './edits.ts';
import type { FaultRates } from './faults.ts';
import { createFavourites, type Favourites, planFavourites } from './favourites.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { planGoodwill } from './goodwill.ts';
import { type StartInstance, startInstance } from './instance.ts';
import { newEdits, newPromises } from './lastRelease.ts';
import { createMemoryStore, type MemoryStore } from './memoryDatabase.ts';
import { createModel, type Model } from './model.ts';
import { createRandom } from './random.ts';
import { createSharing, type Sharing } from './sharing.ts';
import { createSimulatedStripe, creditPacks, type SimulatedStripe } from './stripe.ts';
import { accountEvent } from './wire.ts';
import { Broken, createWorld, type World } from './world.ts';

export type Outcome = {
  seed: number;
  counts: Map<string, number>;
  /** The failed check, if any. */
  broken: Broken | undefined;
  trace: string[];
};

/** The parts of a history. */
export type History = {
  world: World;
  faultRates: FaultRates;
  store: MemoryStore;
  model: Model;
  fleet: Fleet;
  clients: Clients;
  admin: Admin;
  sharing: Sharing;
  favourites: Favourites;
  stripe: SimulatedStripe;
  buyers: Buyers;
  users: User[];
  imageRequests: ImageRequest[];
  grants: Grant[];
  finals: Map<string, string>;
  /** Half of the instances are of the last release. */
  isMixed: boolean;
};

/** Between the end of a generation's time and its hold's deadline, milliseconds: the default of HOLD_GRACE_MS. */
const graceMs = 60_000;

/**
 * Runs the history of a seed, which is always the same.
 * @param released starts an instance of the last release. Then half of the instances are of each version.
 */
export async function runHistory(seed: number, tracing = false, released?: StartInstance): Promise<Outcome> {
  const world = createWorld(seed, tracing, released && newPromises);
  let broken: Broken | undefined;
  try {
    const history = await begin(world, released);
    // What still runs then goes on while the history comes to rest.
    const lengthMs = plan(history);
    if (!released) planGoodwill(history, createRandom(seed + 1_000_000_000), lengthMs);
    await world.run(world.sleep(lengthMs));
    await checkAtRest(history);
  } catch (error) {
    broken =
      error instanceof Broken ? error : new Broken('the simulation works', String((error as Error).stack));
  }
  return { seed, counts: world.counts, broken, trace: world.trace };
}

async function begin(world: World, released?: StartInstance): Promise<History> {
  const { random } = world;
  // Some histories have one kind of fault only and some have none: many faults can hide a bug.
  const database = random.pick([0, 0, 0.02, 0.08, 0.2, 0.4]);
  const slow = random.pick([0, 0, 0.05, 0.3]);
  const undisturbedFrom = database + slow > 0 ? Number.POSITIVE_INFINITY : 0;
  const faultRates: FaultRates = {
    database,
    slow,
    upstream: random.pick([0, 0.2, 0.5]),
    undisturbedFrom,
    hasNewFailures: !released,
  };
  const rules = {
    signupCredits: random.pick([0, 3, 10]),
    maxInFlight: random.pick([1, 3, 8, 30]),
    maxPerMinute: random.pick([3, 20, 60]),
    maxRefundsPerHour: released ? 1_000 : random.pick([2, 30, 30, 30]),
    allowanceCredits: random.pick([0, 0, 5]),
  };
  // In many histories some users are one person, who deletes the user and comes back, or has several at once.
  const people = released
    ? []
    : random.pick([[], [], ['mail', 'mail', 'mail'], ['mail', 'mail+phone', 'phone']]);
  const users = ['ada', 'bob', 'eve'].slice(0, random.whole(1, 3)).map((uid, i) => ({
    uid,
    verified: random.chance(0.8),
    ...(people[i] && { person: people[i] }),
  }));
  const store = createMemoryStore(world.now);
  const model = createModel(world, store, rules, users);
  const env = {
    SIGNUP_CREDITS: String(rules.signupCredits),
    MAX_IN_FLIGHT_PER_USER: String(rules.maxInFlight),
    MAX_PER_MINUTE_PER_USER: String(rules.maxPerMinute),
    MAX_REFUNDS_PER_HOUR_PER_USER: String(rules.maxRefundsPerHour),
    ALLOWANCE_CREDITS: String(rules.allowanceCredits),
    CACHE_TTL_SECONDS: random.pick(['0', '20', '3600']),
    STRIPE_SECRET_KEY: 'sk_test_of_the_history',
    CREDIT_PACKS: creditPacks,
  };
  const stripe = createSimulatedStripe(world);
  const { images, observeLog } = model;
  const environment = { world, faultRates, store, images, stripe, env, observeLog };
  const versions = released ? [startInstance, released] : [startInstance];
  const fleet = await startFleet(environment, model, random.whole(1, 3) + versions.length - 1, versions);
  const finals = new Map<string, string>();
  const clients = createClients(fleet, model, finals);
  const admin = createAdmin(fleet, model, store, users, finals, released && newEdits);
  const buyers = createBuyers(fleet, model, stripe);
  return {
    world,
    faultRates,
    store,
    model,
    fleet,
    clients,
    admin,
    sharing: createSharing(fleet, model),
    favourites: createFavourites(fleet, model),
    stripe,
    buyers,
    users,
    imageRequests: [],
    grants: [],
    finals,
    isMixed: released !== undefined,
  };
}

/** Schedules the events of the history. Returns its length, milliseconds. */
function plan(history: History): number {
  const { world, store, users, fleet, clients, admin, imageRequests, grants, isMixed } = history;
  const { random } = world;
  const lengthMs = random.pick([2_000, 60_000, 600_000]);
  const sometime = (what: string, act: () => unknown) =>
    world.after(random.whole(0, lengthMs), what, () => void act());
  const times = (count: number, what: string, act: () => unknown) => {
    for (let i = 0; i < count; i += 1) sometime(what, act);
  };
  const pickUser = () => random.pick(users);

  // Most users start with credits from an admin.
  for (const user of users) {
    if (random.chance(0.7)) createByHand(history, user);
  }
  planImageRequests(history, sometime);
  if (!isMixed) planShares(history, sometime);
  times(random.whole(0, 6), 'a user reads a generation', () => {
    const imageRequest = random.pick(imageRequests);
    return clients.readGeneration(imageRequest.user, imageRequest.key);
  });
  times(random.whole(0, 6), 'a user deletes', () => {
    const imageRequest = random.pick(imageRequests);
    return clients.deleteGeneration(imageRequest.user, imageRequest.key);
  });
  if (!isMixed)
    times(random.pick([0, 0, 0, 0, 1, 2]), 'a user closes the account', () =>
      clients.closeAccount(pickUser()),
    );
  times(random.whole(0, 3), 'a user reads the account', () => clients.getOrCreateAccount(pickUser()));
  times(random.pick([0, 1, 3, 8]), 'an admin edits', () => admin.edit(pickUser()));
  times(random.pick([0, 0, 0, 1]), 'an admin deletes', () => admin.deleteAccount(pickUser()));
  times(random.pick([0, 0, 1, 3]), 'an admin suspends', () => admin.suspend(pickUser()));
  times(random.whole(0, 2), 'an admin audits', () => admin.audit(pickUser()));
  for (let i = random.whole(0, 3); i > 0; i -= 1) {
    const key = `grant-${random.whole(1, 2)}`;
    const grant: Grant = {
      key,
      uid: pickUser().uid,
      amount: random.pick([5, 5, -2, 9]),
      settled: undefined,
    };
    grants.push(grant);
    for (let j = random.whole(1, 2); j > 0; j -= 1) sometime('an admin grants', () => admin.grant(grant, 2));
  }
  if (!isMixed && random.chance(0.5)) planPurchases(history, times);
  if (random.chance(0.6)) planDisputes(history, lengthMs);
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
  else if (history.faultRates.database > 0) planSilences(history);
  if (random.chance(0.3)) planTwins(history);
  if (!isMixed) {
    if (random.chance(0.6)) planOrphans(history);
    if (random.chance(0.5)) planEdits(history);
    planFavourites(history, sometime);
  }

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

/** Images that become public and private, now and then at once, and some that the studio removes. */
function planShares(
  { world, model, sharing, imageRequests }: History,
  sometime: (what: string, act: () => unknown) => void,
): void {
  const { random } = world;
  /** Mostly a finished image, if there is one by then. */
  const pickImage = () => {
    const finished = imageRequests.filter(
      ({ uid, key }) => model.findGeneration(uid, key)?.status === 'succeeded',
    );
    return random.pick(finished.length > 0 && random.chance(0.8) ? finished : imageRequests);
  };
  for (let i = random.pick([0, 0, 4, 10]); i > 0; i -= 1) {
    sometime('a user shares', () => {
      const { user, key } = pickImage();
      for (let j = random.pick([1, 1, 2, 3]); j > 0; j -= 1) {
        const shared = random.chance(0.6);
        world.after(random.whole(0, 2_000), 'a share', () => void sharing.share(user, key, shared));
      }
    });
  }
  for (let i = random.pick([0, 0, 1, 3]); i > 0; i -= 1) {
    sometime('an admin removes', () => {
      const { user, key } = pickImage();
      for (let j = random.pick([1, 1, 2]); j > 0; j -= 1) void sharing.takeDown(user, key);
    });
  }
}

/** Workers that stop during their upload and wake when the sweep runs. */
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

/** Connections that go silent during an upload: until the settling has time left, or has not, or a refund has not. */
function planSilences({ world, model }: History): void {
  const { random } = world;
  model.onUpload = (actor, deadline) => {
    if (!random.chance(0.3)) return;
    const settleUntil = deadline - graceMs;
    actor.silentUntil = settleUntil + random.pick([-100_000, -30_000, 2_000, 6_000, 40_000]);
    world.happened('the database is silent to a settling', () => actor.name);
  };
}

/** One request under several keys, so that the cache answers, and deletions of its generations in bursts. */
function planTwins({ world, model, users, clients, sharing, imageRequests, isMixed }: History): void {
  const { random } = world;
  const user = random.pick(users);
  const body = createBody(0, 'standard');
  const keys = [1, 2, 3, 4].map((i) => `twin-${i}`);
  for (const key of keys) {
    model.expect(user.uid, key);
    imageRequests.push({ uid: user.uid, user, key, body });
  }
  const twins = imageRequests.slice(-keys.length);
  for (let burst = 0; burst < 3; burst += 1) {
    const at = burst * 15_000;
    for (const imageRequest of twins) {
      if (random.chance(0.5)) {
        world.after(at + random.whole(0, 60), 'a twin is requested', () => void clients.ask(imageRequest, 2));
      }
      if (burst > 0 && random.chance(0.6)) {
        world.after(
          at + random.whole(0, 60),
          'a twin is deleted',
          () => void clients.deleteGeneration(user, imageRequest.key),
        );
      }
      if (!isMixed && burst > 0 && random.chance(0.3)) {
        const shared = random.chance(0.8);
        world.after(
          at + random.whole(0, 60),
          'a twin is shared',
          () => void sharing.share(user, imageRequest.key, shared),
        );
      }
      if (!isMixed && burst > 0 && random.chance(0.1)) {
        world.after(
          at + random.whole(0, 60),
          'a twin is removed',
          () => void sharing.takeDown(user, imageRequest.key),
        );
      }
    }
  }
}

/** Twins of an image, the document of which an admin deletes, and then deletions of all twins at once. */
function planOrphans({ world, model, users, clients, admin, imageRequests }: History): void {
  const { random } = world;
  const user = random.pick(users);
  const body = { ...createBody(0, 'standard'), prompt: 'an orphan' };
  const keys = [1, 2, 3, 4].map((i) => `orphan-${i}`);
  for (const key of keys) {
    model.expect(user.uid, key);
    imageRequests.push({ uid: user.uid, user, key, body });
  }
  const [source, ...twins] = imageRequests.slice(-keys.length) as [ImageRequest, ...ImageRequest[]];
  world.after(0, 'the source of twins is requested', () => void clients.ask(source, 2));
  for (const twin of twins) {
    world.after(random.whole(10_000, 14_000), 'a twin is requested', () => void clients.ask(twin, 2));
  }
  world.after(19_000, 'an admin deletes a source', () => admin.deleteSource(user, source.key));
  const left = random.pick([2, 2, 3]);
  for (const twin of twins.slice(0, left)) {
    const remove = () => void clients.deleteGeneration(user, twin.key);
    world.after(19_001 + random.whole(0, 3), 'a twin is deleted', remove);
  }
}

function createByHand({ world, store, model }: History, { uid }: User): void {
  const balance = world.random.pick([3, 10, 40, 100]);
  world.happened('console: account made by hand', () => `${uid} ${balance}`);
  model.asConsole(() => store.commit([{ create: `accounts/${uid}`, data: { balance } }]));
}

/** Calls of `generate`: several per key, some at once, some with another body. */
function planImageRequests(
  { world, model, users, clients, imageRequests, isMixed }: History,
  sometime: (what: string, act: () => unknown) => void,
): void {
  const { random } = world;
  for (let i = random.pick([2, 6, 12, 24]); i > 0; i -= 1) {
    const user = random.pick(users);
    // Different users use the same keys.
    const key = `key-${i % 9}`;
    const tier = random.pick(['standard', 'premium2', 'premium4']);
    const resolution = isMixed ? '1K' : random.pick(['1K', '1K', '2K', '4K']);
    const first = imageRequests.find(
      (imageRequest) => imageRequest.key === key && imageRequest.uid === user.uid,
    );
    const body =
      first && random.chance(0.7)
        ? first.body
        : createBody(random.pick([0, 0, 0, 1, 2, 3, 4, ...(isMixed ? [] : [5])]), tier, resolution);
    const imageRequest: ImageRequest = { uid: user.uid, user, key, body };
    imageRequests.push(imageRequest);
    model.expect(user.uid, key);
    for (let j = random.pick([1, 1, 2, 3]); j > 0; j -= 1) {
      const patienceMs = random.pick([400_000, 400_000, 5_000, 60_000]);
      sometime('a user requests an image', () => clients.ask(imageRequest, random.whole(1, 4), patienceMs));
    }
  }
}
