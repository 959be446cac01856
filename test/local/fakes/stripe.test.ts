import { describe, expect, test } from 'vitest';
import { buy, getTypes, sessionParams, stripe, webhookHandler, webhookSecret } from './stripeSupport.ts';

/** What a browser sends when a visitor presses one of the page's buttons. */
const press = (page: string, outcome: string) =>
  fetch(page, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ email: 'ann@example.com', outcome }),
  });

describe('checkout', () => {
  test('creates a session with the library, with the amount of the price', async () => {
    const { sdk, server } = await stripe();
    const session = await sdk.checkout.sessions.create(sessionParams({ customer_creation: 'always' }));
    expect(session).toMatchObject({
      object: 'checkout.session',
      id: expect.stringMatching(/^cs_test_a1\w{56}$/),
      amount_total: 500,
      currency: 'usd',
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      livemode: false,
      metadata: { uid: 'u1', pack: 'starter', credits: '100' },
      url: `${server.url}/c/pay/${session.id}`,
    });
    expect(session.expires_at - session.created).toBe(24 * 3600);
    expect(session.line_items).toBeUndefined();
    expect(session.lastResponse.apiVersion).toBe('2026-10-28.endive');
    expect(session.lastResponse.requestId).toMatch(/^req_/);
  });

  test('the page shows what is paid, without scripts, and sends the visitor back with the id', async () => {
    const { sdk } = await stripe();
    const session = await sdk.checkout.sessions.create(sessionParams());
    const page = await fetch(session.url ?? '');
    const policy = page.headers.get('content-security-policy');
    const html = await page.text();
    expect(html).toContain('100 credits');
    expect(html).toContain('$5.00');
    expect(html).toContain('href="http://localhost:8080/studio"');
    expect(html).not.toContain('<script');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' http://localhost:8080;");
    const answer = await press(session.url ?? '', 'pay');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`http://localhost:8080/studio?session=${session.id}`);
  });

  test('a paid session has intent, charge, customer and invoice', async () => {
    const { sdk } = await stripe();
    const { id, url } = await sdk.checkout.sessions.create(
      sessionParams({ customer_creation: 'always', invoice_creation: { enabled: true } }),
    );
    await press(url ?? '', 'pay');
    const session = await sdk.checkout.sessions.retrieve(id, {
      expand: ['payment_intent.latest_charge', 'line_items', 'customer', 'invoice'],
    });
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      url: null,
      customer: { object: 'customer', email: 'ann@example.com' },
      customer_details: { email: 'ann@example.com' },
      payment_intent: {
        status: 'succeeded',
        amount_received: 500,
        metadata: { uid: 'u1' },
        latest_charge: { object: 'charge', amount: 500, paid: true, amount_refunded: 0 },
      },
      line_items: { data: [{ price: { id: 'price_starter' }, quantity: 1, amount_total: 500 }] },
      invoice: { status: 'paid', total: 500 },
    });
  });

  test('a declined card leaves the session open, and the next try uses the same intent', async () => {
    const { sdk, server } = await stripe();
    const { id, url } = await sdk.checkout.sessions.create(sessionParams());
    const page = await press(url ?? '', 'decline');
    expect(await page.text()).toContain('Your card was declined');
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({
      status: 'open',
      payment_status: 'unpaid',
    });
    await press(url ?? '', 'pay');
    expect(getTypes(server)).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
    ]);
    expect((await sdk.paymentIntents.list()).data).toHaveLength(1);
  });

  test.each([
    ['succeeded', 'checkout.session.async_payment_succeeded', 'paid'],
    ['failed', 'checkout.session.async_payment_failed', 'unpaid'],
  ] as const)('a payment that comes later completes unpaid, then has %s', async (outcome, type, status) => {
    const { sdk, server } = await stripe();
    const { id, url } = await sdk.checkout.sessions.create(sessionParams());
    await press(url ?? '', 'later');
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({
      status: 'complete',
      payment_status: 'unpaid',
    });
    server.control.settlePayment({ outcome });
    expect(await sdk.checkout.sessions.retrieve(id)).toMatchObject({ payment_status: status });
    const [completed, last] = server.events().filter((event) => event.type.startsWith('checkout.'));
    expect(completed?.data.object).toMatchObject({ id, payment_status: 'unpaid' });
    expect(last).toMatchObject({ type, data: { object: { id, payment_status: status } } });
    expect(() => server.control.settlePayment({ session: id, outcome })).toThrow();
  });

  test('a session for cards alone takes no payment that comes later', async () => {
    const { sdk, server } = await stripe();
    const params = sessionParams({ allowed_payment_method_types: ['card'] });
    const { id, url } = await sdk.checkout.sessions.create(params);
    expect(await (await fetch(url ?? '')).text()).not.toContain('value="later"');
    expect(() => server.control.pay({ session: id, later: true })).toThrow('no delayed payment');
    expect(server.control.pay({ session: id }).payment_status).toBe('paid');
  });

  test('nothing to pay completes without a payment', async () => {
    const { sdk, server } = await stripe();
    const session = await buy(server, sdk, { line_items: [{ price: 'price_free', quantity: 1 }] });
    expect(session).toMatchObject({ payment_status: 'no_payment_required', payment_intent: null });
  });

  test('tax is added on top where Stripe computes it', async () => {
    const { sdk, server } = await stripe({ taxPercent: 19 });
    const session = await buy(server, sdk, { managed_payments: { enabled: true } });
    expect(session).toMatchObject({
      amount_subtotal: 500,
      amount_total: 595,
      total_details: { amount_tax: 95 },
    });
    expect((await buy(server, sdk)).amount_total).toBe(500);
  });

  test('a test can pay another amount than was asked', async () => {
    const { sdk, server } = await stripe();
    const { id } = await sdk.checkout.sessions.create(sessionParams({ allow_promotion_codes: true }));
    expect(server.control.pay({ session: id, amountTotal: 1 })).toMatchObject({
      amount_total: 1,
      total_details: { amount_discount: 499 },
      payment_status: 'paid',
    });
  });

  test('a session expires by the call, and by the clock', async () => {
    const { sdk, server } = await stripe();
    const first = await sdk.checkout.sessions.create(sessionParams());
    expect(await sdk.checkout.sessions.expire(first.id)).toMatchObject({ status: 'expired', url: null });
    const second = await sdk.checkout.sessions.create(sessionParams());
    server.control.moveClock({ by: 25 * 3600 * 1000 });
    expect(await sdk.checkout.sessions.retrieve(second.id)).toMatchObject({ status: 'expired' });
    expect(getTypes(server)).toEqual(['checkout.session.expired', 'checkout.session.expired']);
    const page = await fetch(`${server.url}/c/pay/${second.id}`);
    expect(await page.text()).toContain('has expired');
  });
});

