/** Refunds and disputes: what they take, what they give back, and what is owed. */
import { describe, expect, it } from 'vitest';
import { createPaymentStudio, type PaymentStudio } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';
const withdrawn = 'charge.dispute.funds_withdrawn';
const reinstated = 'charge.dispute.funds_reinstated';
const env = { TIER_CREDITS: 'standard=60,premium2=61,premium4=62' };

async function createBuyer() {
  const studio = await createPaymentStudio({ env });
  const session = await studio.buy();
  await studio.deliver(studio.event(completed));
  return { studio, session, ...studio.stripe.control };
}

const amounts = (studio: PaymentStudio) =>
  studio.entries().map((entry) => entry.replace(/:(re|du|cs)_\w+/, ''));

describe('a refund', () => {
  it('takes its part, and the parts add up to the whole', async () => {
    const { studio, session, refund } = await createBuyer();
    for (const amount of [167, 167, 166]) {
      refund({ session, amount });
      await studio.deliver(studio.event('refund.created'));
    }
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -33', 'clawback -33', 'clawback -34']);
    expect(studio.broken()).toEqual([]);
  });

  it('that is on its way moves nothing until it has succeeded', async () => {
    const { studio, session, refund, settleRefund } = await createBuyer();
    refund({ session, outcome: 'pending' });
    await studio.deliver(studio.event('refund.created'));
    expect(amounts(studio)).toEqual(['purchase 100']);
    settleRefund({ outcome: 'succeeded' });
    await studio.deliver(studio.event('refund.updated'));
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100']);
  });

  it.each(['failed', 'canceled'] as const)('that %s after it succeeded is given back', async (outcome) => {
    const { studio, session, refund, settleRefund } = await createBuyer();
    refund({ session });
    await studio.deliver(studio.event('refund.created'));
    settleRefund({ outcome });
    await studio.deliver(studio.event('refund.updated'));
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100', 'reinstatement 100']);
    await studio.deliver(studio.event('refund.created'));
    expect(amounts(studio)).toHaveLength(3);
    expect(studio.account()).toMatchObject({ balance: 100 });
  });

  it('whose failure comes first writes both in one commit', async () => {
    const { studio, session, refund, settleRefund } = await createBuyer();
    refund({ session });
    settleRefund({ outcome: 'failed' });
    await studio.deliver(studio.event('refund.failed'));
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100', 'reinstatement 100']);
    await studio.deliver(studio.event('refund.created'));
    expect(studio.account()).toMatchObject({ balance: 100 });
  });

  it('that comes before its purchase records the purchase first', async () => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    studio.stripe.control.refund({ session, amount: 250 });
    await studio.deliver(studio.event('refund.created'));
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -50']);
    await studio.deliver(studio.event(completed));
    expect((await studio.confirm(session)).body).toMatchObject({
      status: 'paid',
      account: { balance: 50, sequence: 2 },
      entry: { id: `purchase:${session}`, sequence: 1, balance: 100 },
    });
  });
});

