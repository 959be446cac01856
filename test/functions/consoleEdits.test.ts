/** An admin's edits in the Firestore console: kept, recorded once, whenever they come. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationPath, hashGenerationId } from '../../shared/generation/record.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getErrorInfo, getReason, getRefusal, type Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let gemini: GatedGemini;
/** The same studio with limits that one generation meets. */
let strict: Awaited<ReturnType<Stack['startServer']>>;
beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  strict = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '1', MAX_PER_MINUTE_PER_USER: '1' });
});
afterAll(async () => {
  await strict.close();
  await stack.close();
  await gemini.close();
});

type User = Awaited<ReturnType<Stack['user']>>;
type Fields = Record<string, unknown>;

let users = 0;
let user: User;
const path = () => `accounts/${user.uid}`;
const edit = (fields: Fields) => stack.edit(path(), fields);
const ledger = () => stack.ledger(user.uid);
const violated = ({ body }: Reply) => body.error?.details[0].metadata.field;

/** A user whose account the ledger keeps, with one entry: the adjustment to these credits. */
async function settledUser(credits: number): Promise<User> {
  user = await stack.user(`edited-${++users}`, credits);
  expect((await user.get('account')).body.account).toMatchObject({ balance: credits });
  return user;
}

/** What the document and the newest entry say after an edit was recorded, and that nothing is broken. */
async function expectRecorded(adjustment: Fields, { balance }: { balance: number }) {
  const { account, entries } = await ledger();
  expect(entries.filter(({ type }) => type === 'adjustment').slice(1)).toMatchObject([adjustment]);
  expect(account).toMatchObject({ balance, settled: balance, sequence: entries.length });
  expect(account).not.toHaveProperty('adjust');
  expect(account).not.toHaveProperty('note');
}

afterEach(async () => {
  if ((await stack.document(path())) === undefined) await user.get('account');
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
});

describe('an edit is one adjustment', () => {
  it.each<[string, Fields, Fields, number]>([
    ['balance up', { balance: 25 }, { amount: 15 }, 25],
    ['balance down', { balance: 4 }, { amount: -6 }, 4],
    ['balance to 0', { balance: 0 }, { amount: -10 }, 0],
    ['adjust up', { adjust: 5 }, { amount: 5 }, 15],
    ['adjust down', { adjust: -5 }, { amount: -5 }, 5],
    ['adjust down to 0', { adjust: -10 }, { amount: -10 }, 0],
    ['both at once', { balance: 20, adjust: -3 }, { amount: 7 }, 17],
    ['a note', { balance: 11, note: 'a goodwill credit' }, { amount: 1, reason: 'a goodwill credit' }, 11],
    [
      'all three',
      { balance: 3, adjust: 2, note: 'after a complaint' },
      { amount: -5, reason: 'after a complaint' },
      5,
    ],
  ])('%s', async (_, fields, adjustment, balance) => {
    await settledUser(10);
    await edit(fields);
    expect((await user.get('account')).body.account).toMatchObject({ balance, sequence: 2 });
    await expectRecorded({ ...adjustment, balance, sequence: 2 }, { balance });
    expect((await user.get('account')).body.account).toMatchObject({ balance, sequence: 2 });
  });

  it('several edits that the ledger had not seen are one', async () => {
    await settledUser(10);
    await edit({ balance: 100 });
    await edit({ balance: 30, note: 'a first try' });
    await edit({ balance: 31, note: 'the last word' });
    await user.get('account');
    await expectRecorded({ amount: 21, reason: 'the last word' }, { balance: 31 });
  });

  it('edits that the ledger has seen are one each', async () => {
    await settledUser(10);
    for (const balance of [12, 9]) {
      await edit({ balance });
      await user.get('account');
    }
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, 2, -3]);
  });

  it.each<[string, Fields]>([
    ['an adjust of 0', { adjust: 0 }],
    ['a balance and an adjust that cancel each other', { balance: 7, adjust: 3 }],
    ['the balance that it is', { balance: 10 }],
  ])('%s is none, and leaves nothing to be applied later', async (_, fields) => {
    await settledUser(10);
    await edit(fields);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 1 });
    const { account } = await ledger();
    expect(account).toMatchObject({ balance: 10, settled: 10 });
    expect(account).not.toHaveProperty('adjust');
  });

  it('many calls at once record it once', async () => {
    await settledUser(10);
    await edit({ balance: 20, adjust: 5 });
    await Promise.all([
      ...Array.from({ length: 8 }, (_, i) => user.get('account', i % 2 ? strict.url : undefined)),
      ...['a', 'b', 'c'].map((key) => user.generate(key)),
    ]);
    await expectRecorded({ amount: 15 }, { balance: 22 });
  });
});

