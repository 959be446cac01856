/** What a person gets once, and what follows them to every account. */
import { describe, expect, it } from 'vitest';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPeople } from '../../support/people.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

describe('signup credits', () => {
  it('come once in five rounds of deleting the user and signing in again', async () => {
    const { account } = createPeople();
    const balances = [];
    for (const round of [1, 2, 3, 4, 5]) balances.push((await account(`user:uid${round}:google`)).balance);
    expect(balances).toEqual([10, 0, 0, 0, 0]);
  });

  it('come once if the account document is deleted in the console as well', async () => {
    const { account, remove } = createPeople();
    await account('user:uid1:google');
    remove('accounts/uid1');
    for (const path of ['entries/signup']) remove(`accounts/uid1/${path}`);
    expect((await account('user:uid1:google')).balance).toBe(0);
    expect((await account('user:uid2:google')).balance).toBe(0);
  });

  it('do not come to an account made by hand that is deleted before its first use', async () => {
    const { account, edit, remove, runJob } = createPeople();
    edit('accounts/ann', { balance: 5 });
    await runJob('reconcile');
    remove('accounts/ann');
    expect(await account('user:ann:google')).toMatchObject({ balance: 0, sequence: 2 });
  });

  it('are refused if any identity has had them, and the others are added', async () => {
    const { account, document } = createPeople();
    await account('user:ann:mail');
    expect((await account('user:bob:mail+phone')).balance).toBe(0);
    expect((await account('user:cat:phone')).balance).toBe(0);
    expect(document('identities/phone')?.uids).toEqual(['ann', 'bob', 'cat']);
  });

  it('come when an anonymous account is linked, once for the person', async () => {
    const { account } = createPeople();
    expect((await account('user:ann:unverified')).balance).toBe(0);
    expect((await account('user:ann:google')).balance).toBe(10);
    expect((await account('user:bob:unverified')).balance).toBe(0);
    expect((await account('user:bob:google')).balance).toBe(0);
  });

  it('come once after the address has changed, under the old one too', async () => {
    const { account } = createPeople();
    await account('user:ann:old');
    expect((await account('user:ann:new')).balance).toBe(10);
    expect((await account('user:bob:old')).balance).toBe(0);
    expect((await account('user:cat:new')).balance).toBe(0);
  });

  it('come once for two first calls at once, under two uids and in two instances', async () => {
    const world = createMemoryWorld();
    const [one, other] = [createPeople({}, { world }), createPeople({}, { world })];
    const accounts = await Promise.all([
      one.account('user:ann:google'),
      other.account('user:bob:google+mail'),
    ]);
    expect(accounts.map(({ balance }) => balance).sort()).toEqual([0, 10]);
  });

  it('come once if the reply of their commit is lost', async () => {
    let lost = 0;
    const { account } = createPeople(
      {},
      {
        faults: ({ commit }) => ({
          async commit(writes) {
            const version = await commit(writes);
            const isGrant = writes.some((write) => 'create' in write && write.create.endsWith('/signup'));
            if (isGrant && lost++ === 0) throw lostReply();
            return version;
          },
        }),
      },
    );
    expect((await account('user:ann:google')).balance).toBe(10);
    expect(lost).toBe(1);
    expect((await account('user:bob:google')).balance).toBe(0);
  });

  it('count as given to an account of before, which writes its identities at its next call', async () => {
    const { account, edit, document } = createPeople();
    edit('accounts/ann', { balance: 7, settled: 7, sequence: 0, email: 'unverified@example.com' });
    expect(await account('user:ann:google')).toMatchObject({ balance: 7 });
    expect(document('identities/google')).toMatchObject({ uids: ['ann'], signupAt: expect.any(Date) });
    expect((await account('user:bob:google')).balance).toBe(0);
  });
});

describe('an unverified address of before goes at the next call', () => {
  type People = ReturnType<typeof createPeople>;
  it.each<[string, (people: People) => Promise<{ status: number }>, number]>([
    ['of account', ({ call }) => call('account', 'user:ann:unverified'), 200],
    ['of generate', ({ generate }) => generate('user:ann:unverified', 'k'), 200],
    ['of acceptTerms', ({ call }) => call('acceptTerms', 'user:ann:unverified', { version: '1' }), 200],
  ])('%s', async (_, call, status) => {
    const people = createPeople({ TERMS_VERSION: '1' });
    const terms = { version: '1', acceptedAt: new Date() };
    people.edit('accounts/ann', { balance: 7, settled: 7, sequence: 0, email: 'old@example.com', terms });
    expect((await call(people)).status).toBe(status);
    expect(people.document('accounts/ann')).not.toHaveProperty('email');
  });

  it('even if that is refused, and a new address replaces it', async () => {
    const { generate, edit, document } = createPeople();
    edit('accounts/ann', { balance: 0, settled: 0, sequence: 0, email: 'old@example.com' });
    expect((await generate('user:ann', 'k')).status).toBe(402);
    expect(document('accounts/ann')).toMatchObject({ email: 'ann@example.com' });
  });
});

it('a person gets one allowance in a period, over two accounts', async () => {
  const allowance = { SIGNUP_CREDITS: '0', ALLOWANCE_CREDITS: '5', ALLOWANCE_PERIOD: 'week' };
  const { account, runJob, advance } = createPeople(allowance);
  expect((await account('user:ann:google')).balance).toBe(5);
  expect((await account('user:bob:google')).balance).toBe(0);
  await runJob('refillAllowances');
  expect((await account('user:bob:google')).balance).toBe(0);
  advance(7 * 86_400_000);
  expect((await account('user:bob:google')).balance).toBe(5);
  await runJob('refillAllowances');
  expect((await account('user:ann:google')).balance).toBe(5);
  expect((await account('user:ann:google')).sequence).toBe(1);
});

