/** Paid checkout sessions as events, signed as Stripe signs them. */
import Stripe from 'stripe';
import { post, type Reply } from './client.ts';

/** The secrets of the measured servers. No call to Stripe is made. */
export const stripeEnv = {
  STRIPE_SECRET_KEY: 'sk_test_51KeyOfTheBench',
  STRIPE_WEBHOOK_SECRET: 'whsec_secret_of_the_bench',
};
export const creditsPerPurchase = 100;

const { webhooks } = new Stripe(stripeEnv.STRIPE_SECRET_KEY);
let sessions = 0;

/** Sends the event of a new session that this user has paid. */
export function sendPurchase(url: string, project: string, uid: string): Promise<Reply> {
  sessions += 1;
  const order = { project, uid, pack: 'starter', credits: String(creditsPerPurchase) };
  const payload = JSON.stringify({
    id: `evt_${sessions}`,
    object: 'event',
    api_version: Stripe.API_VERSION,
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    type: 'checkout.session.completed',
    data: {
      object: {
        id: `cs_test_${sessions}`,
        object: 'checkout.session',
        status: 'complete',
        payment_status: 'paid',
        metadata: { ...order, amount: '500', currency: 'usd' },
        amount_total: 500,
        currency: 'usd',
        payment_intent: `pi_${sessions}`,
        total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
      },
    },
  });
  const secret = stripeEnv.STRIPE_WEBHOOK_SECRET;
  const signature = webhooks.generateTestHeaderString({ payload, secret });
  return post(url, payload, { 'content-type': 'application/json', 'stripe-signature': signature });
}
