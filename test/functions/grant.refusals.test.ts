/** Which grants are refused, and who may grant. A refused grant moves nothing. */
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { answerLookups, type Lookup } from '../support/adminLookup.ts';
import { startGrants } from '../support/grants.ts';
import { getErrorInfo, getRefusal, getViolatedFields } from '../support/replies.ts';
import { schedulerToken } from '../support/scheduler.ts';

const grants = await startGrants();
const { stack, newKey, grant, getAmounts } = grants;
const reason = 'a gift';

afterEach(() => vi.unstubAllGlobals());
afterAll(grants.close);

describe('a grant is refused', () => {
  it('that makes the balance negative, with the required and the actual credits', async () => {
    const user = await stack.newAccount(10);
    const refused = await grant({ uid: user.uid, amount: -11, reason });
    expect(getRefusal(refused)).toEqual([402, 'INSUFFICIENT_CREDITS']);
    expect(refused.body.error.status).toBe('FAILED_PRECONDITION');
    expect(getErrorInfo(refused).metadata).toEqual({ required: '11', balance: '10', retry: 'no' });
    expect(await getAmounts(user.uid)).toEqual([10]);
    // An open console edit is recorded all the same, and counts.
    await stack.edit(user.path, { balance: 3 });
    const again = await grant({ uid: user.uid, amount: -4, reason });
    expect(getErrorInfo(again).metadata).toMatchObject({ required: '4', balance: '3' });
    expect(await getAmounts(user.uid)).toEqual([10, -7]);
  });

  it.each(['nobody', 'with space', 'a.b'])('to the unknown uid %s', async (uid) => {
    expect(getRefusal(await grant({ uid, amount: 5, reason }))).toEqual([404, 'NOT_FOUND']);
    expect(await stack.document(`accounts/${uid}`)).toBeUndefined();
  });

  it.each(['.', '..', '__reserved__'])('to the uid %s, which no account can have', async (uid) => {
    expect([400, 404]).toContain((await grant({ uid, amount: 5, reason })).status);
  });

  it.each([
    ['balance', 'lots'],
    ['balance', -5],
    ['balance', 2.5],
    ['adjust', '5'],
  ])('to an account with an invalid %s, which stays as it is', async (field, value) => {
    const user = await stack.newAccount(10);
    await stack.edit(user.path, { [field]: value });
    const before = await stack.document(user.path);
    const key = newKey();
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { key });
    expect(getRefusal(refused)).toEqual([409, 'ACCOUNT_INVALID']);
    expect(refused.body.error.status).toBe('FAILED_PRECONDITION');
    expect(await stack.document(user.path)).toEqual(before);
    await stack.edit(user.path, { balance: 20, adjust: undefined });
    expect((await grant({ uid: user.uid, amount: 5, reason }, { key })).body.account.balance).toBe(25);
  });

  const valid = { uid: 'anyone', amount: 5, reason };
  it.each<[string, unknown, string]>([
    ['an amount of 0', { ...valid, amount: 0 }, 'amount'],
    ['a fractional amount', { ...valid, amount: 1.5 }, 'amount'],
    ['an amount that is text', { ...valid, amount: '5' }, 'amount'],
    ['a huge amount', { ...valid, amount: 1e15 }, 'amount'],
    ['a huge negative amount', { ...valid, amount: -1e15 }, 'amount'],
    ['no amount', { ...valid, amount: undefined }, 'amount'],
    ['no reason', { ...valid, reason: undefined }, 'reason'],
    ['an empty reason', { ...valid, reason: '' }, 'reason'],
    ['a blank reason', { ...valid, reason: ' \n' }, 'reason'],
    ['a reason of 10,000 characters', { ...valid, reason: 'x'.repeat(10_000) }, 'reason'],
    ['no uid', { ...valid, uid: undefined }, 'uid'],
    ['an empty uid', { ...valid, uid: '' }, 'uid'],
    ['a uid that is a path', { ...valid, uid: 'a/entries/b' }, 'uid'],
    ['a uid that is too long', { ...valid, uid: 'x'.repeat(129) }, 'uid'],
    ['an unknown field', { ...valid, force: true }, 'force'],
  ])('for %s', async (_, body, field) => {
    const refused = await grant(body);
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(getViolatedFields(refused)).toEqual([field]);
  });

  it.each([
    ['without a key', {}],
    ['with an empty key', { 'idempotency-key': '' }],
    ['with a key that is too long', { 'idempotency-key': 'x'.repeat(256) }],
  ])('%s', async (_, more) => {
    const headers = { authorization: 'Bearer owner', 'content-type': 'application/json', ...more };
    const refused = await stack.fetch('grant', { method: 'POST', headers, body: JSON.stringify(valid) });
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(getViolatedFields(refused)).toEqual(['Idempotency-Key']);
  });

  it('that exceeds the largest balance of an account', async () => {
    const user = await stack.newAccount(10);
    await stack.edit(user.path, { balance: 1_000_000_000_000 });
    const refused = await grant({ uid: user.uid, amount: 1, reason });
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect((await user.get('account')).status).toBe(200);
  });
});

