/** The audit: does the ledger add up, and if not, where it does not, in words. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { encodePng } from '../../local/fakes/png.ts';
import { type Audit, auditSchema } from '../../shared/contract.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { refusalOf, runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Reply, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack(schedulerEnv);
  stack.gemini.always(geminiFault.image(await encodePng(new Uint8Array(8 * 8 * 4), 8, 8)));
});
afterAll(() => stack.close());
beforeEach(async () => {
  const documents = `projects/${stack.projectId}/databases/(default)/documents`;
  await fetch(`http://${inject('firestoreHost')}/emulator/v1/${documents}`, { method: 'DELETE' });
});
afterEach(() => vi.unstubAllGlobals());

const audit = (query = '', token = 'owner', url?: string): Promise<Reply> =>
  stack.fetch(`audit${query}`, { headers: { authorization: `Bearer ${token}` } }, url);

/** The audit of one account. */
async function auditOf(uid: string): Promise<Audit> {
  const { status, body } = await audit(`?uid=${encodeURIComponent(uid)}`);
  expect(status).toBe(200);
  expect(body).toEqual({ accounts: [expect.objectContaining({ uid })] });
  return auditSchema.parse(body.accounts[0]);
}

/** An account with 10 credits given, one image of 2 and one of 1. */
async function spender(uid: string) {
  const user = await stack.user(uid, 10);
  for (const [key, tier] of [
    ['a', 'premium2'],
    ['b', 'standard'],
  ] as const)
    expect((await user.generate(key, { tier })).status).toBe(200);
  return user;
}

const sound = { ok: true, differences: [] };

describe('an account that adds up', () => {
  it('after images, a refund, a deletion, a grant and an edit', async () => {
    const user = await spender('ann');
    stack.gemini.script(geminiFault.noImage('SAFETY'));
    expect((await user.generate('c', { tier: 'premium4' })).status).toBe(422);
    const { id } = (await user.generate('d')).body.generation;
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    await stack.edit('accounts/ann', { adjust: 4 });
    await user.get('account');
    // 39,000 micro-dollars for each of the images that were painted, the deleted one too.
    expect(await auditOf('ann')).toEqual({
      uid: 'ann',
      balance: 10,
      settled: 10,
      sum: 10,
      // Three images, and the 5 tokens of a prompt that was blocked, at $0.30 for a million tokens.
      providerCostMicros: 117_002,
      ...sound,
    });
  });

  it('an image that was painted and could not be stored has its cost, though it was refunded', async () => {
    const user = await stack.user('ann', 10);
    stack.cloudinary.script({
      action: 'upload',
      kind: 'reply',
      status: 500,
      body: { error: { message: 'x' } },
    });
    expect((await user.generate('k')).status).toBe(502);
    expect(await auditOf('ann')).toMatchObject({
      balance: 10,
      sum: 10,
      providerCostMicros: 39_000,
      ...sound,
    });
  });

  it('while an image is painted', async () => {
    const user = await stack.user('ann', 10);
    stack.gemini.script(geminiFault.hang());
    void user.generate('k', { tier: 'premium4' }).catch(() => undefined);
    await expect.poll(async () => (await stack.document('accounts/ann'))?.balance).toBe(6);
    expect(await auditOf('ann')).toMatchObject({ balance: 6, settled: 6, sum: 6, ...sound });
  });

  it('with a console edit that no entry tells of yet, which it does not record', async () => {
    await spender('ann');
    await stack.edit('accounts/ann', { balance: 74, adjust: 1 });
    expect(await auditOf('ann')).toMatchObject({ balance: 74, settled: 7, sum: 7, ...sound });
    expect(await stack.document('accounts/ann')).toMatchObject({ balance: 74, settled: 7, adjust: 1 });
  });

  it('made by hand, and not used yet', async () => {
    await stack.user('ann', 74);
    expect(await auditOf('ann')).toEqual({
      uid: 'ann',
      balance: 74,
      settled: 0,
      sum: 0,
      providerCostMicros: 0,
      ...sound,
    });
  });

  it('deleted and made again by hand, and not used yet', async () => {
    await spender('ann');
    await stack.erase('accounts/ann');
    await stack.edit('accounts/ann', { balance: 50 });
    expect(await auditOf('ann')).toMatchObject({ balance: 50, sum: 7, ...sound });
  });

  it('deleted and come back by its use', async () => {
    const user = await spender('ann');
    await stack.erase('accounts/ann');
    expect((await user.get('account')).status).toBe(200);
    expect(await auditOf('ann')).toMatchObject({ balance: 0, settled: 0, sum: 0, ...sound });
  });
});

