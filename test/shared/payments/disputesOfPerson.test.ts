/** A suspension for disputes belongs to the person: it lasts until the money of all their disputes is back. */
import { describe, expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { createPaymentStudio } from '../../support/paymentStudio.ts';

const withdrawn = 'charge.dispute.funds_withdrawn';
const reinstated = 'charge.dispute.funds_reinstated';

/** Neighbours share an identity: ann and bob the address, bob and cat the phone number. */
const callers = { ann: 'user:ann:mail', bob: 'user:bob:mail+phone', cat: 'user:cat:phone' };
type Uid = keyof typeof callers;
const uids = Object.keys(callers) as Uid[];

/** Users who have bought a pack each. */
async function createBuyers(...buyers: Uid[]) {
  const studio = await createPaymentStudio();
  const sessions = new Map<Uid, string>();
  for (const uid of buyers) {
    sessions.set(uid, await studio.buy('starter', uid, callers[uid]));
    await studio.deliver(studio.event('checkout.session.completed'));
  }
  const disputes = new Map<Uid, string>();
  const read = (uid: Uid) => studio.read(`accounts/${uid}`);
  const end = async (uid: Uid, step: 'won' | 'lost') => {
    studio.stripe.control.updateDispute({ dispute: disputes.get(uid) as string, step });
    if (step === 'won') await studio.deliver(studio.event(reinstated));
  };
  return {
    ...studio,
    buyers,
    async dispute(...disputed: Uid[]) {
      for (const uid of disputed) {
        const { id } = studio.stripe.control.dispute({ session: sessions.get(uid) as string });
        disputes.set(uid, id);
        await studio.deliver(studio.event(withdrawn));
      }
    },
    win: (uid: Uid) => end(uid, 'won'),
    lose: (uid: Uid) => end(uid, 'lost'),
    suspend: (uid: Uid, suspended: boolean) =>
      studio.post('suspend', { uid, suspended, reason: 'Test' }, 'admin:root'),
    remove: (uid: Uid) => void studio.world.store.commit([{ delete: `accounts/${uid}` }]),
    call: async (uid: Uid, as = callers[uid]) => (await studio.get('account', {}, as)).body.account,
    id: (uid: Uid) => disputes.get(uid),
    /** The users whose accounts are suspended. */
    suspended: () => uids.filter((uid) => read(uid)?.suspended === true),
    /** The disputes in every copy of the person's suspension. Undefined if copies differ. */
    standing() {
      const identities = ['mail', 'phone'].map((hash) => studio.read(`identities/${hash}`));
      const copies = [...uids.map(read), ...identities].filter((copy) => copy !== undefined);
      const [first, ...others] = new Set(copies.map((copy) => JSON.stringify(copy?.suspendedFor ?? [])));
      return others.length === 0 ? JSON.parse(first as string) : undefined;
    },
  };
}

type Buyers = Awaited<ReturnType<typeof createBuyers>>;
const idsOf = ({ id }: Buyers, ...disputed: Uid[]) => disputed.map(id);

describe('disputes of two accounts of a person', () => {
  it.each<[Uid, Uid]>([
    ['ann', 'bob'],
    ['bob', 'ann'],
  ])('suspend both until both are won, first that of %s', async (first, second) => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann', 'bob');
    expect(people.standing()).toEqual(idsOf(people, 'ann', 'bob'));
    await people.win(first);
    expect(people.suspended()).toEqual(['ann', 'bob']);
    expect(people.standing()).toEqual(idsOf(people, second));
    await people.win(second);
    expect(people.suspended()).toEqual([]);
    expect(people.standing()).toEqual([]);
    for (const uid of people.buyers) expect(people.read(`accounts/${uid}`)).toMatchObject({ balance: 100 });
  });

  it('suspend both for good if one is lost, until an admin restores', async () => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann', 'bob');
    await people.lose('ann');
    await people.win('bob');
    expect(people.suspended()).toEqual(['ann', 'bob']);
    expect(people.standing()).toEqual(idsOf(people, 'ann'));
    await people.suspend('bob', false);
    expect(people.suspended()).toEqual([]);
    expect(people.standing()).toEqual([]);
  });

  it('are recorded once, although every event comes twice', async () => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann', 'bob');
    const documents = () => ['accounts/ann', 'accounts/bob', 'identities/mail'].map(people.read);
    const before = documents();
    await people.deliver(people.event(withdrawn));
    const isFirst = ({ data }: object & { data: { object: object } }) =>
      (data.object as { id?: string }).id === people.id('ann');
    await people.deliver(people.event(withdrawn, isFirst));
    await people.runJob('reconcile');
    expect(documents()).toEqual(before);
    await people.win('ann');
    const after = documents();
    await people.deliver(people.event(reinstated));
    expect(documents()).toEqual(after);
  });
});

