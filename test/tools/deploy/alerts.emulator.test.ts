/** Each alert's filter matches the line that its fault really logs, and no line while everything works. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { startFakeStripe } from '../../../local/fakes/stripe/stripe.ts';
import type { StripeApi } from '../../../shared/payments/stripe.ts';
import type { Session } from '../../../shared/payments/stripeObjects.ts';
import { alerts } from '../../../tools/deploy/alerts.ts';
import { onePixelPng } from '../../support/pictures.ts';
import { runJob } from '../../support/scheduler.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { virtualClock } from '../../support/virtualClock.ts';

const model = 'gemini-2.5-flash-image';
const picture = {
  mimeType: 'image/png' as const,
  width: 1,
  height: 1,
  chunks: [onePixelPng],
  bytes: onePixelPng.length,
  model,
};
/** The alerts on scheduled jobs, each with its function. */
const jobAlerts: [id: string, job: string][] = [
  ['sweep-stopped', 'sweepHolds'],
  ['quota-check-stopped', 'checkQuota'],
  ['refill-stopped', 'refillAllowances'],
  ['reconcile-stopped', 'reconcile'],
  ['payment-check-stopped', 'reconcilePayments'],
];
const stripeEnv = {
  STRIPE_SECRET_KEY: 'sk_test_51KeyOfTheAlerts',
  CREDIT_PACKS: 'starter=price_starter:100',
};
/** Stripe with one session. */
const stripeWith = (session: Partial<Session>) => {
  const none = async () => ({ items: [], hasMore: false });
  return {
    findSession: async () => ({ payment_intent: 'pi_1', total_details: null, ...session }) as Session,
    ...{ listSessions: none, listRefunds: none, listDisputes: none, listEvents: none },
  } as Partial<StripeApi> as StripeApi;
};
const realFetch = globalThis.fetch;
let stack: Stack;
/** A new server for each test, because a server remembers the models' states and the day's spend. */
let servers: { url: string; close: () => Promise<void> }[] = [];

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  await stack.erase(`quota/${model}`);
  stack.gemini.always(geminiFault.blank());
  stack.cloudinary.always(undefined);
  stack.logs.length = 0;
});

async function startServer(...args: Parameters<Stack['startServer']>): Promise<string> {
  const server = await stack.startServer(...args);
  servers.push(server);
  return server.url;
}
async function generate(...args: Parameters<Stack['startServer']>) {
  const url = await startServer(...args);
  const user = await stack.newUser();
  return { user, url, reply: await user.generate('key', {}, url) };
}

/** A line in Cloud Logging's form: `severity` is a separate field, all others are in the payload. */
function toEntry({ severity, ...jsonPayload }: Record<string, unknown>) {
  return { severity, resource: { type: 'cloud_run_revision' }, jsonPayload };
}

const severities = ['DEFAULT', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** True if the filter matches the entry. @throws {Error} unless the filter is comparisons joined by AND. */
function matchesFilter(filter: string, entry: object): boolean {
  return filter.split(' AND ').every((comparison) => {
    const [, path, op, quoted, bare] = /^([\w.]+)(=|>=)(?:"([^"]*)"|([\w.]+))$/.exec(comparison) ?? [];
    if (!path) throw new Error(`The test cannot parse this comparison: ${comparison}`);
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], entry);
    if (op === '=') return value === (quoted ?? Number(bare));
    if (path === 'severity') return severities.indexOf(String(value)) >= severities.indexOf(String(bare));
    return typeof value === 'number' && value >= Number(bare);
  });
}

const getFiredAlerts = () =>
  alerts
    .filter(({ filter }) => stack.logs.some((line) => matchesFilter(filter, toEntry(line))))
    .map(({ id }) => id);

