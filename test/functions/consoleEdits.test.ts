/** An admin's edit in the Firestore console is kept and becomes one entry, whenever it comes. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { startConsoleEdits } from '../support/consoleEdits.ts';
import { getErrorInfo, type Reply } from '../support/replies.ts';
import type { User } from '../support/users.ts';

type Fields = Record<string, unknown>;

const world = await startConsoleEdits();
const { stack, gemini, expectRecorded } = world;
/** The same functions with limits that one generation reaches. */
const strict = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1', MAX_PER_MINUTE_PER_USER: '1' });

let user: User;
const edit = (fields: Fields) => stack.edit(user.path, fields);
const ledger = () => stack.ledger(user.uid);

afterEach(() => world.expectSound(user));
afterAll(world.close);

describe('an edit is one adjustment', () => {
  it.each<[string, Fields, Fields, number]>([
    ['balance up', { balance: 25 }, { amount: 15 }, 25],
    ['balance down', { balance: 4 }, { amount: -6 }, 4],
    ['balance to 0', { balance: 0 }, { amount: -10 }, 0],
    ['adjust up', { adjust: 5 }, { amount: 5 }, 15],
    ['adjust down', { adjust: -5 }, { amount: -5 }, 5],
    ['adjust down to 0', { adjust: -10 }, { amount: -10 }, 0],
    ['both at once', { balance: 20, adjust: -3 }, { amount: 7 }, 17],
    [
      'a balance with a note',
      { balance: 11, note: 'a goodwill credit' },
      { amount: 1, reason: 'a goodwill credit' },
      11,
    ],
    [
      'all three',
      { balance: 3, adjust: 2, note: 'after a complaint' },
      { amount: -5, reason: 'after a complaint' },
      5,
    ],
  ])('%s', async (_, fields, adjustment, balance) => {
    user = await stack.newAccount();
    await edit(fields);
    expect((await user.get('account')).body.account).toMatchObject({ balance, sequence: 2 });
    await expectRecorded(user, { ...adjustment, balance, sequence: 2 }, { balance });
    expect((await user.get('account')).body.account).toMatchObject({ balance, sequence: 2 });
  });

  it('for several edits between two calls', async () => {
    user = await stack.newAccount();
    await edit({ balance: 100 });
    await edit({ balance: 30, note: 'a first try' });
    await edit({ balance: 31, note: 'the last word' });
    await user.get('account');
    await expectRecorded(user, { amount: 21, reason: 'the last word' }, { balance: 31 });
  });

  it('for each edit, if a call comes between them', async () => {
    user = await stack.newAccount();
    for (const balance of [12, 9]) {
      await edit({ balance });
      await user.get('account');
    }
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, 2, -3]);
  });

  it.each<[string, Fields]>([
    ['an adjust of 0', { adjust: 0 }],
    ['a balance and an adjust that cancel each other', { balance: 7, adjust: 3 }],
    ['the same balance', { balance: 10 }],
  ])('unless it changes nothing: %s', async (_, fields) => {
    user = await stack.newAccount();
    await edit(fields);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 1 });
    const { account } = await ledger();
    expect(account).toMatchObject({ balance: 10, settled: 10 });
    expect(account).not.toHaveProperty('adjust');
  });

  it('even if many calls come at once', async () => {
    user = await stack.newAccount();
    await edit({ balance: 20, adjust: 5 });
    await Promise.all([
      ...Array.from({ length: 8 }, (_, i) => user.get('account', i % 2 ? strict.url : undefined)),
      ...['a', 'b', 'c'].map((key) => user.generate(key)),
    ]);
    await expectRecorded(user, { amount: 15 }, { balance: 22 });
  });
});

describe('the next commit records the edit', () => {
  const fields = { balance: 2, adjust: 1, note: 'corrected' };

  it.each<[string, number, () => Promise<Reply>, Fields, number]>([
    ['of `account`', 200, () => user.get('account'), {}, 3],
    ['of a hold', 200, () => user.generate('k'), {}, 2],
    ['of a hold refused for credits', 402, () => user.generate('k', { tier: 'premium4' }), {}, 3],
    ['of a hold refused as suspended', 403, () => user.generate('k'), { suspended: true }, 3],
  ])('%s', async (_, status, call, more, balance) => {
    user = await stack.newAccount();
    await edit({ ...fields, ...more });
    const answer = await call();
    expect(answer.status).toBe(status);
    if (status === 402) expect(getErrorInfo(answer).metadata.balance).toBe('3');
    await expectRecorded(user, { amount: -7, balance: 3, reason: 'corrected' }, { balance });
  });

  it('of a hold refused by the limit per minute', async () => {
    user = await stack.newAccount();
    expect((await user.generate('earlier', {}, strict.url)).status).toBe(200);
    await edit(fields);
    expect((await user.generate('k', {}, strict.url)).status).toBe(429);
    await expectRecorded(user, { amount: -6, balance: 3, reason: 'corrected' }, { balance: 3 });
  });

  it('of a hold refused by the limit in flight', async () => {
    user = await stack.newAccount();
    const running = await gemini.during(
      () => user.generate('running', {}, strict.url),
      async () => {
        await edit(fields);
        expect((await user.generate('second', {}, strict.url)).status).toBe(429);
        await expectRecorded(user, { amount: -6, balance: 3, reason: 'corrected' }, { balance: 3 });
      },
    );
    expect(running.status).toBe(200);
  });

  it('of a refund, before the refund entry', async () => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const answer = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      () => edit(fields),
    );
    expect(answer.status).toBe(422);
    expect(answer.body.receipt).toEqual({ charged: 4, refunded: 4, balance: 7, sequence: 4 });
    await expectRecorded(user, { amount: -3, balance: 3, reason: 'corrected', sequence: 3 }, { balance: 7 });
    expect((await ledger()).entries.at(-1)).toMatchObject({ type: 'refund', amount: 4, balance: 7 });
  });
});

describe('an edit during a generation is kept', () => {
  const edits: [string, Fields, { amount: number; kept: number }][] = [
    ['balance up', { balance: 50 }, { amount: 42, kept: 50 }],
    ['balance down', { balance: 1 }, { amount: -7, kept: 1 }],
    ['balance to 0', { balance: 0 }, { amount: -8, kept: 0 }],
    ['adjust up', { adjust: 6 }, { amount: 6, kept: 14 }],
    ['adjust down', { adjust: -8 }, { amount: -8, kept: 0 }],
    ['both', { balance: 9, adjust: 1 }, { amount: 2, kept: 10 }],
  ];

  it.each(edits)('%s, and the generation succeeds', async (_, fields, { amount, kept }) => {
    user = await stack.newAccount();
    const { status, body } = await gemini.during(
      () => user.generate('k', { tier: 'premium2' }),
      () => edit(fields),
    );
    expect(status).toBe(200);
    expect(body.receipt).toEqual({ charged: 2, refunded: 0, balance: 8, sequence: 2 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: kept, sequence: 3 });
    await expectRecorded(user, { amount, balance: kept, sequence: 3 }, { balance: kept });
  });

  it.each(edits)('%s, and the generation fails', async (_, fields, { amount, kept }) => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const { status, body } = await gemini.during(
      () => user.generate('k', { tier: 'premium2' }),
      () => edit(fields),
    );
    expect(status).toBe(422);
    expect(body.receipt).toEqual({ charged: 2, refunded: 2, balance: kept + 2, sequence: 4 });
    await expectRecorded(user, { amount, balance: kept, sequence: 3 }, { balance: kept + 2 });
  });
});
