import { describe, expect, test } from 'vitest';
import { type DeliveryStep, deliveryFault } from '../../../local/fakes/stripe/faults.ts';
import { buy, type Received, sessionParams, stripe, webhookHandler, webhookSecret } from './stripeSupport.ts';

const completed = 'checkout.session.completed';
const day = 24 * 3600 * 1000;

/** A handler of one type of event, and a fake that delivers to it. */
async function connected(answer?: (received: Received, count: number) => number, type = completed) {
  const handler = await webhookHandler(answer);
  const endpoint = { url: handler.url, secret: webhookSecret, enabledEvents: [type] };
  return { handler, ...(await stripe({ endpoints: [endpoint] })) };
}

describe('delivery', () => {
  test('is repeated until the handler answers 2xx, each time with a new signature', async () => {
    const { handler, sdk, server } = await connected((_, count) => (count < 3 ? 500 : 204));
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received.map(({ event }) => event?.id)).toEqual(Array(3).fill(server.events().at(-1)?.id));
    expect(server.webhooks.deliveries.map(({ attempt, answer }) => [attempt, answer])).toEqual([
      [1, 500],
      [2, 500],
      [3, 204],
    ]);
    expect(server.events().at(-1)?.pending_webhooks).toBe(0);
  });

  test('ends after the last retry, and the event stays pending', async () => {
    const { handler, sdk, server } = await connected(() => 400);
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received).toHaveLength(3);
    expect(server.events().at(-1)?.pending_webhooks).toBe(1);
    expect((await sdk.events.list({ type: completed, delivery_success: false })).data).toHaveLength(1);
  });

  test('a redirect is not followed', async () => {
    const { handler, sdk, server } = await connected((_, count) => (count === 1 ? 302 : 200));
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(server.webhooks.deliveries.map(({ answer }) => answer)).toEqual([302, 200]);
    expect(handler.received).toHaveLength(2);
  });

  test('goes to two endpoints at once, each with its own secret', async () => {
    const { handler, sdk, server } = await connected();
    const other = await webhookHandler();
    server.addEndpoint({ url: other.url, secret: 'whsec_other' });
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.types()).toEqual([completed]);
    const same = other.received.find(({ body }) => JSON.parse(body).type === completed);
    expect(same?.event).toBeUndefined();
    expect(JSON.parse(same?.body ?? '').id).toBe(handler.received[0]?.event?.id);
    expect(JSON.parse(same?.body ?? '').pending_webhooks).toBe(2);
  });

  test('is repeated by hand', async () => {
    const { handler, sdk, server } = await connected();
    await buy(server, sdk);
    await server.webhooks.idle();
    server.control.resend({});
    await server.webhooks.idle();
    expect(handler.received.map(({ event }) => event?.id)).toEqual(Array(2).fill(server.events().at(-1)?.id));
  });
});

