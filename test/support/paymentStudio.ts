/** The functions on a database in memory, with the fake Stripe over HTTP and Stripe's own library. */
import Stripe from 'stripe';
import { afterEach } from 'vitest';
import { functions } from '../../functions/index.ts';
import { type FakeStripe, type StripeOptions, startFakeStripe } from '../../local/fakes/stripe/stripe.ts';
import type { Database } from '../../shared/database/database.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import type { StripeApi } from '../../shared/payments/stripe.ts';
import { callHandler } from '../simulation/wire.ts';
import { createMemoryStudio, createMemoryWorld } from './memoryStudio.ts';
import { findBrokenPayments } from './paymentInvariants.ts';
import type { Reply } from './replies.ts';

export const stripeKey = 'sk_test_51KeyOfTheTestStudio';
export const webhookSecret = 'whsec_secret_of_the_test_studio';

export const paymentEnv = (fake: FakeStripe) => ({
  STRIPE_SECRET_KEY: stripeKey,
  STRIPE_WEBHOOK_SECRET: webhookSecret,
  STRIPE_API_BASE_URL: fake.url,
  CREDIT_PACKS: 'starter=price_starter:100,studio=price_studio:500,odd=price_odd:7',
  PUBLIC_URL: 'https://studio.example',
  SIGNUP_CREDITS: '0',
});

const running: FakeStripe[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((fake) => fake.close()));
});

export async function startStripe(options: Partial<StripeOptions> = {}): Promise<FakeStripe> {
  const fake = await startFakeStripe({
    apiKey: stripeKey,
    prices: [
      { id: 'price_starter', unitAmount: 500, name: '100 credits' },
      { id: 'price_studio', unitAmount: 2000, name: '500 credits' },
      { id: 'price_odd', unitAmount: 999, currency: 'eur' },
    ],
    seed: 'test',
    retryDelaysMs: [1, 1],
    ...options,
  });
  running.push(fake);
  return fake;
}

type StripeEvent = ReturnType<FakeStripe['events']>[number];

export async function createPaymentStudio({
  fake,
  env = {},
  world = createMemoryWorld(),
  faults,
  stripeApi,
}: {
  fake?: FakeStripe;
  env?: Record<string, string>;
  world?: ReturnType<typeof createMemoryWorld>;
  faults?: (database: Database) => Partial<Database>;
  /** In place of calls to the fake. */
  stripeApi?: StripeApi;
} = {}) {
  const stripe = fake ?? (await startStripe({ now: world.clock.now }));
  const studio = createMemoryStudio({
    world,
    env: { ...paymentEnv(stripe), ...env },
    ...(faults && { faults }),
    ...(stripeApi && { stripe: stripeApi }),
  });
  const webhooks = new Stripe(stripeKey).webhooks;

  const post = async (name: string, body: object, as = 'user:ann', key?: string) => {
    const { status, body: answer } = await studio.send({
      name,
      method: 'POST',
      body,
      as,
      ...(key && { key }),
    });
    return { status, body: answer as Reply['body'] };
  };

  /** Calls the webhook with these bytes. */
  async function postRaw(payload: string | Buffer, signature: string | undefined) {
    const create = await (functions.stripeWebhook as () => Promise<HttpFunction>)();
    const { status, body } = await callHandler(create(studio.services, 'stripeWebhook'), {
      name: 'stripeWebhook',
      method: 'POST',
      as: '',
      raw: Buffer.from(payload),
      headers: { 'content-type': 'application/json', ...(signature && { 'stripe-signature': signature }) },
    });
    return { status, body: body as Reply['body'] };
  }

  const sign = (payload: string, { secret = webhookSecret, secondsAgo = 0 } = {}) =>
    webhooks.generateTestHeaderString({
      payload,
      secret,
      timestamp: Math.floor(Date.now() / 1000) - secondsAgo,
    });

  /** Delivers an event as Stripe does. */
  const deliver = (event: object) => {
    const payload = JSON.stringify(event);
    return postRaw(payload, sign(payload));
  };

  return {
    ...studio,
    world,
    stripe,
    post,
    postRaw,
    sign,
    deliver,
    checkout: (pack = 'starter', key = `key-${pack}`, as = 'user:ann') => post('checkout', { pack }, as, key),
    confirm: (sessionId: string, as = 'user:ann') => post('confirmCheckout', { sessionId }, as),
    /** Starts a checkout and pays it. Nothing is delivered. @returns the session's id. */
    async buy(
      pack = 'starter',
      key = `key-${pack}`,
      as = 'user:ann',
      options: { later?: boolean } = {},
    ): Promise<string> {
      const { body } = await post('checkout', { pack }, as, key);
      const { sessionId: session } = body as unknown as { sessionId: string };
      stripe.control.pay({ session, ...options });
      return session;
    },
    /** The newest event of a type. */
    event(type: string, fits: (event: StripeEvent) => boolean = () => true): StripeEvent {
      const found = stripe.events().findLast((event) => event.type === type && fits(event));
      if (!found) throw new Error(`Stripe has sent no ${type}`);
      return found;
    },
    /** The entries of an account, oldest first, as `id amount`. */
    entries: (uid = 'ann') =>
      world.store
        .page({ collection: `accounts/${uid}/entries`, orderBy: [['sequence', 'asc']], limit: 100 })
        .documents.map(({ id, data }) => `${id} ${data.amount}`),
    /** The broken invariants of an account's payments. */
    broken(uid = 'ann') {
      const page = (collection: string) =>
        world.store.page({
          collection: `accounts/${uid}/${collection}`,
          orderBy: [['__name__', 'asc']],
          limit: 1_000,
        }).documents;
      const account = world.store.read([`accounts/${uid}`]).documents[0]?.data;
      return findBrokenPayments({ account, entries: page('entries'), purchases: page('purchases') });
    },
    read: (path: string) => world.store.read([path]).documents[0]?.data,
    purchase: (sessionId: string, uid = 'ann') =>
      world.store.read([`accounts/${uid}/purchases/${sessionId}`]).documents[0]?.data,
  };
}

export type PaymentStudio = Awaited<ReturnType<typeof createPaymentStudio>>;
