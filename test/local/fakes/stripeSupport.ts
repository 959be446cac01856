import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterEach } from 'vitest';
import { type FakeStripe, type StripeOptions, startFakeStripe } from '../../../local/fakes/stripe/stripe.ts';

const running: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

export const testKey = 'sk_test_51FakeKeyOfTheTest';
export const webhookSecret = 'whsec_of_the_test';

export const prices = [
  { id: 'price_starter', unitAmount: 500, name: '100 credits' },
  { id: 'price_studio', unitAmount: 2000, name: '500 credits' },
  { id: 'price_euro', unitAmount: 500, currency: 'eur' },
  { id: 'price_old', unitAmount: 500, active: false },
  { id: 'price_live', unitAmount: 500, livemode: true },
  { id: 'price_free', unitAmount: 0 },
];

/** A fake that stops with the test, and the real library connected to it. */
export async function stripe(options: Partial<StripeOptions> = {}) {
  const server = await startFakeStripe({
    apiKey: testKey,
    prices,
    seed: 'test',
    retryDelaysMs: [1, 1],
    ...options,
  });
  running.push(server);
  return { server, sdk: stripeSdk(server) };
}

export function stripeSdk({ url }: FakeStripe, key = testKey, maxNetworkRetries = 0): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries, telemetry: false });
}

export const sessionParams = (
  fields: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  line_items: [{ price: 'price_starter', quantity: 1 }],
  success_url: 'http://localhost:8080/studio?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://localhost:8080/studio',
  metadata: { uid: 'u1', pack: 'starter', credits: '100' },
  payment_intent_data: { metadata: { uid: 'u1' } },
  ...fields,
});

/** A paid session. */
export async function buy(
  server: FakeStripe,
  sdk: Stripe,
  fields: Partial<Stripe.Checkout.SessionCreateParams> = {},
) {
  const { id } = await sdk.checkout.sessions.create(sessionParams(fields));
  return server.control.pay({ session: id });
}

export type Received = {
  headers: IncomingHttpHeaders;
  body: string;
  /** The event, if the library accepts its signature. */
  event: Stripe.Event | undefined;
};

/** A webhook handler that checks signatures with the library, and answers with what `answer` returns; 200 by default. */
export async function webhookHandler(answer: (received: Received, count: number) => number = () => 200) {
  const received: Received[] = [];
  const listener = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const item = { headers: request.headers, body, event: verify(body, request.headers['stripe-signature']) };
    received.push(item);
    response.writeHead(answer(item, received.length)).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      listener.close(() => resolve());
      listener.closeAllConnections();
    });
  running.push({ close });
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/stripeWebhook`;
  return { url, received, types: () => received.map(({ event }) => event?.type) };
}

function verify(body: string, header: string | string[] | undefined): Stripe.Event | undefined {
  try {
    return new Stripe(testKey).webhooks.constructEvent(body, String(header), webhookSecret);
  } catch {
    return undefined;
  }
}

export const getTypes = (server: FakeStripe) => server.events().map(({ type }) => type);
