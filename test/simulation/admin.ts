/** An admin in the Firestore console and with the admin functions, and the scheduler. */
import { type Data, removed } from '../../shared/database/database.ts';
import { hadTooFewCredits, isInvalid, parseAnswer } from './answers.ts';
import type { User } from './clients.ts';
import type { Fleet } from './fleet.ts';
import { tokens } from './instance.ts';
import type { MemoryStore } from './memoryDatabase.ts';
import type { Model } from './model.ts';
import {
  findMistyped,
  getApplicableAdjust,
  type Moment,
  type ObservedGeneration,
  parseCredits,
} from './observed.ts';

/** A grant under a key. `settled` is set once its result is known. */
export type Grant = { key: string; uid: string; amount: number; settled: 'granted' | 'refused' | undefined };

export type Admin = ReturnType<typeof createAdmin>;

/** The admin of a history, who makes no edit of an excluded kind. */
export function createAdmin(
  fleet: Fleet,
  model: Model,
  store: MemoryStore,
  users: User[],
  finals: ReadonlyMap<string, string>,
  excludedEdits?: ReadonlySet<string>,
) {
  const { world } = model;
  const { random, check, happened } = world;
  const grantReplies = new Map<string, string>();
  const needsBalance = excludedEdits?.has('an account without a balance');

  function write(uid: string, fields: Data): void {
    const path = `accounts/${uid}`;
    const [document] = store.read([path]).documents;
    if (!document && needsBalance && !('balance' in fields)) return;
    model.asConsole(() => {
      if (document) return store.commit([{ update: path, data: fields, at: document.version }]);
      const present = Object.entries(fields).filter(([, value]) => value !== (removed as unknown));
      return store.commit([{ set: path, data: Object.fromEntries(present) }]);
    });
  }

  /** Valid and invalid edits in the console. */
  function edit({ uid }: User): void {
    const { data, entries } = model.account(uid);
    const shown = parseCredits(data?.balance) ?? 0;
    const kinds: Record<string, () => Data> = {
      'balance up': () => ({ balance: shown + random.whole(1, 20) }),
      'balance down': () => ({ balance: Math.max(0, shown - random.whole(1, 10)) }),
      'balance with a note': () => ({ balance: random.whole(0, 30), note: 'a goodwill credit' }),
      'balance is text': () => ({ balance: String(random.whole(0, 30)) }),
      'balance is negative': () => ({ balance: -random.whole(1, 9) }),
      'balance is a fraction': () => ({ balance: shown + 0.5 }),
      'balance is null': () => ({ balance: null }),
      'balance is removed': () => ({ balance: removed }),
      adjust: () => ({ adjust: random.whole(-6, 12) }),
      'adjust with a note': () => ({ adjust: random.whole(1, 12), note: 'a discount' }),
      'adjust too far down': () => ({ adjust: -shown - random.whole(1, 5) }),
      'adjust is text': () => ({ adjust: '5' }),
      'balance and adjust': () => ({ balance: random.whole(0, 20), adjust: random.whole(-3, 3) }),
      'a note alone': () => ({ note: 'a remark' }),
      'two adjusts': () => {
        const second = { adjust: random.whole(1, 9) };
        const type = () => write(uid, second);
        world.after(random.pick([0, 1, 5, 20, 500]), 'an admin types another adjust', type);
        return { adjust: random.whole(1, 9) };
      },
      'an own allowance': () => ({ allowance: random.whole(0, 9) }),
      'allowance is typed wrong': () => ({ allowance: random.pick<unknown>(['25', -3, true]) }),
      'usedAt is text': () => ({ usedAt: 'today' }),
      'suspended is text': () => ({ suspended: 'false' }),
      'sequence is lowered': () => ({ sequence: Math.max(0, entries.length - random.whole(1, 3)) }),
      'sequence is raised': () => ({ sequence: entries.length + random.whole(1, 3) }),
      'suspends the account': () => ({ suspended: true }),
      'lifts a suspension': () => ({ suspended: false }),
      'settled is removed': () => ({ settled: removed }),
      'sequence is removed': () => ({ sequence: removed }),
      'settled or sequence is invalid': () =>
        random.pick<Data>([{ settled: 'ten' }, { sequence: -1 }, { settled: 0.5 }]),
      'limits are removed': () => ({ active: removed, rate: removed }),
      'limits are invalid': () => ({ active: 'none', rate: [1, 'two'] }),
    };
    const kind = random.pick(Object.keys(kinds).filter((one) => !excludedEdits?.has(one)));
    const fields = kinds[kind]?.() ?? {};
    happened(`console: ${kind}`, () => `${uid} ${JSON.stringify(fields)}`);
    write(uid, fields);
  }

  /** Deletes an account, and sometimes creates it again by hand. */
  function deleteAccount({ uid }: User): void {
    happened('console: account deleted', () => uid);
    model.asConsole(() => store.commit([{ delete: `accounts/${uid}` }]));
    if (random.chance(0.5)) return;
    const recreate = () => {
      if (model.account(uid).data) return;
      happened('console: account made by hand', () => uid);
      write(uid, random.pick<Data>([{ balance: random.whole(0, 20) }, { note: 'a friend' }, { adjust: 3 }]));
    };
    world.after(random.pick([0, 10, 500, 20_000]), 'an admin makes an account', recreate);
  }

  /** Deletes the document of a finished image that at least two twins show as well. */
  function deleteSource({ uid }: User, key: string): void {
    const source = model.findGeneration(uid, key);
    // The call that made it must have ended, or it would refund what it finds gone. A twin has no debit that keeps its key
    // used up.
    if (source?.status !== 'succeeded' || source.cached || !finals.has(`${source.id} fresh`)) return;
    const isTwin = (one: ObservedGeneration) =>
      one !== source && one.publicId === source.publicId && one.status === 'succeeded';
    if ([...model.generations.values()].filter(isTwin).length < 2) return;
    happened('console: source of twins deleted', () => source.id);
    model.asConsole(() => store.commit([{ delete: `accounts/${uid}/generations/${source.id}` }]));
  }

  /** Corrects an invalid account, which only an admin may do. */
  function repair({ uid }: User): void {
    const { data, entries } = model.account(uid);
    if (!data) return;
    const moment = model.since(uid, model.tick())[0];
    if (!moment || !(isInvalid(moment) || moment.suspended || moment.mistyped)) return;
    happened('console: repairs', () => uid);
    const balance = moment.shown ?? random.whole(0, 20);
    const isBad =
      moment.adjust !== undefined && getApplicableAdjust({ ...moment, shown: balance }) === undefined;
    write(uid, {
      ...Object.fromEntries(findMistyped(data).map((field) => [field, removed])),
      balance,
      suspended: false,
      ...(isBad && { adjust: removed }),
      ...(moment.misnumbered && { sequence: entries.length }),
    });
  }

  /** Sends a grant until its result is known. */
  async function grant(request: Grant, triesMax: number): Promise<void> {
    const { key, uid, amount } = request;
    const body = { uid, amount, reason: 'by an admin' };
    if (request.settled === 'refused') request.settled = undefined;
    for (let i = 0; i < triesMax && !request.settled; i += 1) {
      const call = { name: 'grant', method: 'POST' as const, as: tokens.admin('root'), body, key };
      await fleet.send(call, (answer, startTick) => {
        const moments = model.since(uid, startTick);
        const describe = () => `grant ${key} of ${amount} to ${uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 200) {
          const { account, entry } = answer.body as { account: Data; entry: Data };
          const stored = model.account(uid).entries[Number(entry.sequence) - 1];
          const isEntry =
            stored?.id === entry.id && stored?.amount === amount && stored?.balance === entry.balance;
          // Debt that it paid off is one more entry.
          const last = model.account(uid).entries[Number(account.sequence) - 1];
          const isLast =
            last?.balance === account.balance && (last === stored || last?.id === `${entry.id}:debt`);
          check(isEntry && isLast, 'a grant is an entry of the ledger', describe);
          // The reason is erased when the account closes.
          const { reason: _, ...books } = entry;
          const reply = JSON.stringify([uid, amount, books]);
          check((grantReplies.get(key) ?? reply) === reply, 'one key, one grant', describe);
          grantReplies.set(key, reply);
          request.settled = 'granted';
          return;
        }
        const { reason, metadata } = parseAnswer(model, answer);
        if (reason === 'DATABASE_UNAVAILABLE') return;
        // Of two concurrent attempts one may be refused and the other granted.
        request.settled ??= 'refused';
        const isOtherGrant = !(grantReplies.get(key) ?? '').startsWith(
          JSON.stringify([uid, amount]).slice(0, -1),
        );
        const isJustified: Record<string, () => boolean> = {
          INSUFFICIENT_CREDITS: () => hadTooFewCredits(moments, metadata, -amount),
          ACCOUNT_INVALID: () => moments.some(isInvalid),
          ACCOUNT_CLOSED: () => moments.some(({ closed }) => closed),
          NOT_FOUND: () => moments.some(({ exists, entries }) => !exists && entries === 0),
          IDEMPOTENCY_KEY_REUSED: () => isOtherGrant,
        };
        check(isJustified[reason]?.() ?? false, 'a refusal is justified', describe);
      });
      await world.sleep(random.whole(200, 3_000));
    }
  }

  /** Suspends or restores a person, at most twice. */
  async function suspend({ uid }: User): Promise<void> {
    const suspended = random.chance(0.5);
    model.account(uid).decisions.add(suspended);
    const body = { uid, suspended, reason: 'abuse' };
    for (let i = 0; i < 2; i += 1) {
      let isDone = false;
      const request = { name: 'suspend', method: 'POST' as const, as: tokens.admin('root'), body };
      await fleet.send(request, (answer, startTick) => {
        const describe = () => `suspend ${uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 503) return;
        isDone = true;
        if (answer.status === 404) {
          const moments = model.since(uid, startTick);
          const wasMissing = moments.some(({ exists, entries }) => !exists && entries === 0);
          return check(wasMissing, 'a refusal is justified', describe);
        }
        happened(suspended ? 'an admin suspends' : 'an admin restores');
        const { account } = answer.body as { account?: Data };
        check(account?.suspended === suspended, 'a suspension is what the admin asked for', describe);
      });
      if (isDone) return;
      await world.sleep(random.whole(200, 3_000));
    }
  }

  /** Calls a scheduled function. */
  async function schedule(
    name: 'sweepHolds' | 'reconcile' | 'refillAllowances' | 'reconcilePayments',
    isUndisturbed = false,
  ): Promise<boolean> {
    let isDone = false;
    const request = { name, method: 'POST' as const, as: tokens.scheduler, body: {} };
    await fleet.send(request, ({ status, body }, startTick) => {
      const describe = () => `${name}: ${status} ${JSON.stringify(body)}`;
      check(status === 200 || (status === 503 && !isUndisturbed), 'scheduled functions succeed', describe);
      isDone = status === 200;
      if (isDone && name === 'reconcilePayments') {
        const { broken } = body as { broken: { uid: string; problem: string }[] };
        const isExpected = ({ uid, problem }: { uid: string; problem: string }) =>
          problem.startsWith('paid for a closed account')
            ? model.since(uid, startTick).some(({ closed }) => closed)
            : !isUndisturbed && problem.startsWith('could not');
        check(broken.every(isExpected), 'every payment is as it was asked', describe);
      }
      if (isDone && name === 'reconcile') {
        const { broken } = body as { broken: { uid: string; differences: string[] }[] };
        const isExpected = (difference: string) => !isUndisturbed && difference.startsWith('could not');
        for (const { uid, differences } of broken) {
          const found = differences.filter((difference) => !isExpected(difference));
          checkAudit(uid, found, startTick);
        }
      }
    });
    return isDone;
  }

  /** A valid account adds up at every moment. */
  function checkAudit(uid: string, differences: string[], startTick: number): void {
    // The audit reports an account with generations that an admin deleted.
    const hasGap = [...model.generations.values()].some((one) => one.uid === uid && one.removed);
    const isWrong = (moment: Moment) => isInvalid(moment) || moment.mistyped;
    const wasWrong = hasGap || model.since(uid, startTick).some(isWrong);
    check(
      wasWrong || differences.length === 0,
      'an audit finds no difference',
      () => `${uid}: ${differences}`,
    );
  }

  async function audit({ uid }: User): Promise<void> {
    const request = { name: 'audit', method: 'GET' as const, as: tokens.admin('root'), query: { uid } };
    await fleet.send(request, ({ status, body }, startTick) => {
      if (status === 503) return;
      if (status === 404)
        return check(
          model.since(uid, startTick).some((one) => !one.exists),
          'no other reply',
          () => uid,
        );
      check(status === 200, 'no other reply', () => JSON.stringify(body));
      const { accounts } = body as { accounts: { differences: string[] }[] };
      checkAudit(uid, accounts[0]?.differences ?? ['no account'], startTick);
    });
  }

  return { edit, deleteAccount, deleteSource, repair, grant, suspend, schedule, audit, users };
}