it('a person gets one allowance in a period after the configuration has changed to another kind', async () => {
  const world = createMemoryWorld();
  const env = { SIGNUP_CREDITS: '0', ALLOWANCE_CREDITS: '5' };
  const before = createPeople({ ...env, ALLOWANCE_PERIOD: 'month' }, { world });
  for (const as of ['user:ann:phone', 'user:bob:phone+mail']) await before.account(as);
  const after = createPeople({ ...env, ALLOWANCE_PERIOD: 'day' }, { world });
  after.edit('accounts/ann', { balance: 0 });
  expect((await after.account('user:ann:phone')).balance).toBe(5);
  // The document of bob's address still has the month.
  expect((await after.account('user:bob:phone+mail')).balance).toBe(0);
});

it('a person gets no second allowance from the job if the call dies that creates a deleted account again', async () => {
  const world = createMemoryWorld();
  const env = { ALLOWANCE_CREDITS: '50', ALLOWANCE_PERIOD: 'week' };
  const { account, edit, remove, runJob, document } = createPeople(env, { world });
  expect((await account('user:ann:google')).balance).toBe(50);
  await account('user:bob:google');
  edit('accounts/bob', { adjust: 3 });
  await account('user:bob:google');
  remove('accounts/bob');
  let isDead = false;
  const dying = createPeople(env, {
    world,
    faults: (database) => ({
      async read(paths) {
        if (isDead) throw new Error('dead');
        return database.read(paths);
      },
      async commit(writes) {
        isDead = true;
        return database.commit(writes);
      },
    }),
  });
  expect((await dying.call('account', 'user:bob:google')).status).toBe(500);
  expect(document('accounts/bob')).toMatchObject({ balance: 0 });
  await runJob('refillAllowances');
  expect(document('accounts/bob')).toMatchObject({ balance: 0 });
  expect(await account('user:bob:google')).toMatchObject({ balance: 0 });
});

it('a user who is not verified gets no allowance from the job after an admin has deleted the account and granted credits', async () => {
  const { account, call, edit, remove, runJob, document } = createPeople({ ALLOWANCE_CREDITS: '50' });
  await account('user:ann:unverified');
  edit('accounts/ann', { adjust: 3 });
  await account('user:ann:unverified');
  remove('accounts/ann');
  const granted = { uid: 'ann', amount: 2, reason: 'sorry' };
  expect((await call('grant', tokens.admin('root'), granted, 'key')).status).toBe(200);
  await runJob('refillAllowances');
  expect(document('accounts/ann')).toMatchObject({ balance: 2 });
});

describe('a document that an admin has spoilt', () => {
  it.each(['yes', 0, false])('with signupAt %j counts as one with signup credits', async (signupAt) => {
    const { account, edit } = createPeople();
    await account('user:ann:google');
    edit('identities/google', { signupAt });
    expect((await account('user:bob:google')).balance).toBe(0);
  });

  it.each(['yes', 0, false])('with suspendedAt %j suspends', async (suspendedAt) => {
    const { account, edit, enhance } = createPeople();
    await account('user:ann:google');
    edit('identities/google', { suspendedAt });
    expect((await enhance('user:bob:google')).status).toBe(403);
    expect(await account('user:bob:google')).toMatchObject({ suspended: true });
  });

  it('keeps the accounts that can be read', async () => {
    const { account, edit, document, suspend } = createPeople();
    await account('user:ann:google');
    edit('identities/google', { uids: ['ann', 5, 'a/b', ''] });
    await account('user:bob:google');
    expect(document('identities/google')?.uids).toEqual(['ann', 'bob']);
    await suspend('bob', true);
    expect(document('accounts/ann')).toMatchObject({ suspended: true });
  });

  it('says nothing with null', async () => {
    const { account, edit } = createPeople();
    edit('identities/google', { uids: null, signupAt: null, suspendedAt: null });
    expect(await account('user:ann:google')).toMatchObject({ balance: 10, suspended: false });
  });
});

describe('a key that is replaced', () => {
  it('finds the document of the old one, writes the new one, and keeps both up to date', async () => {
    const { account, document, suspend } = createPeople();
    await account('user:ann:old');
    expect((await account('user:bob:new<old')).balance).toBe(0);
    expect(document('identities/new')).toMatchObject({ uids: ['ann', 'bob'], signupAt: expect.any(Date) });
    // Ann has not come back since, so that her account knows the old name only.
    await suspend('ann', true);
    expect(await account('user:bob:new<old')).toMatchObject({ suspended: true });
    expect(await account('user:cat:new<old')).toMatchObject({ suspended: true });
    await suspend('cat', false);
    for (const as of ['user:ann:new<old', 'user:bob:new<old', 'user:dan:new<old', 'user:eve:new']) {
      expect(await account(as)).toMatchObject({ suspended: false });
    }
  });

  it('creates no document under the old one', async () => {
    const { account, document } = createPeople();
    await account('user:ann:new<old');
    expect(document('identities/old')).toBeUndefined();
    expect((await account('user:ann:new')).balance).toBe(10);
  });
});

describe('round trips and documents', () => {
  it('a hold of a known person reads nothing of the person', async () => {
    const reads: string[][] = [];
    const { account, generate } = createPeople(
      {},
      {
        faults: ({ read }) => ({
          read(paths) {
            reads.push([...paths]);
            return read(paths);
          },
        }),
      },
    );
    await account('user:ann:google');
    expect(reads.filter((paths) => paths.some((path) => path.startsWith('identities/')))).toHaveLength(1);
    reads.length = 0;
    expect((await generate('user:ann:google', 'k')).status).toBe(200);
    expect(reads.flat().filter((path) => path.startsWith('identities/'))).toEqual([]);
  });
});
