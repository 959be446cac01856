/** An admin at the Firestore console and at the admin functions, the scheduler, and Eventarc. */
import { type Data, removed } from '../../shared/database/database.ts';
import { hadTooLittle, isInvalid, read } from './answers.ts';
import type { User } from './clients.ts';
import type { Fleet } from './fleet.ts';
import { tokens } from './instance.ts';
import type { MemoryStore } from './memoryDatabase.ts';
import type { Model } from './model.ts';
import { adjustable, creditsIn } from './seen.ts';

/** A grant under a key; `settled` once it is known what became of it. */
export type Grant = { key: string; uid: string; amount: number; settled: 'granted' | 'refused' | undefined };

export type Admin = ReturnType<typeof createAdmin>;

/** The admin of a history. */
export function createAdmin(fleet: Fleet, model: Model, store: MemoryStore, users: User[]) {
  const { world } = model;
  const { random, check, happened } = world;
  const granted = new Map<string, string>();

  function write(uid: string, fields: Data): void {
    const path = `accounts/${uid}`;
    const [document] = store.read([path]).documents;
    model.asConsole(() => {
      if (document) return store.commit([{ update: path, data: fields, at: document.version }]);
      const present = Object.entries(fields).filter(([, value]) => value !== (removed as unknown));
      return store.commit([{ set: path, data: Object.fromEntries(present) }]);
    });
  }

  /** What admins type into the console, well or badly. */
  function edit({ uid }: User): void {
    const shown = creditsIn(model.account(uid).data?.balance) ?? 0;
    const kinds: Record<string, () => Data> = {
      'balance up': () => ({ balance: shown + random.whole(1, 20) }),
      'balance down': () => ({ balance: Math.max(0, shown - random.whole(1, 10)) }),
      'balance anew, with a note': () => ({ balance: random.whole(0, 30), note: 'a goodwill credit' }),
      'balance is text': () => ({ balance: String(random.whole(0, 30)) }),
      'balance is negative': () => ({ balance: -random.whole(1, 9) }),
      'balance is a fraction': () => ({ balance: shown + 0.5 }),
      'balance is null': () => ({ balance: null }),
      'balance is gone': () => ({ balance: removed }),
      adjust: () => ({ adjust: random.whole(-6, 12) }),
      'adjust, with a note': () => ({ adjust: random.whole(1, 12), note: 'a discount' }),
      'adjust too far down': () => ({ adjust: -shown - random.whole(1, 5) }),
      'adjust is text': () => ({ adjust: '5' }),
      'balance and adjust': () => ({ balance: random.whole(0, 20), adjust: random.whole(-3, 3) }),
      'a note alone': () => ({ note: 'a remark' }),
      suspends: () => ({ suspended: true }),
      'lifts a suspension': () => ({ suspended: false }),
      'books are gone': () => ({ settled: removed }),
      'sequence is gone': () => ({ sequence: removed }),
      'books are nonsense': () => random.pick<Data>([{ settled: 'ten' }, { sequence: -1 }, { settled: 0.5 }]),
      'limits are gone': () => ({ active: removed, rate: removed }),
      'limits are nonsense': () => ({ active: 'none', rate: [1, 'two'] }),
    };
    const kind = random.pick(Object.keys(kinds));
    const fields = kinds[kind]?.() ?? {};
    happened(`console: ${kind}`, () => `${uid} ${JSON.stringify(fields)}`);
    write(uid, fields);
  }

  /** Throws a whole account away, and perhaps makes it anew by hand. */
  function erase({ uid }: User): void {
    happened('console: account deleted', () => uid);
    model.asConsole(() => store.commit([{ delete: `accounts/${uid}` }]));
    if (random.chance(0.5)) return;
    const again = () => {
      if (model.account(uid).data) return;
      happened('console: account made by hand', () => uid);
      write(uid, { balance: random.whole(0, 20) });
    };
    world.after(random.pick([0, 10, 500, 20_000]), 'an admin makes an account', again);
  }

  /** Mends what no one else may: an account that is not valid. */
  function mend({ uid }: User): void {
    const { data } = model.account(uid);
    if (!data) return;
    const moment = model.since(uid, model.tick())[0];
    if (!moment || (!isInvalid(moment) && !moment.suspended)) return;
    happened('console: mends', () => uid);
    const balance = moment.shown ?? random.whole(0, 20);
    const isBad = moment.adjust !== undefined && adjustable({ ...moment, shown: balance }) === undefined;
    write(uid, { balance, suspended: false, ...(isBad && { adjust: removed }) });
  }

  /** Asks for a grant until it is known what became of it. */
  async function grant(imageRequest: Grant, triesMax: number): Promise<void> {
    const { key, uid, amount } = imageRequest;
    const body = { uid, amount, reason: 'by an admin' };
    if (imageRequest.settled === 'refused') imageRequest.settled = undefined;
    for (let i = 0; i < triesMax && !imageRequest.settled; i += 1) {
      const request = { name: 'grant', method: 'POST' as const, as: tokens.admin('root'), body, key };
      await fleet.send(request, (answer, startTick) => {
        const moments = model.since(uid, startTick);
        const about = () => `grant ${key} of ${amount} to ${uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 200) {
          const { account, entry } = answer.body as { account: Data; entry: Data };
          const known = model.account(uid).entries[Number(entry.sequence) - 1];
          const isEntry =
            known?.id === entry.id && known?.amount === amount && known?.balance === account.balance;
          check(isEntry && account.sequence === entry.sequence, 'a grant is an entry of the ledger', about);
          const told = JSON.stringify([uid, amount, entry]);
          check((granted.get(key) ?? told) === told, 'one key, one grant', about);
          granted.set(key, told);
          imageRequest.settled = 'granted';
          return;
        }
        const { reason, metadata } = read(model, answer);
        if (reason === 'DATABASE_UNAVAILABLE') return;
        // Of two tries at once one may be refused and the other granted.
        imageRequest.settled ??= 'refused';
        const isOthers = !(granted.get(key) ?? '').startsWith(JSON.stringify([uid, amount]).slice(0, -1));
        const isRight: Record<string, () => boolean> = {
          INSUFFICIENT_CREDITS: () => hadTooLittle(moments, metadata, -amount),
          ACCOUNT_INVALID: () => moments.some(isInvalid),
          NOT_FOUND: () => moments.some(({ exists, entries }) => !exists && entries === 0),
          IDEMPOTENCY_KEY_REUSED: () => isOthers,
        };
        check(isRight[reason]?.() ?? false, 'a refusal has its reason', about);
      });
      await world.sleep(random.whole(200, 3_000));
    }
  }

  /** Calls a scheduled function. */
  async function schedule(
    name: 'sweepHolds' | 'reconcile' | 'refillAllowances',
    isFair = false,
  ): Promise<boolean> {
    let isDone = false;
    const request = { name, method: 'POST' as const, as: tokens.scheduler, body: {} };
    await fleet.send(request, ({ status, body }, startTick) => {
      const about = () => `${name}: ${status} ${JSON.stringify(body)}`;
      check(status === 200 || (status === 503 && !isFair), 'scheduled functions answer', about);
      isDone = status === 200;
      if (isDone && name === 'reconcile') {
        const { broken } = body as { broken: { uid: string; differences: string[] }[] };
        for (const one of broken) checkAudit(one.uid, one.differences, startTick);
      }
    });
    return isDone;
  }

  /** An account adds up at every moment, but for what only its admin can mend. */
  function checkAudit(uid: string, differences: string[], startTick: number): void {
    const wasInvalid = model.since(uid, startTick).some(isInvalid);
    check(wasInvalid || differences.length === 0, 'an audit finds nothing', () => `${uid}: ${differences}`);
  }

  async function audit({ uid }: User): Promise<void> {
    const request = { name: 'audit', method: 'GET' as const, as: tokens.admin('root'), query: { uid } };
    await fleet.send(request, ({ status, body }, startTick) => {
      if (status === 503) return;
      if (status === 404)
        return check(
          model.since(uid, startTick).some((one) => !one.exists),
          'no other answer',
          () => uid,
        );
      check(status === 200, 'no other answer', () => JSON.stringify(body));
      const { accounts } = body as { accounts: { differences: string[] }[] };
      checkAudit(uid, accounts[0]?.differences ?? ['no account'], startTick);
    });
  }

  return { edit, erase, mend, grant, schedule, audit, users };
}
