/** The fake Stripe of a local run: what it sells, and the variables with which the functions use it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CreditPack } from '../shared/config/environment.ts';
import type { PriceOptions } from './fakes/stripe/objects.ts';
import { startFakeStripe } from './fakes/stripe/stripe.ts';
import { loopback } from './ports.ts';
import { StartRefused } from './refusal.ts';

export type LocalStripe = {
  url: string;
  /** The variables of the functions' process. */
  variables: {
    STRIPE_SECRET_KEY: string;
    STRIPE_WEBHOOK_SECRET: string;
    STRIPE_API_BASE_URL: string;
    CREDIT_PACKS: string;
  };
};

/** A constant, so that another local run can use this fake too. */
const secretKey = 'sk_test_fake_of_the_local_run';

/** What is sold unless CREDIT_PACKS says otherwise. */
export const localPacks: readonly CreditPack[] = [
  { id: 'starter', priceId: 'price_starter', credits: 100 },
  { id: 'studio', priceId: 'price_studio', credits: 500 },
  { id: 'agency', priceId: 'price_agency', credits: 2000 },
];
/** Prices in US cents. Other packs cost `centsPerCredit`. */
const cents: Record<string, number> = { price_starter: 500, price_studio: 2_000, price_agency: 7_000 };
const centsPerCredit = 5;

/** The events that the webhook gets: those that the deployment guide subscribes to. */
const eventTypes = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
];

/**
 * Starts the fake in this process. Its events go to `stripeWebhook` on `port`.
 * @param dataDir keeps its objects; undefined keeps them in memory
 * @throws {StartRefused} if the kept objects cannot be read
 */
export async function startLocalStripe(options: {
  port: number;
  packs: readonly CreditPack[];
  webhookSecret: string | undefined;
  dataDir: string | undefined;
  requestsMax: number;
}): Promise<LocalStripe> {
  const { port, packs, dataDir, requestsMax } = options;
  const secret = options.webhookSecret ?? `whsec_${randomBytes(24).toString('hex')}`;
  const { url } = await startFakeStripe({
    apiKey: secretKey,
    prices: packs.map(toPrice),
    endpoints: [{ url: `http://${loopback}:${port}/stripeWebhook`, enabledEvents: eventTypes, secret }],
    dataDir,
    requestsMax,
  }).catch((error: unknown) => {
    if (!dataDir || !(error instanceof SyntaxError)) throw error;
    throw new StartRefused(
      `${join(dataDir, 'journal.jsonl')} is broken: it does not hold the purchases that an earlier run saved.\nDelete it to start without them.`,
    );
  });
  return {
    url,
    variables: {
      STRIPE_SECRET_KEY: secretKey,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_API_BASE_URL: url,
      CREDIT_PACKS: packs.map(({ id, priceId, credits }) => `${id}=${priceId}:${credits}`).join(','),
    },
  };
}

const toPrice = ({ priceId, credits }: CreditPack): PriceOptions => ({
  id: priceId,
  unitAmount: cents[priceId] ?? credits * centsPerCredit,
  name: `${credits} credits`,
});