const orders: Uid[][] = [
  ['ann', 'bob', 'cat'],
  ['ann', 'cat', 'bob'],
  ['bob', 'ann', 'cat'],
  ['bob', 'cat', 'ann'],
  ['cat', 'ann', 'bob'],
  ['cat', 'bob', 'ann'],
];
it.each(orders)(
  'disputes of three accounts in a chain suspend all until all are won: %s, %s, %s',
  async (...order) => {
    const people = await createBuyers('ann', 'bob', 'cat');
    await people.dispute(...uids);
    for (const [i, uid] of order.entries()) {
      expect(people.suspended()).toEqual(uids);
      await people.win(uid);
      expect(people.standing()?.sort()).toEqual(idsOf(people, ...order.slice(i + 1)).sort());
    }
    expect(people.suspended()).toEqual([]);
  },
);

describe('an admin', () => {
  it('who suspends another account of the person outlasts the disputes', async () => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann');
    await people.suspend('bob', true);
    await people.dispute('bob');
    expect(people.standing()).toEqual([]);
    await people.win('ann');
    await people.win('bob');
    expect(people.suspended()).toEqual(['ann', 'bob']);
    await people.suspend('ann', false);
    expect(people.suspended()).toEqual([]);
  });

  it('who restores lifts every dispute that stands, and none of later', async () => {
    const people = await createBuyers('ann', 'bob', 'cat');
    await people.dispute('ann', 'bob');
    await people.suspend('bob', false);
    expect(people.suspended()).toEqual([]);
    await people.dispute('cat');
    expect(people.standing()).toEqual(idsOf(people, 'cat'));
    // What they took back before counts no more.
    await people.win('ann');
    expect(people.suspended()).toEqual(uids);
    await people.win('cat');
    expect(people.suspended()).toEqual([]);
    await people.win('bob');
    expect(people.suspended()).toEqual([]);
  });

  it('who restores in the console lifts every dispute too', async () => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann', 'bob');
    people.edit('accounts/bob', { suspended: false });
    await people.runJob('reconcile');
    expect(people.suspended()).toEqual([]);
    expect(people.standing()).toEqual([]);
  });
});

describe('an account that was deleted in the console', () => {
  it.each(['its user', 'the end of the dispute'])(
    'is restored by its dispute, if %s comes first',
    async (who) => {
      const people = await createBuyers('ann');
      await people.dispute('ann');
      people.remove('ann');
      if (who === 'its user') expect(await people.call('ann')).toMatchObject({ suspended: true });
      await people.win('ann');
      expect(people.suspended()).toEqual([]);
      expect(people.standing()).toEqual([]);
    },
  );

  it('knows the disputes of the others', async () => {
    const people = await createBuyers('ann', 'bob');
    await people.dispute('ann', 'bob');
    people.remove('ann');
    await people.win('ann');
    expect(people.suspended()).toEqual(['ann', 'bob']);
    expect(people.standing()).toEqual(idsOf(people, 'bob'));
    await people.win('bob');
    expect(people.suspended()).toEqual([]);
  });
});

describe('an account that meets the identity while disputes stand', () => {
  it('is suspended for them, if it is new', async () => {
    const people = await createBuyers('ann');
    await people.dispute('ann');
    expect(await people.call('bob', 'user:bob:mail')).toMatchObject({ suspended: true });
    expect(people.standing()).toEqual(idsOf(people, 'ann'));
    await people.win('ann');
    expect(people.suspended()).toEqual([]);
  });

  it('is suspended for its own too', async () => {
    const people = await createBuyers('ann', 'cat');
    await people.dispute('ann', 'cat');
    await people.call('cat', 'user:cat:phone+mail');
    await people.win('ann');
    expect(people.suspended()).toEqual(['ann', 'cat']);
    expect(people.standing()).toEqual(idsOf(people, 'cat'));
    await people.win('cat');
    expect(people.suspended()).toEqual([]);
  });

  it.each(['identity', 'account'])("takes over an admin's suspension of the %s", async (suspended) => {
    const people = await createBuyers('ann', 'cat');
    const [byAdmin, disputed]: [Uid, Uid] = suspended === 'identity' ? ['ann', 'cat'] : ['cat', 'ann'];
    await people.suspend(byAdmin, true);
    await people.dispute(disputed);
    await people.call('cat', 'user:cat:phone+mail');
    await people.win(disputed);
    await people.runJob('reconcile');
    expect(people.suspended()).toEqual(['ann', 'cat']);
    expect(people.standing()).toEqual([]);
  });
});

it('documents of before the identities kept disputes are restored by the dispute', async () => {
  const people = await createBuyers('ann', 'bob');
  await people.dispute('ann');
  for (const hash of ['mail', 'phone']) people.edit(`identities/${hash}`, { suspendedFor: removed });
  people.edit('accounts/bob', { suspendedFor: removed });
  await people.call('bob', 'user:bob:mail+phone+google');
  expect(people.suspended()).toEqual(['ann', 'bob']);
  await people.win('ann');
  expect(people.suspended()).toEqual([]);
  expect(people.standing()).toEqual([]);
});

describe.each([null, 'du_1', 7])('disputes that an admin has replaced by %j', (suspendedFor) => {
  it.each(['accounts/ann', 'identities/mail'])("count as an admin's suspension in %s", async (path) => {
    const people = await createBuyers('ann');
    await people.dispute('ann');
    people.edit(path, { suspendedFor });
    if (path !== 'accounts/ann') people.remove('ann');
    await people.win('ann');
    expect(people.suspended()).toEqual(['ann']);
  });
});
