/** Granting: an admin's word moves credits once for each key, and never below zero. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { entrySchema } from '../../shared/contract.ts';
import type { Database } from '../../shared/database/database.ts';
import { answerLookups, type Lookup } from '../support/adminLookup.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { getErrorInfo, getRefusal, type Reply } from '../support/replies.ts';
import { schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let gemini: GatedGemini;
let other: Awaited<ReturnType<Stack['startServer']>>;
let users = 0;
let keys = 0;

beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...schedulerEnv });
  other = await stack.startServer();
});
afterAll(async () => {
  await other.close();
  await stack.close();
  await gemini.close();
});
afterEach(() => vi.unstubAllGlobals());

type Options = { key?: string; token?: string; url?: string };

/** A grant as the local owner, under a key of its own unless one is given. */
function grant(body: unknown, { key = `key-${++keys}`, token = 'owner', url }: Options = {}) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  };
  return stack.fetch('grant', { method: 'POST', headers, body: JSON.stringify(body) }, url);
}

/** A user whose account the ledger has opened with so many credits. */
async function opened(credits = 10) {
  const user = await stack.user(`user-${++users}`, credits);
  expect((await user.get('account')).status).toBe(200);
  return { ...user, path: `accounts/${user.uid}` };
}

const amounts = async (uid: string) => (await stack.ledger(uid)).entries.map(({ amount }) => amount);
const reason = 'a gift';
const replayed = ({ headers }: Reply) => headers.get('idempotent-replayed');
/** The fields at fault, each once. */
const violated = ({ body }: Reply) => [
  ...new Set(body.error.details[1].fieldViolations.map(({ field }: { field: string }) => field)),
];

