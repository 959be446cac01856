import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountSchema } from '../../shared/contract.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getErrorInfo } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let gemini: GatedGemini;
beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ SIGNUP_CREDITS: '10', GOOGLE_GEMINI_BASE_URL: gemini.url });
});
afterAll(async () => {
  await stack.close();
  await gemini.close();
});

const anonymous = {
  email: undefined,
  email_verified: undefined,
  firebase: { sign_in_provider: 'anonymous' },
};
const unverified = { email_verified: false };
const withGoogle = { email_verified: false, firebase: { sign_in_provider: 'google.com' } };

describe('the first call', () => {
  it('creates the account with the signup credits, their entry and the e-mail address', async () => {
    const user = await stack.user('first');
    const { status, body } = await user.get('account');

    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(['account', 'limits', 'tiers']);
    expect(accountSchema.parse(body.account)).toMatchObject({
      uid: 'first',
      balance: 10,
      sequence: 1,
      suspended: false,
      email: 'first@example.com',
    });
    const { account, entries } = await stack.ledger('first');
    expect(account).toMatchObject({ balance: 10, settled: 10, sequence: 1, email: 'first@example.com' });
    expect(account).not.toHaveProperty('signupDue');
    expect(entries).toMatchObject([
      { id: 'signup', sequence: 1, type: 'grant', amount: 10, balance: 10, reason: 'signup' },
    ]);
    expect(await brokenInvariants(stack, 'first')).toEqual([]);
  });

  it('may be `generate`, paid with the signup credits', async () => {
    const user = await stack.user('eager');
    const { status, body } = await user.generate('k');
    expect(status).toBe(200);
    expect(body.receipt).toEqual({ charged: 1, refunded: 0, balance: 9, sequence: 2 });
    expect((await stack.ledger('eager')).entries.map(({ type }) => type)).toEqual(['grant', 'debit']);
    expect((await stack.document('accounts/eager'))?.email).toBe('eager@example.com');
    expect(await brokenInvariants(stack, 'eager')).toEqual([]);
  });

  it('creates one account and one grant, however many calls come at once to two servers', async () => {
    const user = await stack.user('crowd');
    const second = await stack.startServer();
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => user.get('account', i % 2 ? second.url : undefined)),
    );
    await second.close();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.account.balance))).toEqual(new Set([10]));
    expect(new Set(answers.map(({ body }) => body.account.createdAt)).size).toBe(1);
    expect((await stack.ledger('crowd')).entries).toMatchObject([{ id: 'signup', amount: 10 }]);
    expect(await brokenInvariants(stack, 'crowd')).toEqual([]);
  });

  it('grants once and charges each generation once if `account` and `generate` come at once', async () => {
    const user = await stack.user('mixed');
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => user.get('account')),
      ...['a', 'b', 'c'].map((key) => user.generate(key)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(200));
    expect((await user.get('account')).body.account).toMatchObject({ balance: 7, sequence: 4 });
    expect(await brokenInvariants(stack, 'mixed')).toEqual([]);
  });
});

describe('signup credits', () => {
  it('are granted once, not with every call', async () => {
    const user = await stack.user('again');
    for (let i = 0; i < 3; i += 1) {
      expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 1 });
    }
  });

  it.each([
    ['a verified e-mail address', {}, 10],
    ["a provider's sign-in, with an unverified e-mail address", withGoogle, 10],
    ['an anonymous user', anonymous, 0],
    ['a password with an unverified e-mail address', unverified, 0],
  ])('for %s', async (name, claims, credits) => {
    const uid = `signup-${name.replaceAll(/\W/g, '')}`;
    const user = await stack.user(uid, undefined, claims);
    expect((await user.get('account')).body.account).toMatchObject({
      balance: credits,
      sequence: credits > 0 ? 1 : 0,
    });
    expect((await user.get('account')).body.account.balance).toBe(credits);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });

  it.each([
    ['an e-mail address that is verified later', unverified, {}],
    ['an anonymous user who signs up later', anonymous, withGoogle],
  ])('once for %s', async (name, before, after) => {
    const uid = `later-${name.length}`;
    const early = await stack.user(uid, undefined, before);
    expect((await early.get('account')).body.account.balance).toBe(0);
    const refused = await early.generate('k');
    expect(refused.status).toBe(402);

    const late = await stack.user(uid, undefined, after);
    expect((await late.get('account')).body.account).toMatchObject({ balance: 10, sequence: 1 });
    expect((await early.get('account')).body.account.balance).toBe(10);
    expect((await late.get('account')).body.account.balance).toBe(10);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });

  it('of 0 leave no entry', async () => {
    const none = await stack.startServer({ SIGNUP_CREDITS: '0' });
    const user = await stack.user('nothing-given');
    expect((await user.get('account', none.url)).body.account).toMatchObject({ balance: 0, sequence: 0 });
    await none.close();
    expect((await stack.ledger('nothing-given')).entries).toEqual([]);
  });
});

