import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stripeFault } from '../../../local/fakes/stripe/faults.ts';
import { buy, sessionParams, stripe, stripeSdk } from './stripeSupport.ts';
import { rejection } from './support.ts';

const day = 24 * 3600 * 1000;

describe('lists', () => {
  test('the library pages through 250 sessions, newest first', async () => {
    const { sdk, server } = await stripe();
    const ids: string[] = [];
    for (let count = 0; count < 250; count += 1) {
      ids.unshift((await sdk.checkout.sessions.create(sessionParams())).id);
    }
    const before = server.requests.length;
    const listed: string[] = [];
    for await (const { id } of sdk.checkout.sessions.list({ limit: 100 })) listed.push(id);
    expect(listed).toEqual(ids);
    expect(server.requests.length - before).toBe(3);
    const back = await sdk.checkout.sessions.list({ limit: 2, ending_before: ids[5] as string });
    expect(back).toMatchObject({ has_more: true, data: [{ id: ids[3] }, { id: ids[4] }] });
    expect((await sdk.checkout.sessions.list()).data).toHaveLength(10);
  });

  test('are cut by time, status, customer and intent', async () => {
    const now = Date.now();
    const { sdk, server } = await stripe({ now: () => now });
    server.clock.set(now - 5 * day);
    const old = await buy(server, sdk);
    server.clock.set(now - 3 * day);
    const recent = await buy(server, sdk, { customer_creation: 'always' });
    server.clock.set(now);
    const open = await sdk.checkout.sessions.create(sessionParams());
    const list = async (params: Parameters<typeof sdk.checkout.sessions.list>[0]) =>
      (await sdk.checkout.sessions.list(params)).data.map(({ id }) => id);
    const since = Math.floor((now - 4 * day) / 1000);
    expect(await list({ created: { gte: since } })).toEqual([open.id, recent.id]);
    expect(await list({ created: { lt: since } })).toEqual([old.id]);
    expect(await list({ created: old.created })).toEqual([old.id]);
    expect(await list({ created: { gt: old.created, lte: recent.created } })).toEqual([recent.id]);
    expect(await list({ created: { gte: old.created, lt: recent.created } })).toEqual([old.id]);
    expect((await sdk.checkout.sessions.list({ limit: 3 })).has_more).toBe(false);
    expect((await sdk.checkout.sessions.list({ limit: 2 })).has_more).toBe(true);
    expect(await list({ status: 'complete', created: { gte: since } })).toEqual([recent.id]);
    expect(await list({ customer: String(recent.customer) })).toEqual([recent.id]);
    expect(await list({ payment_intent: String(old.payment_intent) })).toEqual([old.id]);
  });

  test('refuse a wrong limit and an unknown cursor', async () => {
    const { sdk } = await stripe();
    expect(await rejection(sdk.checkout.sessions.list({ limit: 101 }))).toMatchObject({
      statusCode: 400,
      param: 'limit',
    });
    expect(await rejection(sdk.checkout.sessions.list({ starting_after: 'cs_none' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'starting_after',
    });
  });

  test('events are listed by types and time, for 30 days, delivered or not', async () => {
    const now = Date.now();
    const { sdk, server } = await stripe({ now: () => now });
    server.clock.set(now - 31 * day);
    await buy(server, sdk);
    server.clock.set(now - 29 * day);
    const { id } = await buy(server, sdk);
    server.control.refund({ session: id });
    server.clock.set(now);
    const list = async (params: Parameters<typeof sdk.events.list>[0]) =>
      (await sdk.events.list(params)).data.map(({ type }) => type);
    expect(await list({ types: ['refund.created', 'checkout.session.completed'] })).toEqual([
      'refund.created',
      'checkout.session.completed',
    ]);
    expect(await list({ type: 'charge.*' })).toEqual(['charge.refunded', 'charge.succeeded']);
    expect(await list({ created: { gte: Math.floor(now / 1000) } })).toEqual([]);
  });

  test('line items have a list of their own', async () => {
    const { sdk } = await stripe();
    const { id } = await sdk.checkout.sessions.create(
      sessionParams({
        line_items: [
          { price: 'price_starter', quantity: 2 },
          { price: 'price_studio', quantity: 1 },
        ],
      }),
    );
    const items = await sdk.checkout.sessions.listLineItems(id, { limit: 1 });
    expect(items).toMatchObject({ has_more: true, data: [{ amount_total: 1000, quantity: 2 }] });
  });
});

describe('faults of the API', () => {
  test('the library retries what may be retried', async () => {
    const { server } = await stripe();
    const sdk = stripeSdk(server, undefined, 2);
    server.script(stripeFault.apiError(503), stripeFault.rateLimited());
    expect((await sdk.prices.retrieve('price_starter')).unit_amount).toBe(500);
    expect(server.requests).toHaveLength(3);
  });

  test('a session whose answer was lost is found again by its key', async () => {
    const { server } = await stripe();
    const sdk = stripeSdk(server, undefined, 1);
    const step = { method: 'POST', path: '/v1/checkout/sessions' } as const;
    server.script({ ...step, ...stripeFault.doneThenReset() });
    await sdk.prices.list();
    const session = await sdk.checkout.sessions.create(sessionParams(), { idempotencyKey: 'k1' });
    expect(session.status).toBe('open');
    expect((await sdk.checkout.sessions.list()).data).toHaveLength(1);
    expect(server.requests.some(({ replayed }) => replayed)).toBe(true);
  });

  test.each([
    ['StripeRateLimitError', stripeFault.lockTimeout()],
    ['StripeAPIError', stripeFault.apiError()],
    // The library has its own type for this error only with status 400.
    ['StripeAPIError', stripeFault.keyInUse()],
    ['StripeAuthenticationError', stripeFault.keyExpired()],
    ['StripeConnectionError', stripeFault.doneThenReset('after-headers')],
  ])('%s, by %j', async (type, step) => {
    const { sdk, server } = await stripe();
    server.always(step);
    expect(await rejection(sdk.prices.list())).toMatchObject({ type });
  });
});

test('a folder keeps everything across restarts, and ids go on', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stripe-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const endpoints = [{ url: 'http://127.0.0.1:9/hook', secret: 'whsec_1' }];
  const first = await stripe({ dataDir, endpoints, retryDelaysMs: [] });
  const { id, payment_intent: intent } = await buy(first.server, first.sdk);
  first.server.control.setPriceActive({ price: 'price_studio', active: false });
  await first.server.close();
  // The process died in the middle of a write.
  await appendFile(join(dataDir, 'journal.jsonl'), '{"ids":9,"table":"sess');
  const second = await stripe({ dataDir, endpoints, retryDelaysMs: [] });
  expect(await second.sdk.checkout.sessions.retrieve(id)).toMatchObject({ payment_status: 'paid' });
  expect((await second.sdk.prices.retrieve('price_studio')).active).toBe(false);
  expect((await second.sdk.webhookEndpoints.list()).data).toHaveLength(1);
  await second.sdk.refunds.create({ payment_intent: String(intent) });
  const next = await second.sdk.checkout.sessions.create(sessionParams());
  expect(next.id).not.toBe(id);
  await second.server.close();
  const third = await stripe({ dataDir });
  expect((await third.sdk.checkout.sessions.list()).data.map((one) => one.id)).toEqual([next.id, id]);
});

test('the same seed and calls make the same ids', async () => {
  const [a, b] = [await stripe(), await stripe()];
  const [one, other] = [await buy(a.server, a.sdk), await buy(b.server, b.sdk)];
  expect(one.id).toBe(other.id);
  expect(one.payment_intent).toBe(other.payment_intent);
});
