/** Handlers at the same time, lost replies and closed accounts: a payment counts once. */
import { describe, expect, it } from 'vitest';
import { CommitRejected } from '../../../shared/database/database.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPaymentStudio, startStripe } from '../../support/paymentStudio.ts';
import { lostReply, watchedDatabase } from '../../support/watchedDatabase.ts';

const completed = 'checkout.session.completed';

it('the webhook twice in two instances, and the return page at the same time, credit once', async () => {
  const world = createMemoryWorld();
  const one = await createPaymentStudio({ world });
  const two = await createPaymentStudio({ world, fake: one.stripe });
  const session = await one.buy();
  const event = one.event(completed);
  const answers = await Promise.all([
    one.deliver(event),
    two.deliver(event),
    two.confirm(session),
    one.confirm(session),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(one.entries()).toEqual([`purchase:${session} 100`]);
});

it('an event whose commit was made and whose reply was lost counts once', async () => {
  let lost = 0;
  const studio = await createPaymentStudio({
    faults: (database) =>
      watchedDatabase(database, {
        afterCommit(writes) {
          const isPayment = writes.some((write) => 'create' in write && write.create.includes('/purchases/'));
          if (isPayment && lost++ === 0) throw lostReply();
        },
      }).database,
  });
  const session = await studio.buy();
  expect((await studio.deliver(studio.event(completed))).status).toBe(200);
  expect(lost).toBe(1);
  expect(studio.entries()).toEqual([`purchase:${session} 100`]);
});

it('an event is answered with 2xx only if the commit was made', async () => {
  let isDown = false;
  const studio = await createPaymentStudio({
    faults: (database) => ({
      commit: async (writes) =>
        isDown ? Promise.reject(new CommitRejected('down')) : database.commit(writes),
    }),
  });
  const session = await studio.buy();
  isDown = true;
  expect((await studio.deliver(studio.event(completed))).status).toBe(503);
  isDown = false;
  expect(studio.entries()).toEqual([]);
  expect((await studio.deliver(studio.event(completed))).status).toBe(200);
  expect(studio.entries()).toEqual([`purchase:${session} 100`]);
});

it('a refund is answered with 503 while Stripe cannot say whose it is', async () => {
  const studio = await createPaymentStudio();
  const session = await studio.buy();
  await studio.deliver(studio.event(completed));
  studio.stripe.control.refund({ session });
  const event = studio.event('refund.created');
  await studio.stripe.close();
  expect((await studio.deliver(event)).status).toBe(503);
  expect(studio.entries()).toHaveLength(1);
});

describe('a closed account', () => {
  async function createClosed() {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    return { studio, session, close: () => studio.edit('accounts/ann', { closedAt: new Date() }) };
  }

  it('that pays is refunded at Stripe and reported', async () => {
    const { studio, session, close } = await createClosed();
    close();
    for (let i = 0; i < 2; i += 1) expect((await studio.deliver(studio.event(completed))).status).toBe(200);
    expect(studio.stripe.control.list({ table: 'refunds' }).refunds).toMatchObject([{ amount: 500 }]);
    expect(studio.findEvents('payment_for_closed_account')[0]).toMatchObject({
      uid: 'ann',
      sessionId: session,
    });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.entries()).toEqual([]);
  });

  it.each(['refund', 'dispute'] as const)(
    'that pays is reported after a %s, which stays as it is',
    async (kind) => {
      const { studio, session, close } = await createClosed();
      studio.stripe.control[kind]({ session });
      close();
      expect((await studio.deliver(studio.event(completed))).status).toBe(200);
      const reported = studio.findEvents('payment_for_closed_account').map(({ message }) => message);
      const what = kind === 'refund' ? 'was refunded' : 'is disputed';
      expect(reported).toEqual([`A user paid for a closed account; the payment ${what}`]);
      const refunds = kind === 'refund' ? 1 : 0;
      expect(studio.stripe.control.list({ table: 'refunds' }).refunds).toHaveLength(refunds);
    },
  );

  it('that was deleted in the console is closed again by a payment', async () => {
    const { studio, session } = await createClosed();
    await studio.deliver(studio.event(completed));
    const second = await studio.buy('starter', 'second');
    await studio.post('closeAccount', { confirm: 'CLOSE' });
    studio.world.store.commit([{ delete: 'accounts/ann' }]);
    await studio.deliver(studio.event(completed));
    expect(studio.account()).toMatchObject({ balance: 0, closedAt: expect.any(Date) });
    expect(studio.purchase(session)).toBeDefined();
    expect(studio.purchase(second)).toBeUndefined();
    expect(studio.broken()).toEqual([]);
  });

  it('whose refund fails is reported again, and the refund is not repeated before the job runs', async () => {
    const { studio, close } = await createClosed();
    close();
    await studio.deliver(studio.event(completed));
    studio.stripe.control.settleRefund({ outcome: 'failed' });
    studio.world.advance(2 * 86_400_000);
    await studio.deliver(studio.event('refund.failed'));
    expect(studio.findEvents('payment_for_closed_account').at(-1)?.message).toContain(
      'the refund has failed',
    );
    expect(studio.stripe.control.list({ table: 'refunds' }).refunds).toHaveLength(1);
    // Stripe has forgotten the key of the first refund.
    await studio.runJob('reconcilePayments');
    expect(studio.stripe.control.list({ table: 'refunds' }).refunds).toHaveLength(2);
  });

  it('that had paid before takes part in refunds as before', async () => {
    const { studio, session, close } = await createClosed();
    await studio.deliver(studio.event(completed));
    close();
    studio.stripe.control.refund({ session });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.entries().at(-1)).toMatch(/^clawback:re_\w+ -100$/);
    expect(studio.broken()).toEqual([]);
  });
});

