/** The comparison with Stripe: what lost webhooks left out, and what only a person can decide. */
import { describe, expect, it } from 'vitest';
import { stripeFault } from '../../../local/fakes/stripe/faults.ts';
import { jobTimeoutMs } from '../../../shared/database/jobs.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPaymentStudio, type PaymentStudio, startStripe } from '../../support/paymentStudio.ts';

const run = async (studio: PaymentStudio) => (await studio.runJob('reconcilePayments')).body;
const dayMs = 86_400_000;

/** A studio that no event has ever reached. */
async function createUnreached() {
  const studio = await createPaymentStudio();
  return { studio, ...studio.stripe.control };
}

async function bought(studio: PaymentStudio): Promise<string> {
  const session = await studio.buy();
  await studio.deliver(studio.event('checkout.session.completed'));
  return session;
}

describe('heals', () => {
  it('a purchase, a refund and a dispute without an event, once', async () => {
    const { studio, refund, dispute } = await createUnreached();
    const [first, second, third] = [
      await studio.buy('starter', '1'),
      await studio.buy('starter', '2'),
      await studio.buy('studio', '3'),
    ];
    refund({ session: first, amount: 250 });
    dispute({ session: second });
    const result = await run(studio);
    expect(result).toMatchObject({ healed: 5, broken: [] });
    expect(studio.account()).toMatchObject({ balance: 550, suspended: true });
    expect(studio.purchase(third)).toMatchObject({ claim: 0 });
    expect(studio.broken()).toEqual([]);
    expect(await run(studio)).toMatchObject({ healed: 0, broken: [] });
    expect(studio.lines.at(-1)).toMatchObject({ event: 'job_finished', healed: 0 });
  });

  it('what failed or was won, and takes nothing for an inquiry', async () => {
    const { studio, refund, settleRefund, dispute, updateDispute } = await createUnreached();
    const [first, second, third] = [
      await studio.buy('starter', '1'),
      await studio.buy('starter', '2'),
      await studio.buy('starter', '3'),
    ];
    refund({ session: first });
    settleRefund({ outcome: 'failed' });
    dispute({ session: second });
    updateDispute({ step: 'won' });
    dispute({ session: third, inquiry: true });
    await run(studio);
    expect(studio.account()).toMatchObject({ balance: 300 });
    expect(studio.account()?.suspended ?? false).toBe(false);
    expect(studio.entries()).toHaveLength(7);
    expect(studio.broken()).toEqual([]);
  });

  it('a payment that arrives long after its session, by its event', async () => {
    const world = createMemoryWorld();
    const studio = await createPaymentStudio({ world });
    const { sessionId: session } = (await studio.checkout()).body;
    studio.stripe.control.pay({ session, later: true });
    world.advance(12 * dayMs);
    studio.stripe.control.settlePayment({ session });
    expect(await run(studio)).toMatchObject({ healed: 1 });
    expect(studio.entries()).toEqual([`purchase:${session} 100`]);
  });

  it('the last four days only', async () => {
    const world = createMemoryWorld();
    const studio = await createPaymentStudio({ world });
    await studio.buy();
    world.advance(6 * dayMs);
    expect(await run(studio)).toEqual({ checked: 0, healed: 0, broken: [] });
  });
});

/** Writes where the last call stopped. */
const stopAt = (studio: PaymentStudio, cursor: { stage: string; after?: string }) =>
  studio.edit('jobs/reconcilePayments', {
    after: Buffer.from(JSON.stringify(cursor)).toString('base64url'),
  });

