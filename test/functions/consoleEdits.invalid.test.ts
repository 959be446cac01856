/** An invalid balance or adjust is refused and never overwritten; once corrected it is an ordinary edit. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { startConsoleEdits } from '../support/consoleEdits.ts';
import { getErrorInfo, getReason } from '../support/replies.ts';
import type { User } from '../support/users.ts';

const world = await startConsoleEdits();
const { stack, gemini, expectRecorded } = world;

let user: User;
const edit = (fields: Record<string, unknown>) => stack.edit(user.path, fields);
const ledger = () => stack.ledger(user.uid);

afterEach(() => world.expectSound(user));
afterAll(world.close);

const invalidBalances: [string, unknown][] = [
  ['text', 'lots'],
  ['a number as text', '12'],
  ['negative', -5],
  ['a fraction', 2.5],
  ['missing', undefined],
  ['null', null],
  ['a boolean', true],
  ['a time', new Date(0)],
  ['larger than a safe integer', 2 ** 54],
  ['not a number', Number.NaN],
];

/** Sets the balance to any value, also to NaN, for which the REST interface has no JSON. */
async function setBalance(balance: unknown) {
  if (!Number.isNaN(balance)) return edit({ balance });
  const [document] = (await stack.database.read([user.path])).documents;
  if (document) await stack.database.commit([{ update: user.path, data: { balance }, at: document.version }]);
}

describe('an invalid balance', () => {
  it.each(invalidBalances)(
    '%s: is refused and never overwritten; once corrected it is an adjustment',
    async (_, invalid) => {
      user = await stack.newAccount();
      await setBalance(invalid);
      const before = (await stack.database.read([user.path])).documents[0];

      for (const answer of [await user.get('account'), await user.generate('k')]) {
        expect(answer.status).toBe(409);
        expect(answer.body.error.status).toBe('FAILED_PRECONDITION');
        expect(getReason(answer)).toBe('ACCOUNT_INVALID');
        expect(getErrorInfo(answer).metadata.retry).toBe('no');
        expect(getErrorInfo(answer).metadata.field).toBe('balance');
        expect(answer.body).not.toHaveProperty('receipt');
      }
      const after = (await stack.database.read([user.path])).documents[0];
      expect(after?.version.isEqual(before?.version as never)).toBe(true);

      await edit({ balance: 12, note: 'corrected' });
      expect((await user.generate('k')).body.receipt).toMatchObject({ balance: 11, sequence: 3 });
      await expectRecorded(user, { amount: 2, balance: 12, reason: 'corrected' }, { balance: 11 });
    },
  );

  it.each(invalidBalances)(
    '%s: a refund writes its entry and leaves the balance to the admin',
    async (_, invalid) => {
      user = await stack.newAccount();
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
      await expectRecorded(user, { amount: 20, balance: 30, sequence: 4 }, { balance: 30 });
    },
  );

  it('does not withhold an image that was paid for', async () => {
    user = await stack.newAccount();
    const { status } = await gemini.during(
      () => user.generate('k'),
      () => edit({ balance: 'oops' }),
    );
    expect(status).toBe(200);
    expect((await stack.document(user.path))?.balance).toBe('oops');
    expect((await user.get('gallery')).body.generations).toHaveLength(1);
    expect((await user.get('ledger')).body.entries).toHaveLength(2);
    expect((await user.generate('k')).headers.get('idempotent-replayed')).toBe('true');
    await edit({ balance: 9 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 9, sequence: 2 });
  });

  it('on an account made by hand is refused and left as it is', async () => {
    user = await stack.user('made-by-hand');
    await stack.edit(user.path, { balance: 'seventy' });
    expect(getReason(await user.get('account'))).toBe('ACCOUNT_INVALID');
    expect(await stack.document(user.path)).toEqual({ balance: 'seventy' });
    await edit({ balance: 70 });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 70, sequence: 1 });
  });
});

describe('an invalid adjust', () => {
  const invalid: [string, unknown][] = [
    ['text', '5'],
    ['a fraction', 0.5],
    ['a deduction larger than the balance', -11],
    ['larger than a safe integer', 2 ** 54],
  ];

  it.each(invalid)(
    '%s: is refused and never dropped; once corrected it is an adjustment',
    async (_, adjust) => {
      user = await stack.newAccount();
      await edit({ adjust, note: 'typed wrong' });
      const before = await stack.document(user.path);
      for (const answer of [await user.get('account'), await user.generate('k')]) {
        expect(answer.status).toBe(409);
        expect(getReason(answer)).toBe('ACCOUNT_INVALID');
        expect(getErrorInfo(answer).metadata.field).toBe('adjust');
      }
      expect(await stack.document(user.path)).toEqual(before);

      await edit({ adjust: 5 });
      expect((await user.get('account')).body.account).toMatchObject({ balance: 15, sequence: 2 });
      await expectRecorded(user, { amount: 5, reason: 'typed wrong' }, { balance: 15 });
    },
  );

  it.each(invalid)('%s: a refund returns the credits and leaves adjust to the admin', async (_, adjust) => {
    user = await stack.newAccount();
    gemini.script(geminiFault.promptBlocked());
    const { body } = await gemini.during(
      () => user.generate('k'),
      () => edit({ adjust }),
    );
    expect(body.receipt).toEqual({ charged: 1, refunded: 1, balance: 10, sequence: 3 });
    expect(await stack.document(user.path)).toMatchObject({ balance: 10, settled: 10, adjust });
    await edit({ adjust: undefined });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 3 });
  });
});

describe('an invalid balance after one larger than any purchase', () => {
  it('is not rewritten by every reconcile', async () => {
    user = await stack.newAccount();
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
