/**
 * The end of a history: faults stop, admins correct invalid accounts, every request is repeated until it is
 * settled, and time passes. Then every invariant of the contract must hold, and no credits may move any more.
 */
import { isInvalid } from './answers.ts';
import { type ImageRequest, isSettled, type User } from './clients.ts';
import { isMatch, type Search, searches } from './favourites.ts';
import type { History } from './history.ts';
import { checkAgreement, findPerson } from './modelPeople.ts';
import { toShareToken } from './modelShares.ts';
import { checkSuspensions } from './modelSuspensions.ts';
import { isClosed, type ObservedAccount, type ObservedGeneration, parseCredits } from './observed.ts';
import { signatureMs } from './upstreams.ts';

/** Attempts until a request is settled. One that needs more is stuck. */
const triesMax = 20;
/** Sweeps after the last deadline until nothing is pending, and after the last upload until no stray image is left. */
const sweepsMax = 2;

/** How long the last hanging call may block the queues of an instance, milliseconds. */
const lingeringMs = 30_000;

/** Brings a history to rest and checks everything that must hold then. */
export async function checkAtRest(history: History): Promise<void> {
  const { world, faultRates, model, users, clients, admin, imageRequests, grants } = history;
  const { check } = world;
  const undisturbedFrom = Math.min(faultRates.undisturbedFrom, world.now() + lingeringMs);
  Object.assign(faultRates, { database: 0, upstream: 0, slow: 0, undisturbedFrom });
  delete model.onUpload;
  if (!history.isMixed && world.random.chance(0.5)) await checkReached(history);
  for (const user of users) admin.repair(user);

  const sweepFirst = world.random.chance(0.5);
  if (sweepFirst) await passAllDeadlines(history);
  await settleAll(history);
  if (!sweepFirst) await passAllDeadlines(history);

  history.fleet.wakeAll();
  const deadlines = [...model.generations.values()].map(({ deadline }) => deadline + signatureMs);
  const lastUploads = [...model.outbox.values()].map(({ until }) => Number(until));
  world.advance(Math.max(world.now(), ...deadlines, ...lastUploads) - world.now());
  for (let i = 0; i < sweepsMax; i += 1) await world.run(admin.schedule('sweepHolds', true));
  await world.run();
  check(model.outbox.size === 0, 'the outbox empties', () => `${model.outbox.size} left`);

  // What no delivery has brought is found by the job. Its first run goes on where an earlier one stopped.
  for (let i = 0; i < 2; i += 1) await world.run(admin.schedule('reconcilePayments', true));
  for (const user of users) admin.repair(user);
  await world.run(admin.schedule('refillAllowances', true));
  for (const user of users) await world.run(clients.getOrCreateAccount(user));
  await world.run(admin.schedule('reconcile', true));
  for (const user of users) await world.run(admin.audit(user));
  await world.run();
  checkAgreement(world, model.accounts);
  for (const account of model.accounts.values()) checkLedger(history, account);
  checkGrants(history);
  for (const user of users) checkErased(history, user);
  for (const generation of model.generations.values()) {
    const { status, id, publicId } = generation;
    check(status !== 'pending', 'nothing is pending', () => id);
    const isStored = model.images.stored.has(publicId);
    const isTwin = (one: ObservedGeneration) => one.publicId === publicId && one.status === 'succeeded';
    check(
      isStored === [...model.generations.values()].some(isTwin),
      'exactly the images of succeeded generations are stored',
      () => id,
    );
  }
  const copies = [...model.images.stored].filter((name) => toShareToken(name) !== undefined);
  const tokens = [...model.shares.keys()];
  check(
    String(copies.map(toShareToken).sort()) === String(tokens.sort()),
    'exactly the copies of shares are stored',
    () => `${copies} for ${tokens}`,
  );
  for (const user of users) await checkPages(history, user);
  checkLog(history);
  await checkReplays(history);
  check(
    grants.every(({ settled }) => settled !== undefined),
    'every grant is settled',
    () => JSON.stringify(grants),
  );
  check(
    imageRequests.every(({ outcome }) => isSettled(outcome)),
    'every call is settled',
    () => '',
  );
  await world.run();
}

