/** A suspension follows the person to every account, wherever it begins and ends. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { createMemoryWorld, toOutcome } from '../../support/memoryStudio.ts';
import { createPeople } from '../../support/people.ts';
import { lostReply } from '../../support/watchedDatabase.ts';

type People = ReturnType<typeof createPeople>;

const isSuspended = async ({ account }: People, as: string) => (await account(as)).suspended;
const outcome = (reply: Awaited<ReturnType<People['call']>>) => toOutcome(reply as never);

describe('suspend', () => {
  it('suspends every account of the person, also through identities that the named one does not have', async () => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:mail+phone', 'user:cat:phone', 'user:dan:other']) {
      await people.account(as);
    }
    const { status, body } = await people.suspend('ann', true);
    expect([status, body]).toEqual([
      200,
      { account: { uid: 'ann', balance: 10, sequence: 1, suspended: true } },
    ]);
    for (const uid of ['ann', 'bob', 'cat']) {
      expect(people.document(`accounts/${uid}`)).toMatchObject({ suspended: true });
      expect(outcome(await people.generate(`user:${uid}:unverified`, 'k'))).toEqual([
        403,
        'ACCOUNT_SUSPENDED',
      ]);
    }
    expect(await isSuspended(people, 'user:dan:other')).toBe(false);

    await people.suspend('cat', false);
    for (const uid of ['ann', 'bob', 'cat']) {
      expect(people.document(`accounts/${uid}`)).toMatchObject({ suspended: false });
      expect(people.document(`accounts/${uid}`)).not.toHaveProperty('suspendedAt');
    }
    expect((await people.generate('user:ann:mail', 'k')).status).toBe(200);
  });

  it('reaches the other accounts although an admin deletes the named one at the same moment', async () => {
    const world = createMemoryWorld();
    const people = createPeople(
      {},
      {
        world,
        faults: ({ commit }) => ({
          async commit(writes) {
            const version = await commit(writes);
            const suspends = writes.some(
              (write) => 'create' in write && write.create.startsWith('adminActions/'),
            );
            if (suspends) world.store.commit([{ delete: 'accounts/ann' }]);
            return version;
          },
        }),
      },
    );
    for (const as of ['user:ann:mail', 'user:bob:mail']) await people.account(as);
    expect((await people.suspend('ann', true)).status).toBe(200);
    expect(people.document('accounts/bob')).toMatchObject({ suspended: true });
  });

  it('reaches an account that meets the identity at the same moment, although the identity lists it already', async () => {
    const world = createMemoryWorld();
    const first = createPeople({}, { world });
    for (const as of ['user:ann:mail', 'user:bob:mail']) await first.account(as);
    first.remove('accounts/bob');
    let meetings = 0;
    const second = createPeople(
      {},
      {
        world,
        faults: ({ commit }) => ({
          async commit(writes) {
            const meets = writes.some(
              (write) => 'update' in write && write.update === 'accounts/bob' && write.data.identities,
            );
            // Only the identity so far: `suspend` goes on from there to the accounts.
            if (meets && meetings++ === 0)
              first.edit('identities/mail', { suspendedAt: new Date(world.clock.now()) });
            return commit(writes);
          },
        }),
      },
    );
    expect(await second.account('user:bob:mail')).toMatchObject({ suspended: true });
    expect(meetings).toBe(2);
  });

  it('records who changed what, and why; a repeated call changes nothing', async () => {
    const people = createPeople();
    await people.account('user:ann:mail');
    await people.suspend('ann', true, 'spam');
    await people.suspend('ann', true, 'spam again');
    await people.suspend('ann', false, 'a mistake');
    expect(people.documents('adminActions')).toEqual([
      { action: 'restore', actor: 'root', uid: 'ann', reason: 'a mistake', createdAt: expect.any(Date) },
      { action: 'suspend', actor: 'root', uid: 'ann', reason: 'spam', createdAt: expect.any(Date) },
    ]);
  });

  it('records one change if the reply of its commit is lost', async () => {
    let lost = 0;
    const people = createPeople(
      {},
      {
        faults: ({ commit }) => ({
          async commit(writes) {
            const version = await commit(writes);
            const isAction = writes.some(
              (write) => 'create' in write && write.create.startsWith('adminActions/'),
            );
            if (isAction && lost++ === 0) throw lostReply();
            return version;
          },
        }),
      },
    );
    await people.account('user:ann:mail');
    expect((await people.suspend('ann', true)).body.account).toMatchObject({ suspended: true });
    expect([lost, people.documents('adminActions').length]).toEqual([1, 1]);
  });

  it('finishes what a call that failed has left undone', async () => {
    let isBroken = true;
    const people = createPeople(
      {},
      {
        faults: ({ commit }) => ({
          async commit(writes) {
            const isOther = writes.some((write) => 'update' in write && write.update === 'accounts/bob');
            if (isOther && isBroken) throw lostReply();
            return commit(writes);
          },
        }),
      },
    );
    isBroken = false;
    for (const as of ['user:ann:mail', 'user:bob:mail+phone', 'user:cat:phone']) await people.account(as);
    isBroken = true;
    expect(outcome(await people.suspend('ann', true))).toEqual([503, 'DATABASE_UNAVAILABLE']);
    expect(people.document('accounts/cat')).not.toMatchObject({ suspended: true });
    isBroken = false;
    await people.suspend('ann', true);
    expect(people.document('accounts/cat')).toMatchObject({ suspended: true });
  });

  it('suspends an account that only an admin can correct, and one without identities', async () => {
    const people = createPeople();
    await people.account('user:ann:unverified');
    people.edit('accounts/ann', { balance: 'ten' });
    expect((await people.suspend('ann', true)).body.account).toMatchObject({
      balance: null,
      suspended: true,
    });
    expect(people.document('accounts/ann')).toMatchObject({ balance: 'ten', suspended: true });
  });

  it.each([
    ['an unknown uid', { uid: 'nobody', suspended: true, reason: 'r' }, [404, 'NOT_FOUND']],
    ['no reason', { uid: 'ann', suspended: true }, [400, 'INVALID_REQUEST']],
    ['an empty reason', { uid: 'ann', suspended: true, reason: ' ' }, [400, 'INVALID_REQUEST']],
    ['a long reason', { uid: 'ann', suspended: true, reason: 'r'.repeat(501) }, [400, 'INVALID_REQUEST']],
    ['text for suspended', { uid: 'ann', suspended: 'yes', reason: 'r' }, [400, 'INVALID_REQUEST']],
  ])('refuses %s', async (_, body, expected) => {
    expect(outcome(await createPeople().call('suspend', 'admin:root', body))).toEqual(expected);
  });
});

describe('a suspended person under a new uid', () => {
  it('is suspended at the first call of any function that creates the account', async () => {
    const people = createPeople();
    await people.account('user:ann:mail');
    await people.suspend('ann', true);
    expect(await isSuspended(people, 'user:bob:mail')).toBe(true);
    expect(outcome(await people.generate('user:cat:mail', 'k'))).toEqual([403, 'ACCOUNT_SUSPENDED']);
    expect(people.document('accounts/cat')).toMatchObject({ suspended: true });
  });

  it('is suspended under a document that an admin has made, with its credits', async () => {
    const people = createPeople();
    await people.account('user:ann:mail');
    await people.suspend('ann', true);
    people.edit('accounts/bob', { balance: 50 });
    people.edit('accounts/cat', { balance: 50 });
    expect(outcome(await people.generate('user:bob:mail', 'k'))).toEqual([403, 'ACCOUNT_SUSPENDED']);
    expect(await isSuspended(people, 'user:cat:mail')).toBe(true);
    expect(people.document('accounts/cat')).toMatchObject({ balance: 50 });
  });

  it('is refused by enhance, which creates no account', async () => {
    const people = createPeople();
    await people.account('user:ann:mail');
    await people.suspend('ann', true);
    people.edit('accounts/cat', { balance: 50 });
    for (const as of ['user:ann:mail', 'user:bob:mail', 'user:cat:phone+mail']) {
      expect(outcome(await people.enhance(as))).toEqual([403, 'ACCOUNT_SUSPENDED']);
    }
    expect(people.document('accounts/bob')).toBeUndefined();
  });

  it('is suspended after the account document was deleted in the console', async () => {
    const people = createPeople();
    await people.account('user:ann:mail');
    await people.suspend('ann', true);
    people.remove('accounts/ann');
    expect(await isSuspended(people, 'user:ann:mail')).toBe(true);
  });

  it('is restored by its uid after the account document was deleted in the console', async () => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:mail']) await people.account(as);
    await people.suspend('ann', true);
    people.remove('accounts/ann');
    await people.suspend('ann', false);
    for (const as of ['user:ann:mail', 'user:bob:mail', 'user:cat:mail']) {
      expect(await isSuspended(people, as)).toBe(false);
    }
  });

  it('stays suspended when it links an identity that was restored later', async () => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:phone']) await people.account(as);
    await people.suspend('ann', true);
    await people.suspend('bob', true);
    await people.suspend('bob', false);
    expect(await isSuspended(people, 'user:ann:mail+phone')).toBe(true);
    await people.runJob('reconcile');
    for (const as of ['user:ann:mail', 'user:bob:phone']) expect(await isSuspended(people, as)).toBe(true);
  });

  it('is suspended by linking it to an account that was restored before', async () => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:phone']) await people.account(as);
    await people.suspend('bob', true);
    await people.suspend('ann', true);
    await people.suspend('bob', false);
    expect(await isSuspended(people, 'user:bob:phone+mail')).toBe(true);
    await people.suspend('bob', false);
    expect(await isSuspended(people, 'user:ann:mail')).toBe(false);
  });

  it('takes a suspension of an anonymous account along', async () => {
    const people = createPeople();
    await people.account('user:ann:unverified');
    await people.suspend('ann', true);
    expect(await isSuspended(people, 'user:ann:mail')).toBe(true);
    expect(await isSuspended(people, 'user:bob:mail')).toBe(true);
  });
});

describe('an edit in the console', () => {
  it.each<[string, (people: People, uid: string, fields: Record<string, unknown>) => Promise<unknown>]>([
    ['the event', (people, uid, fields) => people.editDelivered(uid, fields)],
    [
      'reconcile',
      async (people, uid, fields) => {
        people.edit(`accounts/${uid}`, fields);
        await people.runJob('reconcile');
      },
    ],
    [
      "the event after the user's own call has noticed it",
      async (people, uid, fields) => {
        people.edit(`accounts/${uid}`, fields);
        const edited = people.document(`accounts/${uid}`);
        await people.account(`user:${uid}:mail`);
        await people.deliver(uid, edited);
      },
    ],
  ])('suspends and restores every account of the person, by %s', async (_, apply) => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:mail+phone', 'user:cat:phone']) await people.account(as);
    const states = () => ['ann', 'bob', 'cat'].map((uid) => people.document(`accounts/${uid}`)?.suspended);
    await apply(people, 'ann', { suspended: true });
    expect(states()).toEqual([true, true, true]);
    expect(await isSuspended(people, 'user:dan:phone')).toBe(true);
    await apply(people, 'ann', { suspended: removed });
    expect(states().map(Boolean)).toEqual([false, false, false]);
    expect(await isSuspended(people, 'user:eve:phone')).toBe(false);
    expect(people.documents('accounts').filter(({ suspended }) => suspended)).toEqual([]);
  });

  it('of before the identities suspends the person', async () => {
    const people = createPeople();
    people.edit('accounts/ann', { balance: 5, settled: 5, sequence: 0, suspended: true });
    expect(await isSuspended(people, 'user:ann:mail')).toBe(true);
    expect(await isSuspended(people, 'user:bob:mail')).toBe(true);
  });
});

it.each([true, false])(
  'the trigger comes to rest once every account agrees: suspended %s',
  async (suspended) => {
    const people = createPeople();
    for (const as of ['user:ann:mail', 'user:bob:mail+phone', 'user:cat:phone']) await people.account(as);
    await people.suspend('ann', true);
    await people.suspend('ann', suspended);
    people.advance(1_000);
    // Every write of an account that only an admin can correct is an event with an edit.
    for (const uid of ['ann', 'bob', 'cat']) people.edit(`accounts/${uid}`, { adjust: -1_000 });
    for (const uid of ['ann', 'bob', 'cat']) {
      const documents = () => ['ann', 'bob', 'cat'].map((one) => people.document(`accounts/${one}`));
      const before = documents();
      await people.deliver(uid, people.document(`accounts/${uid}`));
      expect(documents()).toEqual(before);
    }
  },
);

it('a lifted suspension does not come back through an account that is still suspended', async () => {
  let isBroken = false;
  const people = createPeople(
    { ALLOWANCE_CREDITS: '5' },
    {
      faults: ({ commit }) => ({
        async commit(writes) {
          const isOther = writes.some((write) => 'update' in write && write.update === 'accounts/bob');
          if (isOther && isBroken) throw lostReply();
          return commit(writes);
        },
      }),
    },
  );
  for (const as of ['user:ann:mail', 'user:bob:mail+phone']) await people.account(as);
  await people.suspend('ann', true);
  isBroken = true;
  await people.suspend('ann', false);
  isBroken = false;
  expect(people.document('accounts/bob')).toMatchObject({ suspended: true });
  // An account that was deleted knows only what its person's identities say, and the later decision counts.
  people.remove('accounts/ann');
  expect(await isSuspended(people, 'user:ann:mail')).toBe(false);
  expect(people.document('identities/phone')).toHaveProperty('restoredAt');
  // A new account keeps what the identity says.
  expect(await isSuspended(people, 'user:dan:mail')).toBe(false);
  // A new identity has the account look at its person.
  expect(await isSuspended(people, 'user:bob:mail+phone+google')).toBe(false);
  expect(await isSuspended(people, 'user:cat:phone')).toBe(false);
  await people.runJob('reconcile');
  expect(await isSuspended(people, 'user:ann:mail')).toBe(false);
});