describe('an account made by hand in the console', () => {
  it('needs only a balance, which becomes an adjustment at its first use, and gets no signup grant', async () => {
    const user = await stack.user('by-hand', 74);
    expect((await user.get('account')).body.account).toMatchObject({
      balance: 74,
      sequence: 1,
      email: 'by-hand@example.com',
    });
    const { account, entries } = await stack.ledger('by-hand');
    expect(entries).toMatchObject([{ sequence: 1, type: 'adjustment', amount: 74, balance: 74 }]);
    expect(account).toMatchObject({ balance: 74, settled: 74, sequence: 1, email: 'by-hand@example.com' });
    expect((await user.get('account')).body.account).toMatchObject({ balance: 74, sequence: 1 });
    expect(await brokenInvariants(stack, 'by-hand')).toEqual([]);
  });

  it('with a balance of 0 has no entry and no credits', async () => {
    const user = await stack.user('by-hand-zero', 0);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 0 });
    expect((await stack.ledger('by-hand-zero')).entries).toEqual([]);
    expect(await brokenInvariants(stack, 'by-hand-zero')).toEqual([]);
  });
});

describe('an account deleted in the console', () => {
  it('is recreated at its next use with its old entries and an adjustment to 0, without a second grant', async () => {
    const user = await stack.user('deleted');
    await user.generate('k');
    await stack.erase('accounts/deleted');

    const { status, body } = await user.get('account');
    expect(status).toBe(200);
    expect(body.account).toMatchObject({ balance: 0, sequence: 3, email: 'deleted@example.com' });
    expect((await stack.ledger('deleted')).entries).toMatchObject([
      { sequence: 1, type: 'grant', amount: 10, balance: 10 },
      { sequence: 2, type: 'debit', amount: -1, balance: 9 },
      { sequence: 3, type: 'adjustment', amount: -9, balance: 0 },
    ]);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 3 });
    expect(await brokenInvariants(stack, 'deleted')).toEqual([]);
  });

  it('is recreated by a generate that it cannot pay, and its old keys stay used', async () => {
    const user = await stack.user('deleted-poor');
    const first = await user.generate('old');
    await stack.erase('accounts/deleted-poor');

    const refused = await user.generate('new');
    expect(refused.status).toBe(402);
    expect(getErrorInfo(refused).metadata).toMatchObject({ required: '1', balance: '0' });
    const replayed = await user.generate('old');
    expect(replayed.body).toEqual(first.body);
    expect(replayed.headers.get('idempotent-replayed')).toBe('true');
    expect(await brokenInvariants(stack, 'deleted-poor')).toEqual([]);
  });

  it('is recreated with a new balance if an admin creates it by hand', async () => {
    const user = await stack.user('remade');
    await user.generate('k');
    await stack.erase('accounts/remade');
    await stack.edit('accounts/remade', { balance: 50 });

    expect((await user.get('account')).body.account).toMatchObject({ balance: 50, sequence: 3 });
    expect((await stack.ledger('remade')).entries.at(-1)).toMatchObject({
      type: 'adjustment',
      amount: 41,
      balance: 50,
      sequence: 3,
    });
    expect((await user.generate('next')).body.receipt).toMatchObject({ balance: 49, sequence: 4 });
    expect(await brokenInvariants(stack, 'remade')).toEqual([]);
  });

  it('stays consistent when it is deleted and recreated several times', async () => {
    const user = await stack.user('phoenix', 20);
    await user.get('account');
    for (const balance of [20, 0, 7]) {
      await stack.erase('accounts/phoenix');
      await stack.edit('accounts/phoenix', { balance });
      expect((await user.get('account')).body.account.balance).toBe(balance);
      expect(await brokenInvariants(stack, 'phoenix')).toEqual([]);
    }
    const amounts = (await stack.ledger('phoenix')).entries.map(({ amount }) => amount);
    expect(amounts).toEqual([20, -20, 7]);
  });
});