/** Before an admin restores every account: each decision about a person reaches all of their accounts. */
async function checkReached({ world, model, admin, stripe }: History): Promise<void> {
  if (![...stripe.payments.values()].some(({ disputes }) => disputes.length > 0)) return;
  await world.run();
  // A run may end early, and then the next one goes on.
  for (let i = 0; i < 2; i += 1) {
    for (const job of ['reconcilePayments', 'reconcile'] as const) await world.run(admin.schedule(job, true));
  }
  await world.run();
  checkSuspensions(world, model.accounts);
}

/** Repeats all open requests at once until each is settled. */
async function settleAll({ world, clients, admin, imageRequests, grants }: History): Promise<void> {
  const open = imageRequests.filter(({ outcome }) => !isSettled(outcome));
  const describe = ({ uid, key, outcome }: ImageRequest) => `${uid} ${key}: ${outcome?.reason}`;
  const all = Promise.all([
    ...open.map((imageRequest) => clients.ask(imageRequest, triesMax)),
    ...grants.map((grant) => admin.grant(grant, triesMax)),
  ]);
  await world.run(all);
  await world.run();
  for (const imageRequest of open)
    world.check(isSettled(imageRequest.outcome), 'no call is stuck', () => describe(imageRequest));
  for (const { settled, key } of grants) world.check(settled !== undefined, 'no call is stuck', () => key);
}

/** Lets every deadline pass. After two sweeps nothing is pending. */
async function passAllDeadlines({ world, model, admin }: History): Promise<void> {
  await world.run();
  const pending = () => [...model.generations.values()].filter(({ status }) => status === 'pending');
  const latest = Math.max(world.now(), ...pending().map(({ deadline }) => deadline));
  world.advance(latest - world.now());
  for (let i = 0; i < sweepsMax; i += 1) await world.run(admin.schedule('sweepHolds', true));
  await world.run();
  world.check(pending().length === 0, 'nothing is pending after two sweeps', () => `${pending().length} are`);
}

/** The invariants of one account, derived from the changes that the model observed. */
function checkLedger({ world, model, stripe }: History, account: ObservedAccount): void {
  const { check } = world;
  const { uid, data, entries, sum, edits, verified, signup } = account;
  const balance = parseCredits(data?.balance);
  check(balance !== undefined, 'a balance is a whole number', () => `${uid}: ${data?.balance}`);
  check(balance === sum && data?.settled === sum, 'the balance is the sum of all entries', () => uid);
  const moment = model.since(uid, model.tick())[0];
  check(moment !== undefined && !isInvalid(moment), 'every account is valid', () => uid);

  const mine = [...model.generations.values()].filter((one) => one.uid === uid);
  const kept = mine.filter(({ status }) => status === 'succeeded' || status === 'deleted');
  const cost = kept.reduce((total, { price }) => total + price, 0);
  const of = (...types: string[]) =>
    entries.filter(({ type }) => types.includes(type)).reduce((total, { amount }) => total + amount, 0);
  check(
    -of('debit', 'refund') === cost,
    'the credits kept are the price of the succeeded generations',
    () => uid,
  );
  check(
    of('adjustment') === edits,
    'every edit counts once',
    () => `${uid}: ${of('adjustment')}, edits ${edits}`,
  );
  const paid = of('purchase', 'clawback', 'reinstatement');
  const debt = Number(data?.debt ?? 0);
  const held = stripe.held(uid, (session) => entries.some(({ id }) => id === `purchase:${session}`));
  check(
    paid - debt === held,
    'the ledger has what Stripe holds',
    () => `${uid}: ${paid} with a debt of ${debt}, Stripe ${held}`,
  );
  const expected = edits + of('grant', 'allowance') + paid - cost;
  check(
    balance === expected,
    'the balance is the expected one',
    () => `${uid}: ${balance}, expected ${expected}`,
  );
  for (const { id, price, status, cached } of mine) {
    const moves = entries.filter(({ generationId, type }) => generationId === id && type !== 'grant');
    const own = moves.map(({ amount }) => amount);
    const due = cached ? [] : status === 'refunded' ? [-price, price] : [-price];
    check(String(own) === String(due), 'each generation is charged once', () => `${id} ${status}: ${own}`);
  }
  const isFirst = [...findPerson(model.accounts, account)].every((one) => one.signup === 'due');
  const isDue = verified && !isClosed(data) && isFirst && signup === 'due' && model.rules.signupCredits > 0;
  check(!isDue, 'signup credits are granted', () => uid);
}