describe('a debt', () => {
  async function createDebtor() {
    const buyer = await createBuyer();
    await buyer.studio.generate('an image');
    buyer.refund({ session: buyer.session });
    await buyer.studio.deliver(buyer.studio.event('refund.created'));
    return buyer;
  }

  it('is what a refund could not take, and a repeat does not double it', async () => {
    const { studio } = await createDebtor();
    expect(amounts(studio).at(-1)).toBe('clawback -40');
    expect(studio.account()).toMatchObject({ balance: 0, debt: 60 });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.account()).toMatchObject({ balance: 0, debt: 60 });
  });

  it('is there too if the entry takes nothing', async () => {
    const { studio, session, refund } = await createBuyer();
    await studio.post('grant', { uid: 'ann', amount: -100, reason: 'Test' }, 'admin', 'take');
    refund({ session });
    for (let i = 0; i < 2; i += 1) await studio.deliver(studio.event('refund.created'));
    expect(amounts(studio).slice(-1)).toEqual(['clawback 0']);
    expect(studio.account()).toMatchObject({ balance: 0, debt: 100 });
  });

  it('is paid first by a purchase', async () => {
    const { studio } = await createDebtor();
    await studio.buy('starter', 'again');
    await studio.deliver(studio.event(completed));
    expect(amounts(studio).slice(-2)).toEqual(['purchase 100', 'purchase:debt -60']);
    expect(studio.entries().at(-1)).toMatch(/^purchase:cs_\w+:debt -60$/);
    expect(studio.account()).toMatchObject({ balance: 40, debt: 0 });
    expect(studio.broken()).toEqual([]);
  });

  it('is paid first by a grant, whose answer has its own entry', async () => {
    const { studio } = await createDebtor();
    const { body } = await studio.post('grant', { uid: 'ann', amount: 70, reason: 'Test' }, 'admin', 'give');
    const { sequence } = studio.account() as { sequence: number };
    expect(body).toMatchObject({
      account: { balance: 10, sequence },
      entry: { amount: 70, balance: 70, sequence: sequence - 1 },
    });
    expect(studio.account()).toMatchObject({ balance: 10, debt: 0 });
    expect(studio.broken()).toEqual([]);
  });

  it.each([
    ['used again', undefined],
    ['made again by hand', { balance: 5 }],
  ])('is known again after an admin has deleted the account, and it was %s', async (_, made) => {
    const { studio } = await createDebtor();
    studio.world.store.commit([{ delete: 'accounts/ann' }]);
    if (made) {
      studio.edit('accounts/ann', made);
      const { body } = await studio.get('audit', { uid: 'ann' }, 'admin');
      expect(body).toMatchObject({ accounts: [{ differences: [] }] });
    }
    await studio.get('account');
    expect(studio.account()).toMatchObject({ balance: made?.balance ?? 0, debt: 60 });
    expect(studio.broken()).toEqual([]);
  });

  it.each([
    ['edited', { credits: 1 }],
    ['spoilt', { credits: 'many' }],
    ['deleted', undefined],
  ])('is not made by a purchase that was %s before the account was deleted', async (_, fields) => {
    const { studio, session } = await createBuyer();
    const path = `accounts/ann/purchases/${session}`;
    if (fields) studio.edit(path, fields);
    else studio.world.store.commit([{ delete: path }]);
    studio.world.store.commit([{ delete: 'accounts/ann' }]);
    await studio.get('account');
    expect(studio.account()).toMatchObject({ balance: 0, settled: 0 });
    expect(studio.account()?.debt ?? 0).toBe(0);
  });

  it("is not paid by an admin's adjustment", async () => {
    const { studio } = await createDebtor();
    studio.edit('accounts/ann', { balance: 5 });
    await studio.get('account');
    expect(studio.account()).toMatchObject({ balance: 5, debt: 60 });
    expect(studio.broken()).toEqual([]);
  });
});