describe('a grant', () => {
  it('adds credits by one entry that says how many, why and by whom', async () => {
    const user = await opened(10);
    const answer = await grant({ uid: user.uid, amount: 64, reason });
    expect(answer.status).toBe(200);
    expect(replayed(answer)).toBeNull();
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
    expect(entrySchema.safeParse(answer.body.entry).error).toBeUndefined();
    // What was answered is what the user sees.
    expect((await user.get('ledger')).body.entries[0]).toEqual(answer.body.entry);
    expect((await user.get('account')).body.account).toMatchObject({ balance: 74, sequence: 2 });
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('with a negative amount takes them, down to 0', async () => {
    const user = await opened(10);
    expect((await grant({ uid: user.uid, amount: -3, reason })).body.account.balance).toBe(7);
    expect((await grant({ uid: user.uid, amount: -7, reason })).body.account.balance).toBe(0);
    expect(await amounts(user.uid)).toEqual([10, -3, -7]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('to an account that was only made by hand comes after what that held', async () => {
    const { uid } = await stack.user(`user-${++users}`, 10);
    expect((await grant({ uid, amount: 5, reason })).body.account).toMatchObject({
      balance: 15,
      sequence: 2,
    });
    expect(await amounts(uid)).toEqual([10, 5]);
  });

  it('records a console edit that nobody noticed in the same commit', async () => {
    const user = await opened(10);
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

  it('to an account that was deleted brings it back with its old entries', async () => {
    const user = await opened(10);
    await grant({ uid: user.uid, amount: 5, reason });
    await stack.erase(user.path);
    const { status, body } = await grant({ uid: user.uid, amount: 7, reason });
    expect([status, body.account.balance, body.account.sequence]).toEqual([200, 7, 4]);
    expect(await amounts(user.uid)).toEqual([10, 5, -15, 7]);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });

  it('while an image is painted is kept, whether that ends well or not', async () => {
    const user = await opened(10);
    await gemini.during(
      () => user.generate('good', { tier: 'premium2' }),
      async () => void (await grant({ uid: user.uid, amount: 5, reason })),
    );
    gemini.script(geminiFault.promptBlocked());
    await gemini.during(
      () => user.generate('bad', { tier: 'premium4' }),
      async () => void (await grant({ uid: user.uid, amount: -9, reason })),
    );
    expect(await amounts(user.uid)).toEqual([10, -2, 5, -4, -9, 4]);
    expect((await user.get('account')).body.account.balance).toBe(4);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
  });
});

describe('the same key', () => {
  it('is the same grant: the same answer, marked as replayed, whatever happened since', async () => {
    const user = await opened(10);
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
      expect([again.status, again.body, replayed(again)]).toEqual([200, first.body, 'true']);
    }
    expect(await amounts(user.uid)).toEqual([10, 5, 100]);
  });

  it.each<[string, (uid: string) => object]>([
    ['another amount', (uid) => ({ uid, amount: 6, reason })],
    ['the amount taken instead', (uid) => ({ uid, amount: -5, reason })],
    ['another uid', () => ({ uid: 'somebody-else', amount: 5, reason })],
  ])('for %s is refused', async (_, next) => {
    const user = await opened(10);
    await stack.user('somebody-else', 10);
    const key = `key-${++keys}`;
    await grant({ uid: user.uid, amount: 5, reason }, { key });
    const refused = await grant(next(user.uid), { key });
    expect(getRefusal(refused)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(refused.body.error.status).toBe('INVALID_ARGUMENT');
    expect(await amounts(user.uid)).toEqual([10, 5]);
    expect((await stack.ledger('somebody-else')).entries).toEqual([]);
  });

  it('with another reason is the grant that it was', async () => {
    const user = await opened(10);
    const first = await grant({ uid: user.uid, amount: 5, reason }, { key: 'reasoned' });
    const again = await grant({ uid: user.uid, amount: 5, reason: 'put better' }, { key: 'reasoned' });
    expect([again.status, again.body, replayed(again)]).toEqual([200, first.body, 'true']);
  });

  it('is not used up by what was refused', async () => {
    const user = await opened(10);
    const body = { uid: user.uid, amount: -15, reason };
    expect((await grant(body, { key: 'later' })).status).toBe(402);
    await grant({ uid: user.uid, amount: 5, reason });
    const later = await grant(body, { key: 'later' });
    expect([later.status, replayed(later), later.body.account.balance]).toEqual([200, null, 0]);
  });

  it('twenty times at once, on two servers, is one entry', async () => {
    const user = await opened(10);
    const key = `key-${++keys}`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        grant({ uid: user.uid, amount: 5, reason }, { key, url: i % 2 ? other.url : stack.url }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter((answer) => replayed(answer) === null)).toHaveLength(1);
    expect(await amounts(user.uid)).toEqual([10, 5]);
  });

  it('is told from a grant that another server made in the same millisecond', async () => {
    const user = await opened(10);
    const [key, now] = [`key-${++keys}`, new Date()];
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
    expect([won?.status, won && replayed(won)]).toEqual([200, null]);
    expect([lost.status, lost.body, replayed(lost)]).toEqual([200, won?.body, 'true']);
    expect(await amounts(user.uid)).toEqual([10, 5]);
    await Promise.all([first.close(), second.close()]);
  });

  it('for two users at once is one grant and one refusal', async () => {
    const [ann, bob] = [await opened(10), await opened(10)];
    const key = `key-${++keys}`;
    const answers = await Promise.all([
      grant({ uid: ann.uid, amount: 5, reason }, { key }),
      grant({ uid: bob.uid, amount: 5, reason }, { key, url: other.url }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
    expect([...(await amounts(ann.uid)), ...(await amounts(bob.uid))].sort()).toEqual([10, 10, 5]);
  });
});

it('twenty grants at once, on two servers, all land', async () => {
  const user = await opened(10);
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

it('twenty that take at once never take below zero', async () => {
  const user = await opened(10);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      grant({ uid: user.uid, amount: -2, reason }, { url: i % 2 ? other.url : stack.url }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(5).fill(200), ...Array(15).fill(402)]);
  expect((await stack.ledger(user.uid)).account).toMatchObject({ balance: 0, settled: 0 });
  expect(await brokenInvariants(stack, user.uid)).toEqual([]);
});

describe('a grant is refused', () => {
  it('below zero, with what it takes and what there is', async () => {
    const user = await opened(10);
    const refused = await grant({ uid: user.uid, amount: -11, reason });
    expect(getRefusal(refused)).toEqual([402, 'INSUFFICIENT_CREDITS']);
    expect(refused.body.error.status).toBe('FAILED_PRECONDITION');
    expect(getErrorInfo(refused).metadata).toEqual({ required: '11', balance: '10', retry: 'no' });
    expect(await amounts(user.uid)).toEqual([10]);
    // A console edit that it met is recorded all the same, and counts.
    await stack.edit(user.path, { balance: 3 });
    const again = await grant({ uid: user.uid, amount: -4, reason });
    expect(getErrorInfo(again).metadata).toMatchObject({ required: '4', balance: '3' });
    expect(await amounts(user.uid)).toEqual([10, -7]);
  });

  it.each(['nobody', 'with space', 'a.b'])('to the uid %s that nobody has seen', async (uid) => {
    expect(getRefusal(await grant({ uid, amount: 5, reason }))).toEqual([404, 'NOT_FOUND']);
    expect(await stack.document(`accounts/${uid}`)).toBeUndefined();
  });

  it.each(['.', '..', '__reserved__'])('to the uid %s that no account can have', async (uid) => {
    expect([400, 404]).toContain((await grant({ uid, amount: 5, reason })).status);
  });

  it.each([
    ['balance', 'lots'],
    ['balance', -5],
    ['balance', 2.5],
    ['adjust', '5'],
  ])('to an account with an invalid %s, which stays as it is', async (field, value) => {
    const user = await opened(10);
    await stack.edit(user.path, { [field]: value });
    const before = await stack.document(user.path);
    const key = `key-${++keys}`;
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { key });
    expect(getRefusal(refused)).toEqual([409, 'ACCOUNT_INVALID']);
    expect(refused.body.error.status).toBe('FAILED_PRECONDITION');
    expect(await stack.document(user.path)).toEqual(before);
    await stack.edit(user.path, { balance: 20, adjust: undefined });
    expect((await grant({ uid: user.uid, amount: 5, reason }, { key })).body.account.balance).toBe(25);
  });

  const valid = { uid: 'whoever', amount: 5, reason };
  it.each<[string, unknown, string]>([
    ['an amount of 0', { ...valid, amount: 0 }, 'amount'],
    ['a fraction', { ...valid, amount: 1.5 }, 'amount'],
    ['an amount of text', { ...valid, amount: '5' }, 'amount'],
    ['a huge amount', { ...valid, amount: 1e15 }, 'amount'],
    ['a huge negative amount', { ...valid, amount: -1e15 }, 'amount'],
    ['no amount', { ...valid, amount: undefined }, 'amount'],
    ['no reason', { ...valid, reason: undefined }, 'reason'],
    ['an empty reason', { ...valid, reason: '' }, 'reason'],
    ['a blank reason', { ...valid, reason: ' \n' }, 'reason'],
    ['a reason without end', { ...valid, reason: 'x'.repeat(10_000) }, 'reason'],
    ['no uid', { ...valid, uid: undefined }, 'uid'],
    ['an empty uid', { ...valid, uid: '' }, 'uid'],
    ['a uid that is a path', { ...valid, uid: 'a/entries/b' }, 'uid'],
    ['a uid longer than there are', { ...valid, uid: 'x'.repeat(129) }, 'uid'],
    ['a field that it does not know', { ...valid, force: true }, 'force'],
  ])('for %s', async (_, body, field) => {
    const refused = await grant(body);
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(violated(refused)).toEqual([field]);
  });

  it.each([
    ['without a key', {}],
    ['with an empty key', { 'idempotency-key': '' }],
    ['with a key too long', { 'idempotency-key': 'x'.repeat(256) }],
  ])('%s', async (_, more) => {
    const headers = { authorization: 'Bearer owner', 'content-type': 'application/json', ...more };
    const refused = await stack.fetch('grant', { method: 'POST', headers, body: JSON.stringify(valid) });
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(violated(refused)).toEqual(['Idempotency-Key']);
  });

  it('over all the credits that an account can hold', async () => {
    const user = await opened(10);
    await stack.edit(user.path, { balance: 1_000_000_000_000 });
    const refused = await grant({ uid: user.uid, amount: 1, reason });
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect((await user.get('account')).status).toBe(200);
  });
});

describe('who may grant', () => {
  it('an admin by the claim, who is then named in the entry', async () => {
    const asked = answerLookups(stack);
    const user = await opened(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const { status, body } = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect([status, body.entry.actor]).toEqual([200, 'the-admin@example.com']);
    expect(asked).toEqual([
      { authorization: 'Bearer of-the-service-account', body: { localId: ['the-admin'] } },
    ]);
  });

  const later = String(Math.floor(Date.now() / 1000) + 3_600);
  it.each<[string, Lookup]>([
    ['was signed out everywhere', { validSince: later }],
    ['is disabled', { disabled: true }],
    ['is gone', null],
  ])('not an admin who %s', async (_, found) => {
    answerLookups(stack, () => found);
    const user = await opened(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect(getRefusal(refused)).toEqual([401, 'UNAUTHENTICATED']);
    expect(await amounts(user.uid)).toEqual([10]);
  });

  it('and where users cannot be looked up, that is no fault of the caller', async () => {
    answerLookups(stack, () => 'down');
    const user = await opened(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(await amounts(user.uid)).toEqual([10]);
  });

  it('nobody else', async () => {
    const user = await opened(10);
    const body = { uid: user.uid, amount: 5, reason };
    const callers: [who: string, token: string, status: number, reason: string][] = [
      ['nobody', '', 401, 'UNAUTHENTICATED'],
      ['a user, for itself', user.token, 403, 'FORBIDDEN'],
      ['a claim of text', await stack.tokenFor('x', { admin: 'true' }), 403, 'FORBIDDEN'],
      ['the scheduler', await schedulerToken(stack), 401, 'UNAUTHENTICATED'],
    ];
    for (const [who, token, status, why] of callers) {
      expect([who, ...getRefusal(await grant(body, { token }))]).toEqual([who, status, why]);
    }
    const get = await stack.fetch('grant', { headers: { authorization: 'Bearer owner' } });
    expect(getRefusal(get)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(await amounts(user.uid)).toEqual([10]);
  });
});

describe('an admin whose e-mail changes between a try and its repetition', () => {
  it('is the same admin: the grant is made once', async () => {
    answerLookups(stack);
    const user = await opened(10);
    const [before, after] = await Promise.all(
      ['old@example.com', 'new@example.com'].map((email) =>
        stack.tokenFor('the-admin', { admin: true, email }),
      ),
    );
    const body = { uid: user.uid, amount: 7, reason };
    await grant(body, { key: 'moving', token: before ?? '' });
    expect(replayed(await grant(body, { key: 'moving', token: after ?? '' }))).toBe('true');
    expect(await amounts(user.uid)).toEqual([10, 7]);
  });
});