describe('the very next commit records the edit', () => {
  const fields = { balance: 2, adjust: 1, note: 'corrected' };

  it.each<[string, number, () => Promise<Reply>, Fields, number]>([
    ['account', 200, () => user.get('account'), {}, 3],
    ['a hold', 200, () => user.generate('k'), {}, 2],
    ['a hold refused for credits', 402, () => user.generate('k', { tier: 'premium4' }), {}, 3],
    ['a hold refused as suspended', 403, () => user.generate('k'), { suspended: true }, 3],
  ])('%s', async (_, status, call, more, balance) => {
    await settledUser(10);
    await edit({ ...fields, ...more });
    const answer = await call();
    expect(answer.status).toBe(status);
    if (status === 402) expect(getErrorInfo(answer).metadata.balance).toBe('3');
    await expectRecorded({ amount: -7, balance: 3, reason: 'corrected' }, { balance });
  });

  it('a hold refused by the limit per minute', async () => {
    await settledUser(10);
    expect((await user.generate('earlier', {}, strict.url)).status).toBe(200);
    await edit(fields);
    expect((await user.generate('k', {}, strict.url)).status).toBe(429);
    await expectRecorded({ amount: -6, balance: 3, reason: 'corrected' }, { balance: 3 });
  });

  it('a hold refused by the limit of those in flight', async () => {
    await settledUser(10);
    const running = await gemini.during(
      () => user.generate('running', {}, strict.url),
      async () => {
        await edit(fields);
        expect((await user.generate('second', {}, strict.url)).status).toBe(429);
        await expectRecorded({ amount: -6, balance: 3, reason: 'corrected' }, { balance: 3 });
      },
    );
    expect(running.status).toBe(200);
  });

  it('a refund, before the credits it gives back', async () => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const answer = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      () => edit(fields),
    );
    expect(answer.status).toBe(422);
    expect(answer.body.receipt).toEqual({ charged: 4, refunded: 4, balance: 7, sequence: 4 });
    await expectRecorded({ amount: -3, balance: 3, reason: 'corrected', sequence: 3 }, { balance: 7 });
    expect((await ledger()).entries.at(-1)).toMatchObject({ type: 'refund', amount: 4, balance: 7 });
  });
});

describe('an edit while an image is painted is kept', () => {
  const edits: [string, Fields, { amount: number; kept: number }][] = [
    ['balance up', { balance: 50 }, { amount: 42, kept: 50 }],
    ['balance down', { balance: 1 }, { amount: -7, kept: 1 }],
    ['balance to 0', { balance: 0 }, { amount: -8, kept: 0 }],
    ['adjust up', { adjust: 6 }, { amount: 6, kept: 14 }],
    ['adjust down', { adjust: -8 }, { amount: -8, kept: 0 }],
    ['both', { balance: 9, adjust: 1 }, { amount: 2, kept: 10 }],
  ];

  it.each(edits)('%s, and the image succeeds', async (_, fields, { amount, kept }) => {
    await settledUser(10);
    const { status, body } = await gemini.during(
      () => user.generate('k', { tier: 'premium2' }),
      () => edit(fields),
    );
    expect(status).toBe(200);
    expect(body.receipt).toEqual({ charged: 2, refunded: 0, balance: 8, sequence: 2 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: kept, sequence: 3 });
    await expectRecorded({ amount, balance: kept, sequence: 3 }, { balance: kept });
  });

  it.each(edits)('%s, and the image fails', async (_, fields, { amount, kept }) => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { status, body } = await gemini.during(
      () => user.generate('k', { tier: 'premium2' }),
      () => edit(fields),
    );
    expect(status).toBe(422);
    expect(body.receipt).toEqual({ charged: 2, refunded: 2, balance: kept + 2, sequence: 4 });
    await expectRecorded({ amount, balance: kept, sequence: 3 }, { balance: kept + 2 });
  });
});

const invalidBalances: [string, unknown][] = [
  ['text', 'lots'],
  ['a number as text', '12'],
  ['negative', -5],
  ['a fraction', 2.5],
  ['missing', undefined],
  ['null', null],
  ['a boolean', true],
  ['a time', new Date(0)],
  ['beyond what a number can count', 2 ** 54],
  ['not a number', Number.NaN],
];

