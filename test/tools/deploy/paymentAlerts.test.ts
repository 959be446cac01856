/** Each alert on payments matches the line that its fault really logs, and no line of an ordinary purchase. */
import { describe, expect, it } from 'vitest';
import { paymentAlerts } from '../../../tools/deploy/alerts.ts';
import { findFiredAlerts } from '../../support/alertFilter.ts';
import { createPaymentStudio, type PaymentStudio, startStripe } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';

/** Causes the fault of each alert. */
const provoke: Record<string, (studio: PaymentStudio) => Promise<unknown>> = {
  'payment-check-stopped': ({ runJob }) => runJob('reconcilePayments'),
  'webhook-refused': ({ postRaw }) => postRaw('{}', 't=1,v1=00'),
  async 'payment-mismatch'({ stripe, checkout, event, deliver }) {
    await checkout();
    stripe.control.pay({ amountTotal: 499 });
    await deliver(event(completed));
  },
  async 'payment-broken'({ buy, event, deliver, stripe, runJob, ...studio }) {
    await buy();
    await deliver(event(completed));
    // Another account of Stripe, which knows nothing of the session.
    const other = await createPaymentStudio({ world: studio.world });
    await other.runJob('reconcilePayments');
    studio.lines.push(...other.lines);
  },
  async 'payments-misconfigured'(studio) {
    const fake = await startStripe({ apiKey: 'sk_test_51Another' });
    const other = await createPaymentStudio({ fake });
    await other.get('packs');
    studio.lines.push(...other.lines);
  },
  async 'payment-for-closed-account'({ buy, event, deliver, edit }) {
    await buy();
    edit('accounts/ann', { closedAt: new Date() });
    await deliver(event(completed));
  },
  async 'payment-disputed'({ buy, stripe, event, deliver }) {
    const session = await buy();
    await deliver(event(completed));
    stripe.control.dispute({ session });
    await deliver(event('charge.dispute.funds_withdrawn'));
  },
  async 'pack-not-sold'({ stripe, get }) {
    stripe.control.setPriceActive({ price: 'price_starter', active: false });
    await get('packs');
  },
};

describe('an alert on payments', () => {
  it.each(paymentAlerts.map(({ id }) => id))('%s fires at its fault', async (id) => {
    const studio = await createPaymentStudio();
    await provoke[id]?.(studio);
    expect(findFiredAlerts(paymentAlerts, studio.lines)).toContain(id);
  });

  it('does not fire for a purchase, a refund and a check; only the finished job is seen', async () => {
    const studio = await createPaymentStudio();
    await studio.get('packs');
    const session = await studio.buy();
    await studio.deliver(studio.event(completed));
    await studio.confirm(session);
    studio.stripe.control.refund({ session, amount: 100 });
    await studio.deliver(studio.event('refund.created'));
    await studio.post('billingPortal', {});
    await studio.runJob('reconcilePayments');
    expect(findFiredAlerts(paymentAlerts, studio.lines)).toEqual(['payment-check-stopped']);
  });
});
