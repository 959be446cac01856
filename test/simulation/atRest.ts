/**
 * The end of a history: nothing fails any more, admins mend what only they can, everybody asks until it is
 * settled, time passes. Then the contract's "always, at rest" must hold, and nothing may move any more.
 */
import { isInvalid } from './answers.ts';
import { type ImageRequest, isSettled, type User } from './clients.ts';
import type { History } from './history.ts';
import { type AccountSeen, creditsIn, type GenerationSeen } from './seen.ts';
import { signatureMs } from './upstreams.ts';

/** Most times that a call is made until it is settled; more and it is stuck. */
const triesMax = 20;
/** Sweeps after its deadline until nothing is pending, and after its last upload until no image is left. */
const sweepsMax = 2;

/** How long the queues of an instance are held up by the last call that hung, milliseconds. */
const lingeringMs = 30_000;

/** Brings a history to rest, and checks all that must hold then. */
export async function checkAtRest(history: History): Promise<void> {
  const { world, weather, model, users, clients, admin, wishes, grants } = history;
  const { check } = world;
  const calmFrom = Math.min(weather.calmFrom, world.now() + lingeringMs);
  Object.assign(weather, { database: 0, upstream: 0, slow: 0, calmFrom });
  delete model.onUpload;
  for (const user of users) admin.mend(user);

  const sweepFirst = world.random.chance(0.5);
  if (sweepFirst) await pastAllDeadlines(history);
  await settleAll(history);
  if (!sweepFirst) await pastAllDeadlines(history);

  history.fleet.wakeAll();
  const deadlines = [...model.generations.values()].map(({ deadline }) => deadline);
  world.advance(Math.max(0, ...deadlines) + signatureMs - world.now());
  for (let i = 0; i < sweepsMax; i += 1) await world.run(admin.schedule('sweepHolds', true));
  await world.run();
  check(model.outbox.size === 0, 'the outbox empties', () => `${model.outbox.size} left`);

  await world.run(admin.schedule('refillAllowances', true));
  for (const user of users) await world.run(clients.getOrCreateAccount(user));
  await world.run(admin.schedule('reconcile', true));
  for (const user of users) await world.run(admin.audit(user));
  await world.run();
  for (const account of model.accounts.values()) checkBooks(history, account);
  checkGrants(history);
  for (const generation of model.generations.values()) {
    const { status, id, publicId } = generation;
    check(status !== 'pending', 'nothing is pending', () => id);
    const isStored = model.images.stored.has(publicId);
    const isTwin = (one: GenerationSeen) => one.publicId === publicId && one.status === 'succeeded';
    check(
      isStored === [...model.generations.values()].some(isTwin),
      'exactly the images of succeeded generations are stored',
      () => id,
    );
  }
  for (const user of users) await checkPages(history, user);
  checkLog(history);
  await checkReplays(history);
  check(
    grants.every(({ settled }) => settled !== undefined),
    'every grant is settled',
    () => JSON.stringify(grants),
  );
  check(
    wishes.every(({ said }) => isSettled(said)),
    'every call is settled',
    () => '',
  );
  await world.run();
}

/** Asks for everything until it is settled, all at once. */
async function settleAll({ world, clients, admin, wishes, grants }: History): Promise<void> {
  const open = wishes.filter(({ said }) => !isSettled(said));
  const about = ({ uid, key, said }: ImageRequest) => `${uid} ${key}: ${said?.reason}`;
  const all = Promise.all([
    ...open.map((imageRequest) => clients.ask(imageRequest, triesMax)),
    ...grants.map((imageRequest) => admin.grant(imageRequest, triesMax)),
  ]);
  await world.run(all);
  await world.run();
  for (const imageRequest of open)
    world.check(isSettled(imageRequest.said), 'no call is stuck', () => about(imageRequest));
  for (const imageRequest of grants)
    world.check(imageRequest.settled !== undefined, 'no call is stuck', () => imageRequest.key);
}

/** Lets the deadline of whatever is pending pass: after two sweeps nothing is. */
async function pastAllDeadlines({ world, model, admin }: History): Promise<void> {
  await world.run();
  const pending = () => [...model.generations.values()].filter(({ status }) => status === 'pending');
  const latest = Math.max(world.now(), ...pending().map(({ deadline }) => deadline));
  world.advance(latest - world.now());
  for (let i = 0; i < sweepsMax; i += 1) await world.run(admin.schedule('sweepHolds', true));
  await world.run();
  world.check(pending().length === 0, 'nothing is pending after two sweeps', () => `${pending().length} are`);
}