describe('an account that does not add up is told of in words, and not touched', () => {
  const entryOf = async (uid: string, sequence: number) => {
    const entry = (await stack.ledger(uid)).entries.find((each) => each.sequence === sequence);
    return `accounts/${uid}/entries/${entry?.id}`;
  };

  it.each<[string, () => Promise<unknown>, Partial<Audit>, RegExp[]]>([
    [
      'settled was changed',
      () => stack.edit('accounts/ann', { balance: 9, settled: 9 }),
      { balance: 9, settled: 9, sum: 7 },
      [/7.*9/],
    ],
    [
      'an entry was deleted',
      async () => stack.erase(await entryOf('ann', 2)),
      { settled: 7, sum: 9 },
      [/9.*7/, /2.*3/, /1.*3/],
    ],
    [
      "an entry's amount was changed",
      async () => stack.edit(await entryOf('ann', 2), { amount: -1 }),
      { settled: 7, sum: 8 },
      [/8.*7/, /2.*3/],
    ],
    [
      'the first entry was changed',
      async () => stack.edit(await entryOf('ann', 1), { amount: 1_000 }),
      { sum: 997 },
      [/997.*7/],
    ],
    ['sequence was changed', () => stack.edit('accounts/ann', { sequence: 9 }), { sum: 7 }, [/3.*9/]],
    [
      'the sequence has a gap',
      async () => stack.edit(await entryOf('ann', 3), { sequence: 5 }),
      { sum: 7 },
      [/sequence|gap/],
    ],
    [
      'a price was changed',
      async () => {
        const { generations } = await stack.ledger('ann');
        const two = generations.find(({ credits }) => credits === 2);
        const receipt = new Map(Object.entries({ ...two?.receipt, charged: 1 }));
        const [document] = (await stack.database.read([`accounts/ann/generations/${two?.id}`])).documents;
        if (!document) throw new Error('There is no generation');
        const data = { receipt: Object.fromEntries(receipt) };
        return stack.database.commit([{ update: document.path, data, at: document.version }]);
      },
      { sum: 7 },
      [/3.*2/],
    ],
    [
      'the balance is text',
      () => stack.edit('accounts/ann', { balance: '7' }),
      { balance: '7' },
      [/balance/],
    ],
    [
      'the balance is negative',
      () => stack.edit('accounts/ann', { balance: -7 }),
      { balance: -7 },
      [/balance/],
    ],
    [
      'the balance is a fraction',
      () => stack.edit('accounts/ann', { balance: 7.5 }),
      { balance: 7.5 },
      [/balance/],
    ],
    [
      'the balance is gone',
      () => stack.edit('accounts/ann', { balance: undefined }),
      { balance: null },
      [/balance/],
    ],
    ['adjust is a fraction', () => stack.edit('accounts/ann', { adjust: 0.5 }), { balance: 7 }, [/adjust/]],
  ])('%s', async (_, tamper, facts, words) => {
    await spender('ann');
    await tamper();
    const before = await stack.ledger('ann');
    const told = await auditOf('ann');
    expect(told).toMatchObject({ ok: false, ...facts });
    for (const word of words) expect(told.differences.join('\n')).toMatch(word);
    for (const difference of told.differences) expect(difference).toMatch(/^\S+( \S+){3,}$/);
    expect(await stack.ledger('ann')).toEqual(before);
    // Reconciling sees the same.
    const { body } = await runJob(stack, 'reconcile');
    expect(body.broken).toMatchObject([{ uid: 'ann', ok: false, differences: told.differences }]);
  });
});

