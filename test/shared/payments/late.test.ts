/** Payments that are recorded long after they were made: what Stripe has taken back since counts too. */
import { expect, it } from 'vitest';
import { removed } from '../../../shared/database/database.ts';
import { createPaymentStudio, type PaymentStudio } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';
const dayMs = 86_400_000;

/** A paid session of which no event has arrived. */
async function createUnreached() {
  const studio = await createPaymentStudio();
  return { studio, session: await studio.buy(), ...studio.stripe.control };
}

const amounts = (studio: PaymentStudio) =>
  studio.entries().map((entry) => entry.replace(/:(re|du|cs)_\w+/, ''));
const isList = ({ path }: { path: string }) => path === '/v1/refunds' || path === '/v1/disputes';

it('an event that is sent again after its payment was refunded gives no credits', async () => {
  const { studio, session, refund, settleRefund } = await createUnreached();
  refund({ session, amount: 100 });
  settleRefund({ outcome: 'failed' });
  refund({ session, amount: 250 });
  studio.world.advance(10 * dayMs);
  refund({ session, amount: 250, outcome: 'pending' });
  await studio.deliver(studio.event(completed));
  expect(amounts(studio)).toHaveLength(4);
  expect(studio.account()).toMatchObject({ balance: 50 });
  settleRefund({ outcome: 'succeeded' });
  await studio.deliver(studio.event('refund.updated'));
  expect(studio.account()).toMatchObject({ balance: 0 });
  expect(studio.broken()).toEqual([]);
});

it('what was taken back is recorded in the commit of the purchase: no crash can come between them', async () => {
  let commits = 0;
  const studio = await createPaymentStudio({
    faults: (database) => ({
      commit: (writes) => {
        commits += writes.some((write) => 'create' in write && write.create.includes('/entries/')) ? 1 : 0;
        return database.commit(writes);
      },
    }),
  });
  const session = await studio.buy();
  for (const amount of [250, 100]) studio.stripe.control.refund({ session, amount });
  studio.stripe.control.dispute({ session, amount: 150 });
  studio.world.advance(10 * dayMs);
  await studio.deliver(studio.event(completed));
  expect(amounts(studio).sort()).toEqual(['clawback -20', 'clawback -30', 'clawback -50', 'purchase 100']);
  expect(commits).toBe(1);
  expect(studio.broken()).toEqual([]);
});

it('a dispute that records its purchase late records older refunds too', async () => {
  const { studio, session, refund, dispute } = await createUnreached();
  refund({ session, amount: 250 });
  refund({ session, amount: 50 });
  studio.world.advance(10 * dayMs);
  dispute({ session, amount: 150 });
  for (let i = 0; i < 2; i += 1) await studio.deliver(studio.event('charge.dispute.funds_withdrawn'));
  expect(amounts(studio).sort()).toEqual(['clawback -10', 'clawback -30', 'clawback -50', 'purchase 100']);
  expect(studio.account()).toMatchObject({ balance: 10, suspended: true });
  expect(studio.broken()).toEqual([]);
});

it('an old event of a refund that has failed since takes nothing', async () => {
  const { studio, session, refund, settleRefund } = await createUnreached();
  refund({ session });
  const created = studio.event('refund.created');
  settleRefund({ outcome: 'failed' });
  studio.world.advance(10 * dayMs);
  await studio.deliver(created);
  expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100', 'reinstatement 100']);
});

it('a lost dispute of which a part came back takes the rest', async () => {
  const { studio, session, dispute, updateDispute } = await createUnreached();
  dispute({ session });
  updateDispute({ step: 'lost', returned: 150 });
  studio.world.advance(10 * dayMs);
  await studio.deliver(studio.event(completed));
  expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100', 'reinstatement 30']);
  expect(studio.account()).toMatchObject({ balance: 30, suspended: true });
});

it('the return page of a disputed payment suspends, and of an inquiry does not', async () => {
  const { studio, session, dispute } = await createUnreached();
  const other = await studio.buy('studio');
  dispute({ session });
  dispute({ session: other, inquiry: true });
  studio.world.advance(10 * dayMs);
  expect((await studio.confirm(other)).body).toMatchObject({ status: 'paid', account: { balance: 500 } });
  expect(studio.account()?.suspended ?? false).toBe(false);
  expect((await studio.confirm(session)).body).toMatchObject({
    status: 'paid',
    account: { balance: 500 },
    entry: { id: `purchase:${session}`, amount: 100 },
  });
  expect(amounts(studio)).toEqual(['purchase 500', 'purchase 100', 'clawback -100']);
  expect(studio.account()).toMatchObject({ suspended: true });
});

it('an account that was refunded while it was closed gets no credits when it is open again', async () => {
  const { studio, session } = await createUnreached();
  studio.edit('accounts/ann', { closedAt: new Date() });
  await studio.deliver(studio.event(completed));
  await studio.deliver(studio.event('refund.created'));
  studio.edit('accounts/ann', { closedAt: removed as never });
  studio.world.advance(10 * dayMs);
  await studio.confirm(session);
  expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100']);
});

it('the comparison records no purchase without a refund that is as old', async () => {
  const { studio, session, refund } = await createUnreached();
  refund({ session });
  studio.world.advance(4.5 * dayMs);
  await studio.runJob('reconcilePayments');
  expect(amounts(studio)).toEqual(['purchase 100', 'clawback -100']);
});

it('nothing is recorded while Stripe does not answer', async () => {
  const { studio, session } = await createUnreached();
  const event = studio.event(completed);
  studio.world.advance(10 * dayMs);
  await studio.stripe.close();
  expect((await studio.deliver(event)).status).toBe(503);
  expect([studio.entries(), studio.purchase(session)]).toEqual([[], undefined]);
});

it('Stripe is asked for refunds once, and not at all within the first hour', async () => {
  const { studio, session } = await createUnreached();
  await studio.deliver(studio.event(completed));
  expect(studio.stripe.requests.filter(isList)).toHaveLength(0);
  const late = await studio.buy('starter', 'late');
  studio.world.advance(dayMs);
  for (let i = 0; i < 2; i += 1) await studio.deliver(studio.event(completed));
  for (const one of [session, late]) await studio.confirm(one);
  expect(studio.stripe.requests.filter(isList)).toHaveLength(2);
  expect(amounts(studio)).toEqual(['purchase 100', 'purchase 100']);
});