/** Sets the balance to anything at all, also to what the REST interface has no JSON for. */
async function setBalance(balance: unknown) {
  if (!Number.isNaN(balance)) return edit({ balance });
  const [document] = (await stack.database.read([path()])).documents;
  if (document) await stack.database.commit([{ update: path(), data: { balance }, at: document.version }]);
}

describe('an invalid balance', () => {
  it.each(invalidBalances)(
    '%s: refused and never overwritten; mended, it is an adjustment',
    async (_, invalid) => {
      await settledUser(10);
      await setBalance(invalid);
      const before = (await stack.database.read([path()])).documents[0];

      for (const answer of [await user.get('account'), await user.generate('k')]) {
        expect(answer.status).toBe(409);
        expect(answer.body.error.status).toBe('FAILED_PRECONDITION');
        expect(getReason(answer)).toBe('ACCOUNT_INVALID');
        expect(getErrorInfo(answer).metadata.retry).toBe('no');
        expect(violated(answer)).toBe('balance');
        expect(answer.body).not.toHaveProperty('receipt');
      }
      const after = (await stack.database.read([path()])).documents[0];
      expect(after?.version.isEqual(before?.version as never)).toBe(true);

      await edit({ balance: 12, note: 'mended' });
      expect((await user.generate('k')).body.receipt).toMatchObject({ balance: 11, sequence: 3 });
      await expectRecorded({ amount: 2, balance: 12, reason: 'mended' }, { balance: 11 });
    },
  );

  it.each(invalidBalances)('%s: a refund writes its entry and leaves it to the admin', async (_, invalid) => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { status, body } = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      () => setBalance(invalid),
    );
    expect(status).toBe(422);
    expect(body.receipt).toMatchObject({ charged: 4, refunded: 4, sequence: 3 });
    const { account, entries, generations } = await ledger();
    expect(generations).toMatchObject([{ status: 'refunded' }]);
    expect(entries.at(-1)).toMatchObject({ type: 'refund', amount: 4, balance: 10, sequence: 3 });
    expect(account).toMatchObject({ settled: 10, sequence: 3 });
    expect(account.balance).toEqual(invalid);
    expect((await user.get('account')).status).toBe(409);

    await edit({ balance: 30 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 30, sequence: 4 });
    await expectRecorded({ amount: 20, balance: 30, sequence: 4 }, { balance: 30 });
  });

  it('does not keep a painted image from its user', async () => {
    await settledUser(10);
    const { status } = await gemini.during(
      () => user.generate('k'),
      () => edit({ balance: 'oops' }),
    );
    expect(status).toBe(200);
    expect((await stack.document(path()))?.balance).toBe('oops');
    expect((await user.get('gallery')).body.generations).toHaveLength(1);
    expect((await user.get('ledger')).body.entries).toHaveLength(2);
    expect((await user.generate('k')).headers.get('idempotent-replayed')).toBe('true');
    await edit({ balance: 9 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 9, sequence: 2 });
  });

  it('on an account made by hand is refused and left alone', async () => {
    user = await stack.user(`edited-${++users}`);
    await stack.edit(path(), { balance: 'seventy' });
    expect(getReason(await user.get('account'))).toBe('ACCOUNT_INVALID');
    expect(await stack.document(path())).toEqual({ balance: 'seventy' });
    await edit({ balance: 70 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 70, sequence: 1 });
  });
});

describe('an invalid adjust', () => {
  const invalid: [string, unknown][] = [
    ['text', '5'],
    ['a fraction', 0.5],
    ['more than there is, taken away', -11],
    ['beyond what a number can count', 2 ** 54],
  ];

  it.each(invalid)('%s: refused and never dropped; mended, it is an adjustment', async (_, adjust) => {
    await settledUser(10);
    await edit({ adjust, note: 'typed wrong' });
    const before = await stack.document(path());
    for (const answer of [await user.get('account'), await user.generate('k')]) {
      expect(answer.status).toBe(409);
      expect(getReason(answer)).toBe('ACCOUNT_INVALID');
      expect(violated(answer)).toBe('adjust');
    }
    expect(await stack.document(path())).toEqual(before);

    await edit({ adjust: 5 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 15, sequence: 2 });
    await expectRecorded({ amount: 5, reason: 'typed wrong' }, { balance: 15 });
  });

  it.each(invalid)('%s: a refund gives the credits back and leaves it to the admin', async (_, adjust) => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => edit({ adjust }),
    );
    expect(body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect(await stack.document(path())).toMatchObject({ balance: 10, settled: 10, adjust });
    await edit({ adjust: undefined });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 3 });
  });
});

