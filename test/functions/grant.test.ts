/** A grant moves credits once per key, and never below zero. */
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { adminEntrySchema } from '../../shared/contract.ts';
import type { Database } from '../../shared/database/database.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { startGrants } from '../support/grants.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { getRefusal, isReplayed, type Reply } from '../support/replies.ts';

const grants = await startGrants();
const { stack, gemini, newKey, grant, getAmounts } = grants;
const other = await stack.startServer();
const reason = 'a gift';

afterEach(() => vi.unstubAllGlobals());
afterAll(grants.close);

describe('a grant', () => {
  it('adds credits by one entry with amount, reason and actor', async () => {
    const user = await stack.newAccount(10);
    const answer = await grant({ uid: user.uid, amount: 64, reason });
    expect(answer.status).toBe(200);
    expect(isReplayed(answer)).toBe(false);
    expect(answer.body.account).toMatchObject({ uid: user.uid, balance: 74, sequence: 2 });
    expect(Object.keys(answer.body).sort()).toEqual(['account', 'entry']);
    expect(answer.body.entry).toMatchObject({
      type: 'grant',
      amount: 64,
      balance: 74,
      sequence: 2,
      reason,
      actor: 'owner',
    });
    expect(adminEntrySchema.safeParse(answer.body.entry).error).toBeUndefined();
    // The user sees the same entry and balance, but neither the admin nor the reason.
    const { actor: _actor, reason: _reason, ...shown } = answer.body.entry;
    expect((await user.get('ledger')).body.entries[0]).toEqual(shown);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 74, sequence: 2 });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('with a negative amount takes credits, down to 0', async () => {
    const user = await stack.newAccount(10);
    expect((await grant({ uid: user.uid, amount: -3, reason })).body.account.balance).toBe(7);
    expect((await grant({ uid: user.uid, amount: -7, reason })).body.account.balance).toBe(0);
    expect(await getAmounts(user.uid)).toEqual([10, -3, -7]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('to an account made by hand comes after the entry for its balance', async () => {
    const { uid } = await stack.newUser();
    expect((await grant({ uid, amount: 5, reason })).body.account).toMatchObject({
      balance: 15,
      sequence: 2,
    });
    expect(await getAmounts(uid)).toEqual([10, 5]);
  });

  it('records an open console edit in the same commit', async () => {
    const user = await stack.newAccount(10);
    await stack.edit(user.path, { balance: 30, adjust: -1, note: 'corrected' });
    const { body } = await grant({ uid: user.uid, amount: 5, reason });
    expect(body.account).toMatchObject({ balance: 34, sequence: 3 });
    const { entries, account } = await stack.ledger(user.uid);
    expect(entries).toMatchObject([
      { amount: 10 },
      { type: 'adjustment', amount: 19, reason: 'corrected' },
      { type: 'grant', amount: 5, reason, balance: 34 },
    ]);
    expect(account).not.toHaveProperty('adjust');
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('to a deleted account recreates it with its old entries', async () => {
    const user = await stack.newAccount(10);
    await grant({ uid: user.uid, amount: 5, reason });
    await stack.erase(user.path);
    const { status, body } = await grant({ uid: user.uid, amount: 7, reason });
    expect([status, body.account.balance, body.account.sequence]).toEqual([200, 7, 4]);
    expect(await getAmounts(user.uid)).toEqual([10, 5, -15, 7]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('is kept while an image is generated, whether that succeeds or fails', async () => {
    const user = await stack.newAccount(10);
    await gemini.during(
      () => user.generate('good', { tier: 'premium2' }),
      async () => void (await grant({ uid: user.uid, amount: 5, reason })),
    );
    gemini.script(geminiFault.promptBlocked());
    await gemini.during(
      () => user.generate('bad', { tier: 'premium4' }),
      async () => void (await grant({ uid: user.uid, amount: -9, reason })),
    );
    expect(await getAmounts(user.uid)).toEqual([10, -2, 5, -4, -9, 4]);
    expect((await user.get('account')).body.account.balance).toBe(4);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('the same key', () => {
  it('is the same grant: the same reply, marked as replayed, whatever happened since', async () => {
    const user = await stack.newAccount(10);
    const body = { uid: user.uid, amount: 5, reason };
    const first = await grant(body, { key: 'once' });
    const changes = [
      async () => {},
      async () => void (await grant({ uid: user.uid, amount: 100, reason })),
      () => stack.edit(user.path, { balance: 'oops' }),
      async () => void (await stack.erase(user.path)),
    ];
    for (const change of changes) {
      await change();
      const again = await grant(body, { key: 'once', url: other.url });
      expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, true]);
    }
    expect(await getAmounts(user.uid)).toEqual([10, 5, 100]);
  });

  it.each<[string, (uid: string) => object]>([
    ['another amount', (uid) => ({ uid, amount: 6, reason })],
    ['the negative amount', (uid) => ({ uid, amount: -5, reason })],
    ['another uid', () => ({ uid: 'somebody-else', amount: 5, reason })],
  ])('with %s is refused', async (_, next) => {
    const user = await stack.newAccount(10);
    await stack.user('somebody-else', 10);
    const key = newKey();
    await grant({ uid: user.uid, amount: 5, reason }, { key });
    const refused = await grant(next(user.uid), { key });
    expect(getRefusal(refused)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(refused.body.error.status).toBe('INVALID_ARGUMENT');
    expect(await getAmounts(user.uid)).toEqual([10, 5]);
    expect((await stack.ledger('somebody-else')).entries).toEqual([]);
  });

  it('with another reason replays the first grant', async () => {
    const user = await stack.newAccount(10);
    const first = await grant({ uid: user.uid, amount: 5, reason }, { key: 'reasoned' });
    const again = await grant({ uid: user.uid, amount: 5, reason: 'put better' }, { key: 'reasoned' });
    expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, true]);
  });

  it('can be used again after a refusal', async () => {
    const user = await stack.newAccount(10);
    const body = { uid: user.uid, amount: -15, reason };
    expect((await grant(body, { key: 'later' })).status).toBe(402);
    await grant({ uid: user.uid, amount: 5, reason });
    const later = await grant(body, { key: 'later' });
    expect([later.status, isReplayed(later), later.body.account.balance]).toEqual([200, false, 0]);
  });

  it('twenty times at once, on two servers, is one entry', async () => {
    const user = await stack.newAccount(10);
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        grant({ uid: user.uid, amount: 5, reason }, { key, url: i % 2 ? other.url : stack.url }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter((answer) => !isReplayed(answer))).toHaveLength(1);
    expect(await getAmounts(user.uid)).toEqual([10, 5]);
  });

  it('recognises a grant that another server made in the same millisecond', async () => {
    const user = await stack.newAccount(10);
    const [key, now] = [newKey(), new Date()];
    const body = { uid: user.uid, amount: 5, reason };
    const stopped: Database = {
      ...stack.database,
      read: async (paths) => ({ ...(await stack.database.read(paths)), readTime: now }),
    };
    const first = await stack.startServer({}, { database: stopped });
    let won: Reply | undefined;
    const overtaken: Database = {
      ...stopped,
      async commit(writes) {
        won ??= await grant(body, { key, url: first.url });
        return stack.database.commit(writes);
      },
    };
    const second = await stack.startServer({}, { database: overtaken });
    const lost = await grant(body, { key, url: second.url });
    expect([won?.status, won && isReplayed(won)]).toEqual([200, false]);
    expect([lost.status, lost.body, isReplayed(lost)]).toEqual([200, won?.body, true]);
    expect(await getAmounts(user.uid)).toEqual([10, 5]);
    await Promise.all([first.close(), second.close()]);
  });

  it('for two users at once gives one grant and one refusal', async () => {
    const [ann, bob] = [await stack.newAccount(10), await stack.newAccount(10)];
    const key = newKey();
    const answers = await Promise.all([
      grant({ uid: ann.uid, amount: 5, reason }, { key }),
      grant({ uid: bob.uid, amount: 5, reason }, { key, url: other.url }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
    expect([...(await getAmounts(ann.uid)), ...(await getAmounts(bob.uid))].sort()).toEqual([10, 10, 5]);
  });
});

it('twenty grants at once on two servers all succeed', async () => {
  const user = await stack.newAccount(10);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      grant({ uid: user.uid, amount: i + 1, reason }, { url: i % 2 ? other.url : stack.url }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect((await stack.ledger(user.uid)).account).toMatchObject({ balance: 220, settled: 220, sequence: 21 });
  const sequences = answers.map(({ body }) => body.account.sequence).sort((a, b) => a - b);
  expect(sequences).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
});

it('twenty negative grants at once never make the balance negative', async () => {
  const user = await stack.newAccount(10);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      grant({ uid: user.uid, amount: -2, reason }, { url: i % 2 ? other.url : stack.url }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(5).fill(200), ...Array(15).fill(402)]);
  expect((await stack.ledger(user.uid)).account).toMatchObject({ balance: 0, settled: 0 });
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
});

describe('an admin whose e-mail address changes between two attempts', () => {
  it('grants once', async () => {
    answerLookups(stack);
    const user = await stack.newAccount(10);
    const [before, after] = await Promise.all(
      ['old@example.com', 'new@example.com'].map((email) =>
        stack.tokenFor('the-admin', { admin: true, email }),
      ),
    );
    const body = { uid: user.uid, amount: 7, reason };
    await grant(body, { key: 'moving', token: before ?? '' });
    expect(isReplayed(await grant(body, { key: 'moving', token: after ?? '' }))).toBe(true);
    expect(await getAmounts(user.uid)).toEqual([10, 7]);
  });
});