/** Causes the fault of each alert. */
const provoke: Record<string, () => Promise<unknown>> = {
  errors: () => generate({}, { imageGenerator: () => Promise.reject(new Error('a mistake of ours')) }),
  async failures() {
    stack.gemini.always(geminiFault.internal());
    await generate();
  },
  async slow() {
    const { clock, advance } = virtualClock();
    const imageGenerator = async () => {
      advance(95_000);
      return { ...picture, providerCostMicros: 0 };
    };
    await generate({}, { clock, imageGenerator });
  },
  async refunds() {
    stack.gemini.always(geminiFault.textOnly());
    await generate();
  },
  async 'holds-overdue'() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const imageGenerator = () => promise.then(() => ({ ...picture, providerCostMicros: 0 }));
    const user = await stack.newUser();
    const url = await startServer({}, { imageGenerator });
    const answer = user.generate('key', {}, url);
    const heldGeneration = await vi.waitFor(async () => {
      const [generation] = (await stack.ledger(user.uid)).generations;
      expect(generation).toBeDefined();
      return generation;
    });
    await stack.edit(`accounts/${user.uid}/generations/${heldGeneration?.id}`, { deadline: new Date(0) });
    await runJob(stack, 'sweepHolds');
    resolve();
    await answer;
  },
  ...Object.fromEntries(jobAlerts.map(([id, job]) => [id, () => runJob(stack, job)])),
  async 'auth-unavailable'() {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) =>
      String(url).startsWith('http://metadata.google.internal/')
        ? Promise.reject(new TypeError('fetch failed'))
        : realFetch(url, init),
    );
    const headers = { authorization: `Bearer ${await stack.tokenFor('the-admin', { admin: true })}` };
    await stack.fetch('audit', { headers });
    vi.unstubAllGlobals();
  },
  async outbox() {
    const { user, reply } = await generate();
    stack.cloudinary.always(cloudinaryFault.error(500));
    await user.post('deleteGeneration', { id: reply.body.generation.id });
  },
  async 'quota-gone'() {
    stack.gemini.always(geminiFault.perDay());
    await generate();
  },
  async 'billing-stopped'() {
    stack.gemini.always(geminiFault.limitZero());
    await generate();
  },
  async 'model-retired'() {
    stack.gemini.always(geminiFault.notFound());
    await generate();
  },
  'webhook-refused': () => stack.fetch('stripeWebhook', { method: 'POST', body: '{}' }),
  async 'payment-mismatch'() {
    const user = await stack.newUser();
    const order = { uid: user.uid, pack: 'starter', credits: '100', amount: '500', currency: 'usd' };
    const metadata = { project: stack.projectId, ...order };
    const session = {
      status: 'complete',
      payment_status: 'paid',
      metadata,
      amount_total: 1,
      currency: 'usd',
    };
    const url = await startServer(stripeEnv, { stripe: stripeWith({ id: 'cs_test_1', ...session }) });
    await user.post('confirmCheckout', { sessionId: 'cs_test_1' }, {}, url);
  },
  async 'payment-broken'() {
    const now = new Date();
    const amounts = {
      credits: 100,
      amount: 500,
      tax: 0,
      currency: 'usd',
      claim: 0,
      refunds: {},
      disputes: {},
    };
    const purchase = { pack: 'starter', paymentIntent: 'pi_1', ...amounts, createdAt: now, updatedAt: now };
    await stack.database.commit([{ set: 'accounts/buyer/purchases/cs_test_2', data: purchase }]);
    const stripe = stripeWith({ id: 'cs_test_2', payment_status: 'unpaid' });
    await runJob(stack, 'reconcilePayments', { url: await startServer(stripeEnv, { stripe }) });
  },
  async 'payments-misconfigured'() {
    const fake = await startFakeStripe({ apiKey: 'sk_test_51AnotherKey' });
    await stack.fetch('packs', {}, await startServer({ ...stripeEnv, STRIPE_API_BASE_URL: fake.url }));
    await fake.close();
  },
  'spend-ceiling': () => generate({ MAX_SPEND_PER_DAY_USD: '0' }),
  async 'account-broken'() {
    const { user } = await generate();
    await stack.edit(`accounts/${user.uid}`, { settled: 99, balance: 99 });
    await runJob(stack, 'reconcile');
    await stack.edit(`accounts/${user.uid}`, { settled: 9, balance: 9 });
  },
  async 'balance-invalid'() {
    const { user } = await generate();
    await stack.edit(`accounts/${user.uid}`, { balance: 'ten' });
    await runJob(stack, 'reconcile');
    await stack.edit(`accounts/${user.uid}`, { balance: 9 });
  },
};

describe('an alert', () => {
  it.each(alerts.map(({ id }) => id))('%s fires at its fault', async (id) => {
    await provoke[id]?.();
    expect(getFiredAlerts()).toContain(id);
  });

  it('does not fire while everything works; only finished jobs are seen', async () => {
    const { user } = await generate();
    for (const name of ['account', 'ledger', 'gallery', 'health']) await user.get(name);
    await user.generate('key', { tier: 'nonsense' });
    await (await stack.user('poor', 0)).generate('key');
    for (const [, job] of jobAlerts) await runJob(stack, job);
    expect(getFiredAlerts()).toEqual(jobAlerts.map(([id]) => id));
  });
});

describe('every alert', () => {
  const guide = readFileSync('docs/deployment/operations.md', 'utf8');

  it.each(alerts)('$id has a runbook with the same filter, and a valid name for Cloud Logging', (alert) => {
    const { id, filter, runbook } = alert;
    expect(id).toMatch(/^[a-z][a-z\d-]{1,50}$/);
    const section = guide.split(/^### /m).find((one) => one.startsWith(`${id}\n`));
    expect(section).toContain(filter.replace('resource.type="cloud_run_revision" AND ', ''));
    expect(runbook).toContain(`operations.md#${id}`);
  });

  it('has a unique id', () => {
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(alerts.length);
  });
});
