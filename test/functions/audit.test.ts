/** The audit: whether the ledger of an account adds up, and if not, the differences in words. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { type Audit, auditSchema } from '../../shared/contract.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { countingDatabase } from '../support/countingDatabase.ts';
import { getRefusal, getViolatedFields, type Reply } from '../support/replies.ts';
import { runJob, schedulerEnv, schedulerToken } from '../support/scheduler.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack(schedulerEnv);
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());
beforeEach(() => stack.clear());
afterEach(() => vi.unstubAllGlobals());

const audit = (query = '', token = 'owner', url?: string): Promise<Reply> =>
  stack.fetch(`audit${query}`, { headers: { authorization: `Bearer ${token}` } }, url);

/** The audit of one account. */
async function getAudit(uid: string): Promise<Audit> {
  const { status, body } = await audit(`?uid=${encodeURIComponent(uid)}`);
  expect(status).toBe(200);
  expect(body).toEqual({ accounts: [expect.objectContaining({ uid })] });
  return auditSchema.parse(body.accounts[0]);
}

/** An account of 10 credits with one image for 2 and one for 1. */
async function createSpender(uid: string) {
  const user = await stack.user(uid, 10);
  for (const [key, tier] of [
    ['a', 'premium2'],
    ['b', 'standard'],
  ] as const)
    expect((await user.generate(key, { tier })).status).toBe(200);
  return user;
}

const noDifferences = { ok: true, differences: [] };

describe('an account that adds up', () => {
  it('after images, a refund, a deletion, a grant and an edit', async () => {
    const user = await createSpender('ann');
    stack.gemini.script(geminiFault.noImage('SAFETY'));
    expect((await user.generate('c', { tier: 'premium4' })).status).toBe(422);
    const { id } = (await user.generate('d')).body.generation;
    expect((await user.post('deleteGeneration', { id })).status).toBe(200);
    await stack.edit('accounts/ann', { adjust: 4 });
    await user.get('account');
    // 39,000 micro-dollars for each generated image, the deleted one too.
    expect(await getAudit('ann')).toEqual({
      uid: 'ann',
      balance: 10,
      settled: 10,
      sum: 10,
      // Three images, and the 5 tokens of a prompt that was blocked, at $0.30 for a million tokens.
      providerCostMicros: 117_002,
      ...noDifferences,
    });
  });

  it('with a refunded image that was generated but not stored, whose cost counts', async () => {
    const user = await stack.user('ann', 10);
    const step = {
      action: 'upload' as const,
      kind: 'reply' as const,
      status: 500,
      body: { error: { message: 'x' } },
    };
    stack.cloudinary.script(step, step);
    expect((await user.generate('k')).status).toBe(502);
    expect(await getAudit('ann')).toMatchObject({
      balance: 10,
      sum: 10,
      providerCostMicros: 39_000,
      ...noDifferences,
    });
  });

  it('during a generation', async () => {
    const user = await stack.user('ann', 10);
    stack.gemini.script(geminiFault.hang());
    void user.generate('k', { tier: 'premium4' }).catch(() => undefined);
    await expect.poll(async () => (await stack.document('accounts/ann'))?.balance).toBe(6);
    expect(await getAudit('ann')).toMatchObject({ balance: 6, settled: 6, sum: 6, ...noDifferences });
  });

  it('with an open console edit, which the audit does not record', async () => {
    await createSpender('ann');
    await stack.edit('accounts/ann', { balance: 74, adjust: 1 });
    expect(await getAudit('ann')).toMatchObject({ balance: 74, settled: 7, sum: 7, ...noDifferences });
    expect(await stack.document('accounts/ann')).toMatchObject({ balance: 74, settled: 7, adjust: 1 });
  });

  it('made by hand and not used yet', async () => {
    await stack.user('ann', 74);
    expect(await getAudit('ann')).toEqual({
      uid: 'ann',
      balance: 74,
      settled: 0,
      sum: 0,
      providerCostMicros: 0,
      ...noDifferences,
    });
  });

  it('deleted, made again by hand and not used yet', async () => {
    await createSpender('ann');
    await stack.erase('accounts/ann');
    await stack.edit('accounts/ann', { balance: 50 });
    expect(await getAudit('ann')).toMatchObject({ balance: 50, sum: 7, ...noDifferences });
  });

  it('deleted and recreated by its use', async () => {
    const user = await createSpender('ann');
    await stack.erase('accounts/ann');
    expect((await user.get('account')).status).toBe(200);
    expect(await getAudit('ann')).toMatchObject({ balance: 0, settled: 0, sum: 0, ...noDifferences });
  });
});