/** The invariants of one account, from all that the model saw and not from what any commit said of itself. */
function checkBooks({ world, model }: History, account: AccountSeen): void {
  const { check } = world;
  const { uid, data, entries, sum, edits, verified, signup } = account;
  const balance = creditsIn(data?.balance);
  check(balance !== undefined, 'a balance is a whole number', () => `${uid}: ${data?.balance}`);
  check(balance === sum && data?.settled === sum, 'the balance is the sum of all entries', () => uid);
  const moment = model.since(uid, model.tick())[0];
  check(moment !== undefined && !isInvalid(moment), 'every account is valid', () => uid);

  const mine = [...model.generations.values()].filter((one) => one.uid === uid);
  const kept = mine.filter(({ status }) => status === 'succeeded' || status === 'deleted');
  const cost = kept.reduce((total, { price }) => total + price, 0);
  const of = (...types: string[]) =>
    entries.filter(({ type }) => types.includes(type)).reduce((total, { amount }) => total + amount, 0);
  check(-of('debit', 'refund') === cost, 'what was kept is the price of what succeeded', () => uid);
  check(
    of('adjustment') === edits,
    'every edit counts once',
    () => `${uid}: ${of('adjustment')}, edits ${edits}`,
  );
  const expected = edits + of('grant', 'allowance') - cost;
  check(
    balance === expected,
    'the balance is what it must be',
    () => `${uid}: ${balance}, expected ${expected}`,
  );
  for (const { id, price, status, cached } of mine) {
    const own = entries.filter(({ generationId }) => generationId === id).map(({ amount }) => amount);
    const due = cached ? [] : status === 'refunded' ? [-price, price] : [-price];
    check(String(own) === String(due), 'each generation is charged once', () => `${id} ${status}: ${own}`);
  }
  const isDue = verified && signup === 'due' && model.rules.signupCredits > 0;
  check(!isDue, 'signup credits are granted', () => uid);
}

/** If no reply was lost and no instance stopped, every entry has its line in the log. */
function checkLog({ world, model }: History): void {
  if ([...world.counts.keys()].some((kind) => /^(fault|instance)\b/.test(kind))) return;
  const entries = [...model.accounts.values()].reduce((sum, account) => sum + account.entries.length, 0);
  const about = () => `${model.loggedCount()} of ${entries}`;
  world.check(model.loggedCount() === entries, 'every entry is logged', about);
}

/** What a user is shown is all there is, newest first. */
async function checkPages({ world, model, clients }: History, user: User): Promise<void> {
  const { entries, uid } = model.account(user.uid);
  const leaf = async (name: 'ledger' | 'gallery') => {
    const items = clients.leafThrough(user, name);
    await world.run(items);
    return (await items).map(({ id }) => id).join();
  };
  const wanted = entries.map(({ id }) => id).reverse();
  world.check((await leaf('ledger')) === wanted.join(), 'the ledger shows every entry', () => uid);
  const images = [...model.generations.values()]
    .filter((one) => one.uid === uid && one.status === 'succeeded')
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
  world.check((await leaf('gallery')) === images.join(), 'the gallery shows every image', () => uid);
}

/** As many grants as keys that were granted, to whom and as much as was said. */
function checkGrants({ world, model, grants }: History): void {
  const byKey = new Map(
    grants
      .filter(({ settled }) => settled === 'granted')
      .map((imageRequest) => [imageRequest.key, imageRequest]),
  );
  for (const { uid, entries } of model.accounts.values()) {
    const found = entries
      .filter(({ type, id }) => type === 'grant' && id !== 'signup')
      .map(({ amount }) => amount);
    const wanted = [...byKey.values()]
      .filter((imageRequest) => imageRequest.uid === uid)
      .map(({ amount }) => amount);
    const [a, b] = [String(found.sort()), String(wanted.sort())];
    world.check(a === b, 'each grant is made once', () => `${uid}: ${a}, expected ${b}`);
  }
}

/** Asking for everything once more tells the same and moves nothing. */
async function checkReplays({ world, model, clients, wishes }: History): Promise<void> {
  const count = () => [...model.accounts.values()].map(({ entries }) => entries.length).join();
  const before = count();
  const used = wishes.filter(({ uid, key }) => model.generationAsked(uid, key));
  await world.run(Promise.all(used.map((imageRequest) => clients.ask(imageRequest, 1))));
  await world.run();
  world.check(count() === before, 'a replay moves nothing', () => `${before}, then ${count()}`);
}