describe('suspending an account', () => {
  it('stops the next hold, not the image that is being painted', async () => {
    await settledUser(10);
    const { status } = await gemini.during(
      () => user.generate('k'),
      async () => {
        await edit({ suspended: true });
        const refused = await user.generate('next');
        expect(getRefusal(refused)).toEqual([403, 'ACCOUNT_SUSPENDED']);
      },
    );
    expect(status).toBe(200);
    expect((await user.generate('k')).status).toBe(200);
    await edit({ suspended: false });
    expect((await user.generate('next')).status).toBe(200);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 8, sequence: 3 });
  });

  it('does not keep a refund back', async () => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => edit({ suspended: true }),
    );
    expect(body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
  });
});

describe('an account deleted while an image is painted', () => {
  it('does not keep the image from its user, and comes back at 0', async () => {
    await settledUser(10);
    const { status } = await gemini.during(
      () => user.generate('k'),
      () => stack.erase(path()),
    );
    expect(status).toBe(200);
    expect(await stack.document(path())).toBeUndefined();
    expect((await user.get('gallery')).body.generations).toHaveLength(1);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 3 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, -9]);
  });

  it('comes back with what a refund gives back', async () => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k', { tier: 'premium4' }),
      () => stack.erase(path()),
    );
    expect(body.receipt).toEqual({ charged: 4, refunded: 4, balance: 4, sequence: 4 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -4, -6, 4]);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 4, sequence: 4 });
  });

  it('and made again by hand keeps its new balance', async () => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    await gemini.during(
      () => user.generate('k'),
      async () => {
        await stack.erase(path());
        await edit({ balance: 50 });
      },
    );
    expect((await user.get('account')).body.account).toMatchObject({ balance: 51, sequence: 4 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, 41, 1]);
  });
});

describe('a pending generation that an admin touched', () => {
  const touch = () =>
    stack.edit(generationPath(user.uid, hashGenerationId(user.uid, 'k')), { remark: 'seen' });

  it('still settles', async () => {
    await settledUser(10);
    const { status } = await gemini.during(() => user.generate('k'), touch);
    expect(status).toBe(200);
    expect((await ledger()).generations).toMatchObject([{ status: 'succeeded', remark: 'seen' }]);
  });

  it('is still refunded', async () => {
    await settledUser(10);
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(() => user.generate('k'), touch);
    expect(body.receipt).toMatchObject({ refunded: 1, balance: 10 });
    expect((await ledger()).generations).toMatchObject([{ status: 'refunded', remark: 'seen' }]);
  });
});

describe('a generation whose document an admin deletes', () => {
  const document = () => generationPath(user.uid, hashGenerationId(user.uid, 'k'));

  it('while it is painted is refunded, its image goes to the outbox, and its key is not painted again', async () => {
    await settledUser(10);
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => stack.erase(document()),
    );
    expect(body.receipt).toMatchObject({ charged: 1, refunded: 1, balance: 10 });
    expect((await ledger()).entries.map(({ amount }) => amount)).toEqual([10, -1, 1]);
    const id = hashGenerationId(user.uid, 'k');
    const { documents } = await stack.database.read([`outbox/${id}`]);
    expect(documents[0]?.data.publicId).toContain(id);

    const again = await user.generate('k');
    expect(again.status).toBe(410);
    expect(getErrorInfo(again)).toMatchObject({ reason: 'DELETED', metadata: { retry: 'no' } });
    expect((await user.generate('another')).status).toBe(200);
  });
});

describe('a balance that is invalid and was beyond what one buys', () => {
  it('has nobody write the account over and over', async () => {
    await settledUser(10);
    await edit({ balance: 2_000_000_000_000 });
    expect((await user.get('account')).status).toBe(200);
    await edit({ balance: 'mistyped' });
    const before = (await ledger()).account.updatedAt;
    for (let i = 0; i < 3; i++) {
      await stack.fetch('reconcile', { method: 'POST', headers: { authorization: 'Bearer owner' } });
    }
    expect((await ledger()).account.updatedAt).toEqual(before);
    await edit({ balance: 10 });
    expect((await user.get('account')).status).toBe(200);
  });
});