describe('the customer portal', () => {
  test('lists the invoices, and leads back', async () => {
    const { sdk, server } = await stripe();
    const { customer } = await buy(server, sdk, {
      customer_creation: 'always',
      invoice_creation: { enabled: true },
    });
    const portal = await sdk.billingPortal.sessions.create({
      customer: String(customer),
      return_url: 'http://localhost:8080/studio?a=1&b=2',
    });
    const page = await (await fetch(portal.url)).text();
    expect(page).toContain('href="http://localhost:8080/studio?a=1&#38;b=2"');
    const invoice = /href="(\/i\/in_\w+)"/.exec(page)?.[1];
    expect(await (await fetch(`${server.url}${invoice}`)).text()).toContain('$5.00');
  });
});

describe('customers', () => {
  test('are created, found, changed and deleted', async () => {
    const { sdk } = await stripe();
    const { id } = await sdk.customers.create({ email: 'ann@example.com', metadata: { uid: 'u1' } });
    await sdk.customers.create({ email: 'bob@example.com' });
    expect((await sdk.customers.list({ email: 'ann@example.com' })).data.map((one) => one.id)).toEqual([id]);
    const found = await sdk.customers.search({ query: "metadata['uid']:'u1' AND email:'ann@example.com'" });
    expect(found.data.map((one) => one.id)).toEqual([id]);
    expect(await sdk.customers.update(id, { name: 'Ann' })).toMatchObject({
      name: 'Ann',
      email: 'ann@example.com',
    });
    expect(await sdk.customers.del(id)).toMatchObject({ id, deleted: true });
    expect(await sdk.customers.retrieve(id)).toMatchObject({ id, object: 'customer', deleted: true });
    expect((await sdk.customers.list()).data).toHaveLength(1);
  });
});

describe('webhooks', () => {
  test('an event has the shape that the library verifies', async () => {
    const handler = await webhookHandler();
    const { sdk, server } = await stripe({ endpoints: [{ url: handler.url, secret: webhookSecret }] });
    const { id } = await buy(server, sdk);
    await server.webhooks.idle();
    expect([...handler.types()].sort()).toEqual([
      'charge.succeeded',
      'checkout.session.completed',
      'payment_intent.created',
      'payment_intent.succeeded',
    ]);
    const completed = handler.received.find(({ event }) => event?.type === 'checkout.session.completed');
    expect(completed?.event).toMatchObject({
      id: expect.stringMatching(/^evt_1/),
      object: 'event',
      api_version: '2026-10-28.endive',
      livemode: false,
      pending_webhooks: 1,
      request: null,
      data: { object: { id, payment_status: 'paid' } },
    });
    expect(completed?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64},v0=[0-9a-f]{64}$/),
      'user-agent': expect.stringContaining('Stripe/1.0'),
    });
    const kept = await sdk.events.retrieve(completed?.event?.id ?? '');
    expect(kept.pending_webhooks).toBe(0);
  });

  test('an event names the call that caused it, and the values before', async () => {
    const { sdk, server } = await stripe();
    const { id } = await sdk.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'k1' });
    await sdk.customers.update(id, { email: 'b@example.com' });
    const [created, updated] = server.events();
    expect(created?.request).toEqual({ id: expect.stringMatching(/^req_/), idempotency_key: 'k1' });
    expect(updated?.data.previous_attributes).toEqual({ email: 'a@example.com' });
  });

  test('endpoints are made by the API, with types of their own and a secret that is shown once', async () => {
    const handler = await webhookHandler();
    const { sdk, server } = await stripe();
    const endpoint = await sdk.webhookEndpoints.create({
      url: handler.url,
      enabled_events: ['checkout.session.completed'],
    });
    expect(endpoint.secret).toMatch(/^whsec_/);
    expect((await sdk.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined();
    await buy(server, sdk);
    await sdk.webhookEndpoints.update(endpoint.id, { disabled: true });
    await buy(server, sdk);
    await sdk.webhookEndpoints.update(endpoint.id, { disabled: false, enabled_events: ['charge.succeeded'] });
    await buy(server, sdk);
    await server.webhooks.idle();
    const types = handler.received.map(({ body }) => JSON.parse(body).type);
    expect(types).toEqual(['checkout.session.completed', 'charge.succeeded']);
    expect((await sdk.webhookEndpoints.list()).data).toHaveLength(1);
  });
});