describe('an account that an admin has spoilt', () => {
  it('with text for a balance gets its entries, and the text stays', async () => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    await studio.deliver(studio.event(completed));
    studio.edit('accounts/ann', { balance: 'many' });
    studio.stripe.control.refund({ session, amount: 250 });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.account()).toMatchObject({ balance: 'many', settled: 50 });
    studio.edit('accounts/ann', { balance: 80 });
    await studio.get('account');
    expect(studio.entries().at(-1)).toBe('adjustment:3 30');
  });

  it('with a wrong sequence and a lower balance is not taken below zero', async () => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    await studio.deliver(studio.event(completed));
    studio.edit('accounts/ann', { sequence: 7, balance: 10 });
    studio.stripe.control.refund({ session, amount: 250 });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.account()).toMatchObject({ balance: 0, debt: 40 });
    expect(studio.broken()).toEqual([]);
  });

  it('with a wrong sequence gets the entries with the right one', async () => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    await studio.deliver(studio.event(completed));
    studio.edit('accounts/ann', { sequence: 7 });
    studio.stripe.control.refund({ session });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.account()).toMatchObject({ sequence: 2, balance: 0 });
  });

  it.each([
    ['deleted', undefined],
    ['spoilt', { claim: 'none' }],
  ])('whose purchase was %s is reported, and Stripe tries again', async (_, fields) => {
    const stripe = await startStripe();
    const studio = await createPaymentStudio({ fake: stripe });
    const session = await studio.buy();
    await studio.deliver(studio.event(completed));
    const path = `accounts/ann/purchases/${session}`;
    if (fields) studio.edit(path, fields);
    else studio.world.store.commit([{ delete: path }]);
    expect((await studio.deliver(studio.event(completed))).status).toBe(200);
    studio.stripe.control.refund({ session });
    expect((await studio.deliver(studio.event('refund.created'))).status).toBe(500);
    expect(studio.entries()).toHaveLength(1);
    expect(studio.lines.at(-1)).toMatchObject({ severity: 'ERROR' });
  });
});

it('a dispute suspends the other accounts of the person too, and its end restores them', async () => {
  const studio = await createPaymentStudio();
  const bob = 'user:bob:mail';
  await studio.get('account', {}, bob);
  const session = await studio.buy('starter', 'key', 'user:ann:mail');
  studio.stripe.control.dispute({ session });
  await studio.deliver(studio.event('charge.dispute.funds_withdrawn'));
  expect(studio.read('accounts/bob')).toMatchObject({ suspended: true });
  expect((await studio.checkout('starter', 'key', bob)).status).toBe(403);
  studio.stripe.control.updateDispute({ step: 'won' });
  await studio.deliver(studio.event('charge.dispute.funds_reinstated'));
  expect(studio.read('accounts/bob')).toMatchObject({ suspended: false });
});