describe('an account that does not add up is reported in words and left as it is', () => {
  const findEntryPath = async (uid: string, sequence: number) => {
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
      async () => stack.erase(await findEntryPath('ann', 2)),
      { settled: 7, sum: 9 },
      [/9.*7/, /2.*3/, /1.*3/],
    ],
    [
      "an entry's amount was changed",
      async () => stack.edit(await findEntryPath('ann', 2), { amount: -1 }),
      { settled: 7, sum: 8 },
      [/8.*7/, /2.*3/],
    ],
    [
      'the first entry was changed',
      async () => stack.edit(await findEntryPath('ann', 1), { amount: 1_000 }),
      { sum: 997 },
      [/997.*7/],
    ],
    ['sequence was changed', () => stack.edit('accounts/ann', { sequence: 9 }), { sum: 7 }, [/3.*9/]],
    [
      'the sequence has a gap',
      async () => stack.edit(await findEntryPath('ann', 3), { sequence: 5 }),
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
      'the balance is missing',
      () => stack.edit('accounts/ann', { balance: undefined }),
      { balance: null },
      [/balance/],
    ],
    ['adjust is a fraction', () => stack.edit('accounts/ann', { adjust: 0.5 }), { balance: 7 }, [/adjust/]],
  ])('%s', async (_, tamper, facts, words) => {
    await createSpender('ann');
    await tamper();
    const before = await stack.ledger('ann');
    const audited = await getAudit('ann');
    expect(audited).toMatchObject({ ok: false, ...facts });
    for (const word of words) expect(audited.differences.join('\n')).toMatch(word);
    for (const difference of audited.differences) expect(difference).toMatch(/^\S+( \S+){3,}$/);
    expect(await stack.ledger('ann')).toEqual(before);
    // `reconcile` reports the same.
    const { body } = await runJob(stack, 'reconcile');
    expect(body.broken).toMatchObject([{ uid: 'ann', ok: false, differences: audited.differences }]);
  });
});

describe('all accounts', () => {
  it('come page by page, each once', async () => {
    const uids = ['ann', 'bob', 'cleo', 'dan', 'eve'];
    for (const uid of uids) await stack.user(uid, 10);
    await createSpender('cleo');
    await stack.edit('accounts/cleo', { balance: 'oops' });
    const audits: Audit[] = [];
    let token: string | undefined;
    const sizes = [];
    do {
      const { status, body } = await audit(
        `?pageSize=2${token ? `&pageToken=${encodeURIComponent(token)}` : ''}`,
      );
      expect(status).toBe(200);
      audits.push(...body.accounts);
      sizes.push(body.accounts.length);
      token = body.nextPageToken;
    } while (token !== undefined && sizes.length < 10);
    expect(sizes).toEqual([2, 2, 1]);
    expect(audits.map(({ uid }) => uid)).toEqual(uids);
    expect(audits.filter(({ ok }) => !ok).map(({ uid }) => uid)).toEqual(['cleo']);
  });

  it('come twenty to a page by default, and no token follows the last page', async () => {
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

  it('are an empty list if there are none', async () => {
    expect((await audit()).body).toEqual({ accounts: [] });
  });

  it('continue after an account that was deleted between two pages', async () => {
    for (const uid of ['ann', 'bob', 'cleo']) await stack.user(uid, 10);
    const { nextPageToken } = (await audit('?pageSize=2')).body;
    await stack.erase('accounts/bob');
    expect((await audit(`?pageToken=${nextPageToken}`)).body.accounts).toMatchObject([{ uid: 'cleo' }]);
  });

  it('are summed by the database, without reading each entry', async () => {
    await createSpender('ann');
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
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect(getViolatedFields(refused)).toEqual([field]);
  });

  it('for a uid that no account has', async () => {
    expect(getRefusal(await audit('?uid=nobody'))).toEqual([404, 'NOT_FOUND']);
  });

  it.each(['.', '..', '__reserved__'])('for the uid %s, which no account can have', async (uid) => {
    expect([400, 404]).toContain((await audit(`?uid=${uid}`)).status);
  });

  it('for everyone but an admin who is not revoked', async () => {
    const user = await stack.user('ann', 10);
    const admin = await stack.tokenFor('the-admin', { admin: true });
    let revoked = false;
    answerLookups(stack, () => ({ disabled: revoked }));
    expect((await audit('?uid=ann', admin)).status).toBe(200);
    revoked = true;
    const callers: [string, string, number, string][] = [
      ['nobody', '', 401, 'UNAUTHENTICATED'],
      ['the user itself', user.token, 403, 'FORBIDDEN'],
      ['a revoked admin', admin, 401, 'UNAUTHENTICATED'],
      ['the scheduler', await schedulerToken(stack), 401, 'UNAUTHENTICATED'],
    ];
    for (const [who, token, status, reason] of callers) {
      expect([who, ...getRefusal(await audit('?uid=ann', token))]).toEqual([who, status, reason]);
    }
    const posted = await stack.fetch('audit', {
      method: 'POST',
      headers: { authorization: 'Bearer owner' },
    });
    expect(getRefusal(posted)).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });
});