describe('who may grant', () => {
  it('an admin with the claim; the entry names the actor', async () => {
    const lookups = answerLookups(stack);
    const user = await stack.newAccount(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const { status, body } = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect([status, body.entry.actor]).toEqual([200, 'the-admin (the-admin@example.com)']);
    expect(lookups).toEqual([
      { authorization: 'Bearer of-the-service-account', body: { localId: ['the-admin'] } },
    ]);
  });

  const later = String(Math.floor(Date.now() / 1000) + 3_600);
  it.each<[string, Lookup]>([
    ['was signed out everywhere', { validSince: later }],
    ['is disabled', { disabled: true }],
    ['was deleted', null],
  ])('no admin who %s', async (_, found) => {
    answerLookups(stack, () => found);
    const user = await stack.newAccount(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect(getRefusal(refused)).toEqual([401, 'UNAUTHENTICATED']);
    expect(await getAmounts(user.uid)).toEqual([10]);
  });

  it('no admin whose claim was taken back, at once', async () => {
    answerLookups(stack, () => ({ customAttributes: '{}' }));
    const user = await stack.newAccount(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect(getRefusal(refused)).toEqual([403, 'FORBIDDEN']);
    expect(await getAmounts(user.uid)).toEqual([10]);
  });

  it('nobody while users cannot be looked up, and says when to try again', async () => {
    answerLookups(stack, () => 'down');
    const user = await stack.newAccount(10);
    const token = await stack.tokenFor('the-admin', { admin: true });
    const refused = await grant({ uid: user.uid, amount: 5, reason }, { token });
    expect(getRefusal(refused)).toEqual([503, 'AUTH_UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await getAmounts(user.uid)).toEqual([10]);
  });

  it('nobody else', async () => {
    const user = await stack.newAccount(10);
    const body = { uid: user.uid, amount: 5, reason };
    const callers: [who: string, token: string, status: number, reason: string][] = [
      ['nobody', '', 401, 'UNAUTHENTICATED'],
      ['a user for their own account', user.token, 403, 'FORBIDDEN'],
      ['a claim that is text', await stack.tokenFor('x', { admin: 'true' }), 403, 'FORBIDDEN'],
      ['the scheduler', await schedulerToken(stack), 401, 'UNAUTHENTICATED'],
    ];
    for (const [who, token, status, why] of callers) {
      expect([who, ...getRefusal(await grant(body, { token }))]).toEqual([who, status, why]);
    }
    const get = await stack.fetch('grant', { headers: { authorization: 'Bearer owner' } });
    expect(getRefusal(get)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(await getAmounts(user.uid)).toEqual([10]);
  });
});