describe('a dispute', () => {
  it('takes the credits and suspends; won, it gives them back and restores', async () => {
    const { studio, session, dispute, updateDispute } = await createBuyer();
    dispute({ session });
    await studio.deliver(studio.event(withdrawn));
    expect(studio.account()).toMatchObject({
      balance: 0,
      suspended: true,
      suspendedFor: [expect.any(String)],
    });
    expect((await studio.generate('an image')).status).toBe(403);
    updateDispute({ step: 'won' });
    for (let i = 0; i < 2; i += 1) await studio.deliver(studio.event(reinstated));
    expect(studio.account()).toMatchObject({ balance: 100, suspended: false, suspendedFor: [] });
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100', 'reinstatement 100']);
  });

  it('that is only an inquiry takes nothing', async () => {
    const { studio, session, dispute, updateDispute } = await createBuyer();
    dispute({ session, inquiry: true });
    await studio.deliver(studio.event('charge.dispute.created'));
    updateDispute({ step: 'warning_closed' });
    await studio.deliver(studio.event('charge.dispute.closed'));
    expect(amounts(studio)).toEqual(['purchase 100']);
    expect(studio.account()?.suspended ?? false).toBe(false);
  });

  it('that is lost keeps the credits and the suspension', async () => {
    const { studio, session, dispute, updateDispute } = await createBuyer();
    dispute({ session });
    await studio.deliver(studio.event(withdrawn));
    updateDispute({ step: 'lost' });
    await studio.deliver(studio.event('charge.dispute.closed'));
    expect(studio.account()).toMatchObject({ balance: 0, suspended: true });
  });

  it('never claims more than was paid, whatever was refunded before, even if a part of it comes back', async () => {
    const { studio, session, dispute, refund, updateDispute } = await createBuyer();
    refund({ session, amount: 150 });
    await studio.deliver(studio.event('refund.created'));
    dispute({ session, amount: 500 });
    await studio.deliver(studio.event(withdrawn));
    expect(amounts(studio)).toEqual(['purchase 100', 'clawback -30', 'clawback -70']);
    updateDispute({ step: 'lost', returned: 150 });
    await studio.deliver(studio.event(reinstated));
    // Refunds and what the dispute keeps are together all that was paid.
    expect(amounts(studio).slice(-1)).toEqual(['reinstatement 0']);
    expect(studio.account()).toMatchObject({ balance: 0, suspended: true });
    expect(studio.broken()).toEqual([]);
  });

  it('of which a part comes back in another currency keeps the same part', async () => {
    const { studio, session, dispute, refund, updateDispute } = await createBuyer();
    refund({ session, amount: 150 });
    await studio.deliver(studio.event('refund.created'));
    dispute({ session, amount: 500 });
    await studio.deliver(studio.event(withdrawn));
    updateDispute({ step: 'lost', returned: 150 });
    const event = structuredClone(studio.event(reinstated)) as { data: { object: object } };
    const paidOut = [-460, 138].map((amount) => ({ amount, currency: 'eur' }));
    Object.assign(event.data.object, { balance_transactions: paidOut });
    await studio.deliver(event);
    expect(amounts(studio).slice(-1)).toEqual(['reinstatement 0']);
    expect(studio.account()).toMatchObject({ balance: 0, suspended: true });
  });

  it('of two leaves the account suspended until both are won', async () => {
    const { studio, session, dispute, updateDispute } = await createBuyer();
    const first = dispute({ session, amount: 100 });
    const second = dispute({ session, amount: 200 });
    for (const event of studio.stripe.events().filter(({ type }) => type === withdrawn)) {
      await studio.deliver(event);
    }
    expect(studio.account()).toMatchObject({ balance: 40, suspendedFor: [first.id, second.id] });
    updateDispute({ dispute: first.id, step: 'won' });
    await studio.deliver(studio.event(reinstated));
    expect(studio.account()).toMatchObject({ balance: 60, suspended: true });
    updateDispute({ dispute: second.id, step: 'won' });
    await studio.deliver(studio.event(reinstated));
    expect(studio.account()).toMatchObject({ balance: 100, suspended: false });
  });

  it("that is won does not lift an admin's suspension", async () => {
    const { studio, session, dispute, updateDispute } = await createBuyer();
    studio.edit('accounts/ann', { suspended: true });
    dispute({ session });
    await studio.deliver(studio.event(withdrawn));
    updateDispute({ step: 'won' });
    await studio.deliver(studio.event(reinstated));
    expect(studio.account()).toMatchObject({ balance: 100, suspended: true });
  });
});

describe('the audit', () => {
  const audit = async (studio: PaymentStudio) =>
    (await studio.get('audit', { uid: 'ann' }, 'admin:root')).body.accounts[0].differences;

  it('finds no difference in purchases, refunds and debts, and says what an edit of one breaks', async () => {
    const { studio, session, refund } = await createBuyer();
    await studio.generate('an image');
    refund({ session });
    await studio.deliver(studio.event('refund.created'));
    expect(await audit(studio)).toEqual([]);
    studio.edit('accounts/ann', { debt: 0 });
    expect(await audit(studio)).toEqual(['by its payments the account owes 60, debt is 0']);
    studio.edit('accounts/ann', { debt: 60 });
    studio.edit(`accounts/ann/purchases/${session}`, { claim: 99 });
    expect(await audit(studio)).toEqual(['by its payments the account owes 59, debt is 60']);
  });

  it('names a debt that is text', async () => {
    const { studio } = await createBuyer();
    studio.edit('accounts/ann', { debt: 'none' });
    expect(await audit(studio)).toEqual(['debt has a wrong type or an impossible value']);
  });
});

it('an account that was deleted in the console finds its suspended person again, also if a payment comes first', async () => {
  const studio = await createPaymentStudio();
  const session = await studio.buy('starter', 'key', 'user:ann:mail');
  await studio.get('account', {}, 'user:bob:mail');
  await studio.post('suspend', { uid: 'bob', suspended: true, reason: 'Test' }, 'admin:root');
  studio.world.store.commit([{ delete: 'accounts/ann' }]);
  await studio.deliver(studio.event(completed));
  expect(studio.purchase(session)).toMatchObject({ claim: 0 });
  expect(studio.account()).toMatchObject({ balance: 100, suspended: true, identities: ['mail'] });
});