describe('all accounts', () => {
  it('come page by page, each once', async () => {
    const uids = ['ann', 'bob', 'cleo', 'dan', 'eve'];
    for (const uid of uids) await stack.user(uid, 10);
    await spender('cleo');
    await stack.edit('accounts/cleo', { balance: 'oops' });
    const seen: Audit[] = [];
    let token: string | undefined;
    const sizes = [];
    do {
      const { status, body } = await audit(
        `?pageSize=2${token ? `&pageToken=${encodeURIComponent(token)}` : ''}`,
      );
      expect(status).toBe(200);
      seen.push(...body.accounts);
      sizes.push(body.accounts.length);
      token = body.nextPageToken;
    } while (token !== undefined && sizes.length < 10);
    expect(sizes).toEqual([2, 2, 1]);
    expect(seen.map(({ uid }) => uid)).toEqual(uids);
    expect(seen.filter(({ ok }) => !ok).map(({ uid }) => uid)).toEqual(['cleo']);
  });

  it('come twenty at a time where nothing else is asked, and no token follows the last', async () => {
    const data = { balance: 1 };
    const name = (i: number) => `user-${String(i).padStart(2, '0')}`;
    await stack.database.commit(
      Array.from({ length: 25 }, (_, i) => ({ create: `accounts/${name(i)}`, data })),
    );
    const first = await audit();
    expect(first.body.accounts).toHaveLength(20);
    const second = await audit(`?pageToken=${first.body.nextPageToken}`);
    expect(second.body.accounts.map(({ uid }: Audit) => uid)).toEqual([20, 21, 22, 23, 24].map(name));
    expect(second.body).not.toHaveProperty('nextPageToken');
    expect((await audit('?pageSize=25')).body).not.toHaveProperty('nextPageToken');
    expect((await audit('?pageSize=100')).body.accounts).toHaveLength(25);
  });

  it('are none where there is none', async () => {
    expect((await audit()).body).toEqual({ accounts: [] });
  });

  it('go on after an account that was deleted meanwhile', async () => {
    for (const uid of ['ann', 'bob', 'cleo']) await stack.user(uid, 10);
    const { nextPageToken } = (await audit('?pageSize=2')).body;
    await stack.erase('accounts/bob');
    expect((await audit(`?pageToken=${nextPageToken}`)).body.accounts).toMatchObject([{ uid: 'cleo' }]);
  });

  it('are summed by the database: entries are not read one by one', async () => {
    await spender('ann');
    const counting = countingDatabase(stack.database);
    const server = await stack.startServer({}, { database: counting.database });
    const cost = async () => {
      counting.reset();
      await audit('', 'owner', server.url);
      return { documents: counting.documentsRead(), trips: counting.trips.length };
    };
    const before = await cost();
    const data = { sequence: 1, type: 'grant', amount: 0, balance: 0, createdAt: new Date() };
    await stack.database.commit(
      Array.from({ length: 300 }, (_, i) => ({ create: `accounts/ann/entries/old-${i}`, data })),
    );
    expect(await cost()).toEqual(before);
    await server.close();
  });
});

describe('a request is refused', () => {
  it.each([
    ['?pageSize=0', 'pageSize'],
    ['?pageSize=101', 'pageSize'],
    ['?pageSize=1.5', 'pageSize'],
    ['?pageSize=many', 'pageSize'],
    ['?pageToken=', 'pageToken'],
    ['?pageToken=!!!!', 'pageToken'],
    [`?pageToken=${Buffer.from('a/b').toString('base64url')}`, 'pageToken'],
    [`?pageToken=${Buffer.from('.').toString('base64url')}`, 'pageToken'],
    [`?pageToken=${Buffer.from('__x__').toString('base64url')}`, 'pageToken'],
    [`?pageToken=${Buffer.from([0xff, 0xfe]).toString('base64url')}`, 'pageToken'],
    ['?uid=', 'uid'],
    ['?uid=a/b', 'uid'],
    [`?uid=${'x'.repeat(129)}`, 'uid'],
    ['?user=ann', 'user'],
    ['?uid=ann&uid=bob', 'uid'],
  ])('%s', async (query, field) => {
    await stack.user('ann', 10);
    const refused = await audit(query);
    expect(refusalOf(refused)).toEqual([400, 'INVALID_REQUEST']);
    const [, { fieldViolations }] = refused.body.error.details;
    expect(new Set(fieldViolations.map((violation: { field: string }) => violation.field))).toEqual(
      new Set([field]),
    );
  });

  it('for a uid that no account has', async () => {
    expect(refusalOf(await audit('?uid=nobody'))).toEqual([404, 'NOT_FOUND']);
  });

  it.each(['.', '..', '__reserved__'])('for the uid %s, which no account can have', async (uid) => {
    expect([400, 404]).toContain((await audit(`?uid=${uid}`)).status);
  });

  it('for everybody but an admin who is not revoked', async () => {
    const user = await stack.user('ann', 10);
    const admin = await stack.tokenFor('the-admin', { admin: true });
    let revoked = false;
    answerLookups(stack, () => ({ disabled: revoked }));
    expect((await audit('?uid=ann', admin)).status).toBe(200);
    revoked = true;
    const callers: [string, string, number, string][] = [
      ['nobody', '', 401, 'UNAUTHENTICATED'],
      ['the user itself', user.token, 403, 'FORBIDDEN'],
      ['an admin that was revoked', admin, 401, 'UNAUTHENTICATED'],
      ['the scheduler', await schedulerToken(stack), 401, 'UNAUTHENTICATED'],
    ];
    for (const [who, token, status, reason] of callers) {
      expect([who, ...refusalOf(await audit('?uid=ann', token))]).toEqual([who, status, reason]);
    }
    const posted = await stack.fetch('audit', {
      method: 'POST',
      headers: { authorization: 'Bearer owner' },
    });
    expect(refusalOf(posted)).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });
});
