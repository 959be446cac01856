/** Events come twice, late and in any order. Every order ends in the same credits. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import type { StripeApi } from '../../../shared/payments/stripe.ts';
import { createStripe } from '../../../shared/payments/stripe.ts';
import { createPaymentStudio, paymentEnv, startStripe, stripeKey } from '../../support/paymentStudio.ts';

function permute<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permute(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** Stripe's API, which asks for the session of a payment only once. */
function withMemory(api: StripeApi): StripeApi {
  const sessions = new Map<string, ReturnType<StripeApi['findSessionOf']>>();
  return {
    ...api,
    findSessionOf(payment) {
      const found = sessions.get(payment) ?? api.findSessionOf(payment);
      sessions.set(payment, found);
      return found;
    },
  };
}

/** A purchase of which a part is refunded, which fails, then all of it; and a dispute that is won. */
async function createHistory() {
  const fake = await startStripe();
  const first = await createPaymentStudio({ fake });
  const session = await first.buy();
  const { control } = fake;
  control.refund({ session, amount: 123 });
  control.settleRefund({ outcome: 'failed' });
  control.refund({ session });
  control.dispute({ session, amount: 400 });
  control.updateDispute({ step: 'won' });
  const events = [
    first.event('checkout.session.completed'),
    fake.events().find(({ type }) => type === 'refund.created'),
    first.event('refund.failed'),
    first.event('charge.dispute.funds_withdrawn'),
    first.event('charge.dispute.funds_reinstated'),
    first.event('refund.created'),
  ] as object[];
  const config = parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-memory', ...paymentEnv(fake) });
  const api = createStripe({ stripe: { ...config.stripe, secretKey: stripeKey } }, first.services.log);
  return { fake, session, events, stripeApi: withMemory(api) };
}

it('six events in each of 720 orders, each of them twice, while the buyer spends', {
  timeout: 120_000,
}, async () => {
  const { fake, session, events, stripeApi } = await createHistory();
  const env = { TIER_CREDITS: 'standard=30,premium2=31,premium4=32' };
  for (const order of permute(events.map((event, i) => ({ event, i })))) {
    const studio = await createPaymentStudio({ fake, stripeApi, env });
    const name = order.map(({ i }) => i).join('');
    for (const { event, i } of order) {
      const [one, two] = await Promise.all([studio.deliver(event), studio.deliver(event)]);
      expect([name, one.status, two.status]).toEqual([name, 200, 200]);
      await studio.generate(`image ${i}`);
      expect([name, studio.broken()]).toEqual([name, []]);
    }
    const ids = studio.entries().map((entry) => entry.split(' ')[0]);
    expect([name, studio.purchase(session)?.claim]).toEqual([name, 100]);
    const { balance, debt = 0, suspended } = studio.account() as Record<string, number>;
    const spent = 30 * ids.filter((id) => id?.endsWith(':debit')).length;
    // Every credit of the purchase went back, so what was spent is owed.
    expect([name, balance, debt]).toEqual([name, 0, spent]);
    expect([name, suspended ?? false]).toEqual([name, false]);
  }
});