describe('the reply', () => {
  it('has the price and the image size of each tier', async () => {
    const { body } = await (await stack.user('shopper')).get('account');
    expect(body.tiers).toMatchObject([
      { id: 'standard', credits: 1, aspectRatio: '1:1', width: 1024, height: 1024 },
      { id: 'premium2', credits: 2, aspectRatio: '3:2', width: 1248, height: 832 },
      { id: 'premium4', credits: 4, aspectRatio: '16:9', width: 1344, height: 768 },
    ]);
  });

  it('has the sizes of the configured model', async () => {
    const other = await stack.startServer({ IMAGEGEN_MODEL_ID: 'gemini-nano-banana-2.1' });
    const { body } = await (await stack.user('shopper')).get('account', other.url);
    await other.close();
    expect(body.tiers[1]).toMatchObject({
      id: 'premium2',
      credits: 2,
      aspectRatio: '3:2',
      width: 1264,
      height: 848,
      resolutions: [
        { resolution: '1K', credits: 2, width: 1264, height: 848 },
        { resolution: '2K', credits: 4, width: 2528, height: 1696 },
        { resolution: '4K', credits: 8, width: 5056, height: 3392 },
      ],
    });
  });

  it('has the limits', async () => {
    const strict = await stack.startServer({ MAX_IN_FLIGHT_PER_USER: '2', MAX_PER_MINUTE_PER_USER: '3' });
    const user = await stack.user('limited');
    expect((await user.get('account')).body.limits).toMatchObject({
      maxInFlightPerUser: 4,
      maxPerMinutePerUser: 20,
      maxReferences: 3,
      maxReferenceBytes: 14_000_000,
    });
    expect((await user.get('account', strict.url)).body.limits).toMatchObject({
      maxInFlightPerUser: 2,
      maxPerMinutePerUser: 3,
    });
    await strict.close();
  });

  it('says that the account is suspended, and still shows it', async () => {
    const user = await stack.user('suspended', 5);
    await stack.edit('accounts/suspended', { suspended: true });
    const { status, body } = await user.get('account');
    expect(status).toBe(200);
    expect(body.account).toMatchObject({ suspended: true, balance: 5 });
    await stack.edit('accounts/suspended', { suspended: false });
    expect((await user.get('account')).body.account.suspended).toBe(false);
  });

  it('has a changed e-mail address, which is stored with its identity and changes no other field', async () => {
    await (await stack.user('mover')).get('account');
    const before = await stack.document('accounts/mover');
    const moved = await stack.user('mover', undefined, { email: 'new@example.com' });
    expect((await moved.get('account')).body.account.email).toBe('new@example.com');
    const after = await stack.document('accounts/mover');
    const [identity = ''] = (before?.identities ?? []) as string[];
    expect(after).toEqual({
      ...before,
      email: 'new@example.com',
      identities: [expect.stringMatching(/^[0-9a-f]{32}$/), expect.not.stringMatching(identity)],
      updatedAt: after?.updatedAt,
    });
  });

  it('has no e-mail address for an anonymous user', async () => {
    const { body } = await (await stack.user('nobody', undefined, anonymous)).get('account');
    expect(accountSchema.parse(body.account).email).toBeNull();
  });

  it('writes nothing if nothing changes', async () => {
    const user = await stack.user('reader');
    await user.get('account');
    const before = (await stack.database.read(['accounts/reader'])).documents[0];
    await user.get('account');
    const after = (await stack.database.read(['accounts/reader'])).documents[0];
    expect(after?.version.isEqual(before?.version as never)).toBe(true);
  });

  it('is for signed-in users, with GET, without a query', async () => {
    const user = await stack.user('asker');
    expect((await stack.fetch('account')).status).toBe(401);
    expect((await user.post('account', {})).status).toBe(405);
    expect((await user.get('account?uid=first')).status).toBe(400);
  });
});