describe('reports and does not touch', () => {
  it('more purchases without a payment than fit on a page', async () => {
    const { studio } = await createUnreached();
    const paid = studio.purchase(await bought(studio)) as object;
    for (let i = 0; i < 101; i += 1) studio.edit(`accounts/ann/purchases/cs_test_${i}`, paid as never);
    expect((await run(studio)).broken).toHaveLength(101);
  });

  it('credits without a payment', async () => {
    const { studio } = await createUnreached();
    const { sessionId: open } = (await studio.checkout()).body;
    const session = await studio.buy('starter', 'paid');
    await run(studio);
    const paid = studio.purchase(session) as object;
    for (const id of [open, 'cs_test_made_up']) studio.edit(`accounts/ann/purchases/${id}`, paid as never);
    const { broken } = await run(studio);
    const problem = 'credited, but not paid';
    expect(broken).toEqual(
      expect.arrayContaining([
        { object: open, uid: 'ann', problem },
        { object: 'cs_test_made_up', uid: 'ann', problem },
      ]),
    );
    expect(studio.findEvents('payment_broken')).toHaveLength(2);
    expect(studio.account()).toMatchObject({ balance: 100 });
  });

  it('a payment of another amount, once', async () => {
    const { studio, pay } = await createUnreached();
    const { sessionId: session } = (await studio.checkout()).body;
    pay({ session, amountTotal: 1 });
    const { broken } = await run(studio);
    expect(broken).toEqual([{ object: session, uid: 'ann', problem: expect.stringContaining('paid 1 usd') }]);
  });

  it('a payment for a closed account, which it refunds', async () => {
    const { studio, list } = await createUnreached();
    const session = await studio.buy();
    studio.edit('accounts/ann', { closedAt: new Date() });
    const { broken } = await run(studio);
    expect(broken).toMatchObject([{ object: session, uid: 'ann' }]);
    expect(list({ table: 'refunds' }).refunds).toHaveLength(1);
  });

  it('what it could not handle, and goes on with the others', async () => {
    const { studio, refund } = await createUnreached();
    const first = await studio.buy('starter', '1');
    await run(studio);
    studio.edit(`accounts/ann/purchases/${first}`, { claim: 'none' });
    refund({ session: first });
    const second = await studio.buy('starter', '2');
    const { broken, healed } = await run(studio);
    expect(healed).toBe(1);
    expect(broken.length).toBeGreaterThan(0);
    expect(studio.entries()).toEqual([`purchase:${first} 100`, `purchase:${second} 100`]);
  });
});

it('ends when its time is over, and the next call goes on from there', { timeout: 30_000 }, async () => {
  const world = createMemoryWorld();
  const stripe = await startStripe({ now: world.clock.now });
  const buyer = await createPaymentStudio({ world, fake: stripe });
  await Promise.all(Array.from({ length: 101 }, (_, i) => buyer.buy('starter', `key ${i}`, `user:u${i}`)));
  const studio = await createPaymentStudio({
    world,
    fake: stripe,
    faults: (database) => ({
      // Every page takes all the time of a call.
      commit: (writes) => {
        if (writes.some((write) => 'set' in write && write.set === 'jobs/reconcilePayments')) {
          world.advance(jobTimeoutMs);
        }
        return database.commit(writes);
      },
    }),
  });
  const first = await run(studio);
  expect(first).toMatchObject({ checked: 100, healed: 100 });
  expect(studio.lines.at(-1)).not.toHaveProperty('event');
  expect(await run(studio)).toMatchObject({ checked: 1, healed: 1 });
  expect(studio.read('jobs/reconcilePayments')?.after).not.toBeNull();
});

it('while Stripe is down it is 503, and the cursor stays', async () => {
  const { studio } = await createUnreached();
  await studio.buy();
  await studio.stripe.close();
  expect((await studio.runJob('reconcilePayments')).status).toBe(503);
  expect(studio.entries()).toEqual([]);
});

it('what Stripe does not answer for is left to the next run, and not reported', async () => {
  const { studio, refund } = await createUnreached();
  refund({ session: await bought(studio) });
  stopAt(studio, { stage: 'refunds' });
  studio.stripe.always({ method: 'GET', path: '/v1/checkout/sessions', ...stripeFault.apiError(503) });
  expect(await run(studio)).toMatchObject({ healed: 0, broken: [] });
  expect(studio.findEvents('payments_unavailable')[0]).toMatchObject({ job: 'reconcilePayments' });
  studio.stripe.always(undefined);
  expect(await run(studio)).toMatchObject({ healed: 1, broken: [] });
});

it('a place that Stripe does not know stops one run only', async () => {
  const { studio } = await createUnreached();
  await studio.buy();
  stopAt(studio, { stage: 'sessions', after: 'cs_test_gone' });
  expect((await studio.runJob('reconcilePayments')).status).toBe(500);
  expect(await run(studio)).toMatchObject({ healed: 1 });
});
