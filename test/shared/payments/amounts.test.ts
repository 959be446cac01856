/** What was paid must be what was asked. */
import { expect, it } from 'vitest';
import { createPaymentStudio, startStripe } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';

async function pay(amountTotal: number) {
  const studio = await createPaymentStudio();
  const { body } = await studio.checkout();
  const { sessionId: session } = body as unknown as { sessionId: string };
  studio.stripe.control.pay({ session, amountTotal });
  return { studio, session };
}

it.each([1, 499, 501, 0])(
  'a payment of %i cents for 500 gives no credits and is reported',
  async (amount) => {
    const { studio, session } = await pay(amount);
    expect((await studio.deliver(studio.event(completed))).status).toBe(200);
    expect(studio.entries()).toEqual([]);
    const report = { severity: 'ERROR', uid: 'ann', sessionId: session };
    expect(studio.findEvents('payment_mismatch')).toMatchObject([report]);
    const { body } = await studio.confirm(session);
    expect(body).toEqual({ status: 'paid', account: { uid: 'ann', balance: 0, sequence: 0 } });
  },
);

it.each([
  ['in another currency', { currency: 'jpy' }],
  ['that no refund could name', { payment_intent: null }],
])('a payment %s gives no credits', async (_, change) => {
  const studio = await createPaymentStudio();
  await studio.buy();
  const event = structuredClone(studio.event(completed)) as { data: { object: object } };
  Object.assign(event.data.object, change);
  expect((await studio.deliver(event)).status).toBe(200);
  expect(studio.entries()).toEqual([]);
  expect(studio.findEvents('payment_mismatch')).toHaveLength(1);
});

it('a refund of a payment that gave no credits takes none', async () => {
  const { studio, session } = await pay(499);
  studio.stripe.control.refund({ session });
  expect((await studio.deliver(studio.event('refund.created'))).status).toBe(200);
  expect(studio.entries()).toEqual([]);
});

it('tax on top of the price is no difference, and is refunded with it', async () => {
  const stripe = await startStripe({ taxPercent: 19 });
  const studio = await createPaymentStudio({ fake: stripe, env: { STRIPE_MANAGED_PAYMENTS: 'true' } });
  const session = await studio.buy();
  await studio.deliver(studio.event(completed));
  expect(studio.purchase(session)).toMatchObject({ amount: 595, tax: 95, credits: 100 });
  stripe.control.refund({ session, amount: 119 });
  await studio.deliver(studio.event('refund.created'));
  expect(studio.entries().at(-1)).toMatch(/^clawback:re_\w+ -20$/);
  expect(studio.broken()).toEqual([]);
});

it('tax within the price is a part of what was asked', async () => {
  const prices = [{ id: 'price_starter', unitAmount: 500, taxBehavior: 'inclusive' as const }];
  const stripe = await startStripe({ taxPercent: 19, prices });
  const studio = await createPaymentStudio({
    fake: stripe,
    env: { STRIPE_MANAGED_PAYMENTS: 'true', CREDIT_PACKS: 'starter=price_starter:100' },
  });
  const session = await studio.buy();
  await studio.deliver(studio.event(completed));
  expect(studio.purchase(session)).toMatchObject({ amount: 500, tax: 80, credits: 100 });
  stripe.control.refund({ session, amount: 250 });
  await studio.deliver(studio.event('refund.created'));
  expect(studio.entries().at(-1)).toMatch(/^clawback:re_\w+ -50$/);

  const { sessionId } = (await studio.checkout('starter', 'less')).body;
  stripe.control.pay({ session: sessionId, amountTotal: 499 });
  await studio.deliver(studio.event(completed));
  expect(studio.findEvents('payment_mismatch')).toHaveLength(1);
  expect(studio.broken()).toEqual([]);
});

it("today's configuration does not matter to a session of yesterday", async () => {
  const stripe = await startStripe();
  const before = await createPaymentStudio({ fake: stripe });
  const session = await before.buy();
  const env = { CREDIT_PACKS: 'starter=price_studio:9' };
  const studio = await createPaymentStudio({ fake: stripe, world: before.world, env });
  await studio.deliver(studio.event(completed));
  expect(studio.entries()).toEqual([`purchase:${session} 100`]);
});

it.each([{ credits: 1 }, { amount: 1 }, { claim: 100 }, { credits: 900, amount: 9_000 }])(
  'a refund takes its share although an admin has written %o into the purchase',
  async (fields) => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    await studio.deliver(studio.event('checkout.session.completed'));
    studio.edit(`accounts/ann/purchases/${session}`, fields);
    studio.stripe.control.refund({ session, amount: 250 });
    await studio.deliver(studio.event('refund.created'));
    expect(studio.entries()[1]).toMatch(/^clawback:re_\w+ -50$/);
    expect(studio.purchase(session)).toMatchObject({ credits: 100, amount: 500, claim: 50 });
    expect(studio.broken()).toEqual([]);
  },
);
