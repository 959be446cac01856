import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, send, startServer } from '../server.ts';
import type { Account } from './account.ts';
import type { Keys } from './api.ts';
import { createApiServer, type StripeRequest } from './apiServer.ts';
import { type Clock, createClock } from './clock.ts';
import { answerControl, type Control, createControl } from './control.ts';
import { stripeError } from './errors.ts';
import { createEndpoint, type EndpointOptions } from './eventRoutes.ts';
import type { StripeStep } from './faults.ts';
import { createPrice, type PriceOptions } from './objects.ts';
import { answerPage } from './pages.ts';
import { expireOldSessions } from './payments.ts';
import { createStore, type StripeEvent } from './store.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export type StripeOptions = Keys & {
  /** 0 or undefined means any free port. */
  port?: number | undefined;
  host?: string | undefined;
  prices?: readonly PriceOptions[] | undefined;
  /** Webhook endpoints of the test mode. More can be added by the API and by `addEndpoint`. */
  endpoints?: readonly EndpointOptions[] | undefined;
  /** Keeps objects in this folder across restarts. Without it, they are in memory. */
  dataDir?: string | undefined;
  /** The same seed and the same calls make the same ids; random by default. */
  seed?: string | undefined;
  /** The clock of all objects, milliseconds; `clock` moves it. */
  now?: (() => number) | undefined;
  /** The clock of signatures. It stays the real one when a test moves the other: Stripe signs when it sends. */
  signedAt?: (() => number) | undefined;
  /** The tax on top of the price for sessions with automatic tax or Managed Payments; 0 by default. */
  taxPercent?: number | undefined;
  /** The waits before the retries of a delivery, milliseconds. */
  retryDelaysMs?: readonly number[] | undefined;
  /** How long an endpoint may take to answer. */
  webhookTimeoutMs?: number | undefined;
  /** Awaited before the answer to a valid call. */
  onRequest?: ((request: StripeRequest) => Promise<void> | void) | undefined;
  /** How many calls and deliveries to remember; the oldest are dropped first. */
  requestsMax?: number | undefined;
};

export type FakeStripe = {
  /** The value for STRIPE_API_BASE_URL. */
  url: string;
  requests: StripeRequest[];
  /** Queues faults of API calls. Each applies to one valid call. */
  script: (...steps: StripeStep[]) => void;
  always: (step: StripeStep | undefined) => void;
  clock: Clock;
  control: Control;
  webhooks: Webhooks;
  /** Adds an endpoint of the test mode, or changes the one with the same URL. */
  addEndpoint: (options: EndpointOptions) => { id: string; secret: string };
  /** Every event so far, the oldest first. */
  events: () => StripeEvent[];
  /** Stops the server and its deliveries, and closes open connections. */
  close: () => Promise<void>;
};

const bodyBytesMax = 1024 * 1024;

/**
 * Starts a fake of Stripe: its API, the pages it hosts, and its webhooks. As in the other fakes, a call with wrong
 * parameters is refused before any scripted step, and uses up none.
 */
export async function startFakeStripe(options: StripeOptions): Promise<FakeStripe> {
  const { requestsMax = 10_000 } = options;
  const closer = new AbortController();
  const store = createStore(options.seed ?? randomBytes(8).toString('hex'), options.dataDir);
  const clock = createClock(options.now ?? Date.now, () => {
    expireOldSessions(account);
    webhooks.releaseDue();
  });
  const webhooks = createWebhooks(
    { store, clock, closing: closer.signal },
    {
      retryDelaysMs: options.retryDelaysMs ?? [200, 1000, 5000],
      timeoutMs: options.webhookTimeoutMs ?? 20_000,
      signedAt: options.signedAt ?? Date.now,
      deliveriesMax: requestsMax,
    },
  );
  const account: Account = {
    clock,
    store,
    url: '',
    taxPercent: options.taxPercent ?? 0,
    livemode: false,
    request: null,
    deliver: webhooks.deliver,
  };
  const control = createControl(account, webhooks);
  const api = createApiServer(account, { ...options, requestsMax });

  async function handle(request: IncomingMessage, response: ServerResponse, closing: AbortSignal) {
    const bytes = await readBody(request, bodyBytesMax);
    if (bytes === undefined)
      return send(response, stripeError(413, { message: 'The request is too large.' }));
    expireOldSessions(account);
    const { method = 'GET', url = '/', headers } = request;
    const body = bytes.toString();
    const { pathname: path } = new URL(url, 'http://fake');
    const contentType = headers['content-type'] ?? '';
    const reply =
      answerControl(control, { method, path, contentType, body }) ?? answerPage(account, method, path, body);
    if (reply !== undefined) return send(response, reply);
    return api.answerCall({ method, url, headers, body }, response, closing);
  }

  const server = await startServer(options, handle);
  account.url = server.url;
  const addEndpoint = (endpoint: EndpointOptions) => putEndpoint(account, endpoint);
  for (const price of options.prices ?? []) putPrice(account, price);
  for (const endpoint of options.endpoints ?? []) addEndpoint(endpoint);
  return {
    url: server.url,
    requests: api.requests,
    script: api.script,
    always: api.always,
    clock,
    control,
    webhooks,
    addEndpoint,
    events: () =>
      store
        .list('events')
        .map(({ shown }) => shown)
        .reverse(),
    async close() {
      closer.abort();
      await webhooks.idle();
      await server.close();
    },
  };
}

/** A price that was switched off in an earlier run stays so. */
function putPrice({ store, clock }: Account, options: PriceOptions): void {
  const before = store.get('prices', options.id)?.shown;
  const price = createPrice(options, before?.created ?? clock.seconds());
  store.put('prices', {
    livemode: price.livemode,
    name: options.name ?? options.id,
    shown: { ...price, active: before?.active ?? price.active },
  });
}

/** An endpoint keeps its secret unless the options name another. */
function putEndpoint(account: Account, options: EndpointOptions): { id: string; secret: string } {
  const { store } = account;
  const before = store
    .list('endpoints')
    .find(({ livemode, shown }) => !livemode && shown.url === options.url);
  if (before) store.remove('endpoints', before.shown.id);
  const { shown, secret } = createEndpoint(account, { secret: before?.secret, ...options });
  return { id: shown.id, secret };
}