/** Nothing of a person is left in a closed account. */
function checkErased({ world, model }: History, { uid }: User): void {
  const { check } = world;
  const { data, entries } = model.account(uid);
  const closure = model.closures.get(uid);
  check(
    !closure || closure.status === 'closed',
    'every closing is finished',
    () => `${uid} ${closure?.step}`,
  );
  // An admin may have made the account again by hand.
  if (!closure || !isClosed(data)) return;
  world.happened('an account is closed at rest');
  const fields = Object.keys(data ?? {}).filter((field) => ['email', 'nickname'].includes(field));
  check(fields.length === 0, 'a closed account has no address', () => `${uid} ${fields}`);
  const left = [...model.generations.values()].find((one) => one.uid === uid && !one.erased);
  check(!left, 'a closed account has no prompt', () => `${left?.id} ${left?.status}`);
  const texts = entries.filter(({ id, type, reason }) => reason && type !== 'refund' && id !== 'signup');
  check(texts.length === 0, 'no free text is left', () => JSON.stringify(texts));
}

/** If no reply was lost and no instance stopped, every entry has its line in the log. */
function checkLog({ world, model }: History): void {
  if ([...world.counts.keys()].some((kind) => /^(fault|instance)\b/.test(kind))) return;
  const entries = [...model.accounts.values()].reduce((sum, account) => sum + account.entries.length, 0);
  const about = () => `${model.loggedCount()} of ${entries}`;
  world.check(model.loggedCount() === entries, 'every entry is logged', about);
}

/** What a user is shown is all there is, newest first. */
async function checkPages({ world, model, clients, isMixed }: History, user: User): Promise<void> {
  const { entries, uid } = model.account(user.uid);
  const leaf = async (name: 'ledger' | 'gallery', search?: Search) => {
    const items = clients.readAllPages(user, name, search);
    await world.run(items);
    return (await items).map(({ id }) => id).join();
  };
  const expected = entries.map(({ id }) => id).reverse();
  world.check((await leaf('ledger')) === expected.join(), 'the ledger shows every entry', () => uid);
  const images = [...model.generations.values()]
    .filter((one) => one.uid === uid && one.status === 'succeeded')
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  const toIds = (found: typeof images) => found.map(({ id }) => id).join();
  world.check((await leaf('gallery')) === toIds(images), 'the gallery shows every image', () => uid);
  for (const search of isMixed ? [] : searches) {
    const matches = images
      .filter((one) => search.query === undefined || isMatch(one, search))
      .filter(({ marks }) => search.favourite === undefined || marks.at(-1)?.isMarked);
    const isComplete = (await leaf('gallery', search)) === toIds(matches);
    world.check(isComplete, 'a search finds all that match', () => `${uid} ${JSON.stringify(search)}`);
  }
}

/** Each granted key gave one grant, to its user and with its amount. */
function checkGrants({ world, model, grants }: History): void {
  const byKey = new Map(
    grants.filter(({ settled }) => settled === 'granted').map((grant) => [grant.key, grant]),
  );
  for (const { uid, entries } of model.accounts.values()) {
    const found = entries
      .filter(({ type, id }) => type === 'grant' && id !== 'signup' && !id.endsWith(':goodwill'))
      .map(({ amount }) => amount);
    const expected = [...byKey.values()].filter((grant) => grant.uid === uid).map(({ amount }) => amount);
    const [a, b] = [String(found.sort()), String(expected.sort())];
    world.check(a === b, 'each grant is made once', () => `${uid}: ${a}, expected ${b}`);
  }
}

/** Repeating every request gives the same reply and moves no credits. */
async function checkReplays({ world, model, clients, imageRequests }: History): Promise<void> {
  const count = () => [...model.accounts.values()].map(({ entries }) => entries.length).join();
  const before = count();
  const usedRequests = imageRequests.filter(({ uid, key }) => model.findGeneration(uid, key));
  await world.run(Promise.all(usedRequests.map((imageRequest) => clients.ask(imageRequest, 1))));
  await world.run();
  world.check(count() === before, 'a replay moves nothing', () => `${before}, then ${count()}`);
}