describe('faults of a delivery', () => {
  test('duplicate: the same event arrives at once', async () => {
    const { handler, sdk, server } = await connected();
    const silent = await webhookHandler(() => 500);
    server.addEndpoint({ url: silent.url, enabledEvents: [completed] });
    server.webhooks.script({ endpoint: handler.url, ...deliveryFault.duplicate(3) });
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(new Set(handler.received.map(({ event }) => event?.id)).size).toBe(1);
    expect(handler.received).toHaveLength(3);
    expect(server.events().at(-1)?.pending_webhooks).toBe(1);
  });

  test('drop: the handler hears nothing, the API has the event', async () => {
    const { handler, sdk, server } = await connected();
    server.webhooks.script(deliveryFault.drop());
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received).toEqual([]);
    expect((await sdk.events.list({ type: completed })).data).toHaveLength(1);
  });

  test('hold: a refund arrives before its purchase', async () => {
    const { handler, sdk, server } = await connected(undefined, '*');
    server.webhooks.script({ type: completed, ...deliveryFault.hold() });
    await buy(server, sdk);
    server.control.refund();
    await server.webhooks.idle();
    expect(handler.types()).toContain('refund.created');
    expect(handler.types()).not.toContain(completed);
    server.webhooks.release();
    await server.webhooks.idle();
    expect(handler.types().at(-1)).toBe(completed);
  });

  test('reorder: two purchases arrive the other way round', async () => {
    const { handler, sdk, server } = await connected();
    server.webhooks.script(deliveryFault.reorder());
    const first = await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received).toEqual([]);
    const second = await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received.map(({ body }) => JSON.parse(body).data.object.id)).toEqual([
      second.id,
      first.id,
    ]);
  });

  test('hold: several events are kept back, and released at once', async () => {
    const { handler, sdk, server } = await connected();
    server.webhooks.always(deliveryFault.hold());
    const first = await buy(server, sdk);
    const second = await buy(server, sdk);
    server.webhooks.release('newestFirst');
    await server.webhooks.idle();
    const ids = handler.received.map(({ body }) => JSON.parse(body).data.object.id);
    expect(ids.sort()).toEqual([first.id, second.id].sort());
  });

  test('delay: an event of three days ago arrives with a signature of today', async () => {
    const { handler, sdk, server } = await connected();
    const now = Date.now();
    server.clock.set(now - 3 * day);
    server.webhooks.script(deliveryFault.delay(2.5 * day));
    await buy(server, sdk);
    server.control.moveClock({ by: 2 * day });
    await server.webhooks.idle();
    expect(handler.received).toEqual([]);
    server.control.moveClock({ by: day });
    await server.webhooks.idle();
    expect(handler.types()).toEqual([completed]);
    const age = Date.now() / 1000 - (handler.received[0]?.event?.created ?? 0);
    expect(age).toBeGreaterThan(3 * 24 * 3600 - 60);
  });

  test.each(['before-answer', 'after-answer'] as const)('cut %s: Stripe tries again', async (when) => {
    const { handler, sdk, server } = await connected();
    server.webhooks.script(deliveryFault.cut(when));
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(server.webhooks.deliveries.map(({ answer }) => answer)).toEqual(['cut', 200]);
    expect(handler.received.at(-1)?.event?.type).toBe(completed);
    if (when === 'after-answer') expect(handler.received).toHaveLength(2);
  });

  test.each<[string, DeliveryStep]>([
    ['an altered body', deliveryFault.alteredBody('"amount_total": 500', '"amount_total": 50000')],
    ['a space at the end', deliveryFault.alteredBody()],
    ['a wrong signature', deliveryFault.wrongSignature()],
    ['no signature', deliveryFault.missingSignature()],
    ['an old signature', deliveryFault.staleSignature()],
  ])('%s is refused by the library, the retry is whole', async (_, step) => {
    const { handler, sdk, server } = await connected(({ event }) => (event ? 200 : 400));
    server.webhooks.script(step);
    const { id } = await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received.map(({ event }) => event === undefined)).toEqual([true, false]);
    expect(handler.received[1]?.event?.data.object).toMatchObject({ id, amount_total: 500 });
  });

  test('wrong mode: rightly signed, but live', async () => {
    const { handler, sdk, server } = await connected();
    server.webhooks.script(deliveryFault.wrongMode());
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.received[0]?.event?.livemode).toBe(true);
  });

  test('a fault that fits no event shows in the list of deliveries', async () => {
    const { sdk, server } = await connected();
    server.webhooks.script(deliveryFault.alteredBody('"colour"', ''));
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(server.webhooks.deliveries.map(({ answer }) => answer)).toEqual([
      'The event has no "colour"',
      200,
    ]);
  });

  test('a fault can choose its type and endpoint', async () => {
    const { handler, sdk, server } = await connected(undefined, '*');
    server.webhooks.always({ type: 'charge.succeeded', endpoint: handler.url, ...deliveryFault.drop() });
    await buy(server, sdk);
    await server.webhooks.idle();
    expect(handler.types()).not.toContain('charge.succeeded');
    expect(handler.types()).toContain(completed);
  });
});

describe('the control over HTTP', () => {
  const post = (url: string, body: unknown, contentType = 'application/json') =>
    fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: JSON.stringify(body) });

  test('does what the object does', async () => {
    const { handler, sdk, server } = await connected(undefined, 'refund.created');
    const { id } = await sdk.checkout.sessions.create(sessionParams());
    const paid = await post(`${server.url}/__control/pay`, { session: id });
    expect(await paid.json()).toMatchObject({ id, payment_status: 'paid' });
    const steps = [deliveryFault.duplicate()];
    expect((await post(`${server.url}/__control/scriptDeliveries`, { steps })).status).toBe(200);
    const refund = await post(`${server.url}/__control/refund`, { amount: 100 });
    expect(await refund.json()).toMatchObject({ object: 'refund', amount: 100 });
    await server.webhooks.idle();
    expect(handler.types()).toEqual(['refund.created', 'refund.created']);
    const listed = await post(`${server.url}/__control/list`, {});
    expect(await listed.json()).toMatchObject({ sessions: [{ id }] });
  });

  test('refuses what is wrong, and what a web page could send', async () => {
    const { server } = await stripe();
    expect((await post(`${server.url}/__control/fly`, {})).status).toBe(404);
    expect((await post(`${server.url}/__control/constructor`, {})).status).toBe(404);
    expect((await post(`${server.url}/__control/refund`, { amount: 0 })).status).toBe(400);
    expect((await post(`${server.url}/__control/refund`, {})).status).toBe(404);
    expect((await post(`${server.url}/__control/pay`, {}, 'text/plain')).status).toBe(415);
  });
});
