import { describe, expect, test } from 'vitest';
import { buy, sessionParams, stripe, stripeSdk, testKey } from './stripeSupport.ts';
import { rejection } from './support.ts';

type Params = Parameters<typeof sessionParams>[0];

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('a checkout session is refused', () => {
  test.each<[string, Params, object]>([
    [
      'with a price that does not exist',
      { line_items: [{ price: 'price_none', quantity: 1 }] },
      { code: 'resource_missing', param: 'line_items[0][price]', message: "No such price: 'price_none'" },
    ],
    [
      'with a price of the live mode',
      { line_items: [{ price: 'price_live', quantity: 1 }] },
      {
        code: 'resource_missing',
        message:
          "No such price: 'price_live'; a similar object exists in live mode, but a test mode key was used to make this request.",
      },
    ],
    [
      'with an inactive price',
      { line_items: [{ price: 'price_old', quantity: 1 }] },
      {
        param: 'line_items[0][price]',
        message: 'The price specified is inactive. This field only accepts active prices.',
      },
    ],
    [
      'with prices in two currencies',
      {
        line_items: [
          { price: 'price_starter', quantity: 1 },
          { price: 'price_euro', quantity: 1 },
        ],
      },
      { param: 'line_items[1][price]', message: expect.stringContaining('only supports `eur`') },
    ],
    [
      'with an unknown customer',
      { customer: 'cus_none' },
      { code: 'resource_missing', param: 'customer', message: "No such customer: 'cus_none'" },
    ],
    [
      'with a customer and an address',
      { customer: 'cus_none', customer_email: 'a@example.com' },
      { message: 'You may only specify one of these parameters: customer, customer_email.' },
    ],
    [
      'that expires too early',
      { expires_at: inSeconds(29 * 60) },
      { param: 'expires_at', message: expect.stringContaining('at least 30 minutes') },
    ],
    [
      'that expires too late',
      { expires_at: inSeconds(25 * 3600) },
      { param: 'expires_at', message: expect.stringContaining('less than 24 hours') },
    ],
    [
      'with taxes under Managed Payments',
      { managed_payments: { enabled: true }, automatic_tax: { enabled: true } },
      { param: 'automatic_tax' },
    ],
    [
      'with a path for an address',
      { success_url: '/studio' },
      { code: 'url_invalid', param: 'success_url', message: expect.stringContaining('explicit scheme') },
    ],
    [
      'with long metadata',
      { metadata: { note: 'x'.repeat(501) } },
      { param: 'metadata[note]', message: expect.stringContaining('at most 500') },
    ],
    [
      'with an unknown parameter',
      { line_items: [{ price: 'price_starter', quantity: 1, colour: 'red' } as never] },
      {
        code: 'parameter_unknown',
        param: 'line_items[0][colour]',
        message: 'Received unknown parameter: line_items[0][colour]',
      },
    ],
    ['without items', { line_items: undefined as never }, { code: 'parameter_missing', param: 'line_items' }],
    ['without a mode', { mode: undefined as never }, { code: 'parameter_missing', param: 'mode' }],
    [
      'in an unknown mode',
      { mode: 'gift' },
      { param: 'mode', message: expect.stringContaining('must be one of') },
    ],
    [
      'with an empty text',
      { client_reference_id: '' },
      { code: 'parameter_invalid_empty', param: 'client_reference_id' },
    ],
    [
      'with half an item',
      { line_items: [{ price: 'price_starter', quantity: 1.5 }] },
      { code: 'parameter_invalid_integer', param: 'line_items[0][quantity]' },
    ],
  ])('%s', async (_, fields, error) => {
    const { sdk, server } = await stripe();
    expect(await rejection(sdk.checkout.sessions.create(sessionParams(fields)))).toMatchObject({
      type: 'StripeInvalidRequestError',
      rawType: 'invalid_request_error',
      statusCode: 400,
      ...error,
    });
    expect(server.requests.at(-1)?.refused).toBe(400);
  });

  test('with a deleted customer, as is a portal session', async () => {
    const { sdk, server } = await stripe();
    const { customer } = await buy(server, sdk, { customer_creation: 'always' });
    const id = String(customer);
    await sdk.customers.del(id);
    const error = { statusCode: 400, code: 'resource_missing', message: `No such customer: '${id}'` };
    expect(await rejection(sdk.checkout.sessions.create(sessionParams({ customer: id })))).toMatchObject(
      error,
    );
    expect(await rejection(sdk.billingPortal.sessions.create({ customer: id }))).toMatchObject(error);
    expect(await rejection(sdk.customers.del(id))).toMatchObject({ ...error, statusCode: 404 });
  });
});

test.each(['complete', 'expired'])('a session that is %s cannot expire', async (status) => {
  const { sdk, server } = await stripe();
  const { id } = await sdk.checkout.sessions.create(sessionParams());
  if (status === 'complete') server.control.pay();
  else server.control.expire();
  expect(await rejection(sdk.checkout.sessions.expire(id))).toMatchObject({
    statusCode: 400,
    message: `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${status}\`.`,
  });
  expect(() => server.control.pay({ session: id })).toThrow(`has a status of \`${status}\``);
});

test('what does not exist is 404', async () => {
  const { sdk, server } = await stripe();
  expect(await rejection(sdk.checkout.sessions.retrieve('cs_test_none'))).toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    message: 'No such checkout.session: cs_test_none',
  });
  expect(await rejection(sdk.prices.retrieve('price_none'))).toMatchObject({
    statusCode: 404,
    param: 'price',
  });
  const page = await fetch(`${server.url}/v1/subscriptions`, {
    headers: { authorization: `Bearer ${testKey}` },
  });
  expect(page.status).toBe(404);
  expect((await fetch(`${server.url}/c/pay/cs_test_none`)).status).toBe(404);
});

describe('keys', () => {
  const live = 'sk_live_51FakeKeyOfTheTest';
  const restricted = 'rk_test_51FakeKeyOfTheTest';

  test('a missing, wrong, publishable or replaced key is 401', async () => {
    const { server } = await stripe();
    const bare = await fetch(`${server.url}/v1/prices`);
    expect(bare.status).toBe(401);
    expect(await bare.json()).toMatchObject({
      error: {
        type: 'invalid_request_error',
        message: expect.stringContaining('You did not provide an API key'),
      },
    });
    expect(await rejection(stripeSdk(server, 'sk_test_wrongKey1234').prices.list())).toMatchObject({
      type: 'StripeAuthenticationError',
      statusCode: 401,
      message: 'Invalid API Key provided: sk_test_********1234',
    });
    expect(await rejection(stripeSdk(server, live).prices.list())).toMatchObject({ statusCode: 401 });
    expect(await rejection(stripeSdk(server, 'pk_test_1').prices.list())).toMatchObject({
      code: 'secret_key_required',
    });
  });

  test('the key may come as the user of basic authentication', async () => {
    const { server } = await stripe();
    const authorization = `Basic ${Buffer.from(`${testKey}:`).toString('base64')}`;
    expect((await fetch(`${server.url}/v1/prices`, { headers: { authorization } })).status).toBe(200);
  });

  test('a restricted key does what it may; to write includes to read', async () => {
    const { server } = await stripe({
      restrictedKeys: { [restricted]: ['checkout_session_write', 'plan_read'] },
    });
    const sdk = stripeSdk(server, restricted);
    const { id } = await sdk.checkout.sessions.create(sessionParams());
    expect((await sdk.checkout.sessions.retrieve(id)).status).toBe('open');
    expect((await sdk.prices.retrieve('price_starter')).livemode).toBe(false);
    expect(await rejection(sdk.customers.create({}))).toMatchObject({
      type: 'StripePermissionError',
      statusCode: 403,
      message: expect.stringContaining("Having the 'rak_customer_write' permission"),
    });
    expect(await rejection(sdk.events.list())).toMatchObject({ statusCode: 403 });
  });

  test('each mode has its own objects', async () => {
    const { server, sdk } = await stripe({ liveApiKey: live });
    const liveSdk = stripeSdk(server, live);
    const items = { line_items: [{ price: 'price_live', quantity: 1 }] };
    const session = await liveSdk.checkout.sessions.create(sessionParams(items));
    expect(session).toMatchObject({ livemode: true, id: expect.stringMatching(/^cs_live_/) });
    expect(await rejection(liveSdk.prices.retrieve('price_starter'))).toMatchObject({
      statusCode: 404,
      message: expect.stringContaining('exists in test mode, but a live mode key was used'),
    });
    server.control.pay({ session: session.id });
    expect(server.events().at(-1)).toMatchObject({ livemode: true, type: 'checkout.session.completed' });
    expect((await sdk.checkout.sessions.list()).data).toEqual([]);
    expect((await sdk.events.list()).data).toEqual([]);
  });
});

test('another API version is refused', async () => {
  const { sdk } = await stripe();
  expect(await rejection(sdk.prices.list({}, { apiVersion: '2020-08-27' }))).toMatchObject({
    statusCode: 400,
    message: 'Invalid Stripe API version: 2020-08-27',
  });
});

test('a property without an object cannot be expanded', async () => {
  const { sdk, server } = await stripe();
  const { id } = await buy(server, sdk);
  expect(await rejection(sdk.checkout.sessions.retrieve(id, { expand: ['colour'] }))).toMatchObject({
    statusCode: 400,
    message: 'This property cannot be expanded (colour).',
  });
});

describe('idempotency', () => {
  test('the same key and parameters get the same answer', async () => {
    const { sdk, server } = await stripe();
    const create = () => sdk.checkout.sessions.create(sessionParams(), { idempotencyKey: 'k1' });
    const [first, second] = [await create(), await create()];
    expect(second.id).toBe(first.id);
    expect(first.lastResponse.headers).not.toHaveProperty('idempotent-replayed');
    expect(second.lastResponse.headers).toMatchObject({
      'idempotent-replayed': 'true',
      'original-request': first.lastResponse.requestId,
    });
    expect(server.requests.map(({ replayed }) => replayed)).toEqual([undefined, true]);
    expect((await sdk.checkout.sessions.list()).data).toHaveLength(1);
  });

  test('other parameters or another endpoint are an error', async () => {
    const { sdk } = await stripe();
    const options = { idempotencyKey: 'k1' };
    await sdk.checkout.sessions.create(sessionParams(), options);
    const other = sessionParams({ line_items: [{ price: 'price_studio', quantity: 1 }] });
    expect(await rejection(sdk.checkout.sessions.create(other, options))).toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
      message: expect.stringContaining('same parameters they were first used with'),
    });
    expect(await rejection(sdk.customers.create({}, options))).toMatchObject({
      message: expect.stringContaining("('/v1/checkout/sessions' vs '/v1/customers')"),
    });
  });

  test('a refusal is an answer too, but wrong parameters do not use up the key', async () => {
    const { sdk, server } = await stripe();
    const items = { line_items: [{ price: 'price_old', quantity: 1 }] };
    const create = (fields: Params) =>
      sdk.checkout.sessions.create(sessionParams(fields), { idempotencyKey: 'k1' });
    await rejection(create({ mode: 'gift' }));
    await rejection(create(items));
    server.control.setPriceActive({ price: 'price_old', active: true });
    expect(await rejection(create(items))).toMatchObject({ message: expect.stringContaining('inactive') });
    expect(server.requests.at(-1)?.replayed).toBe(true);
    server.control.moveClock({ by: 24 * 3600 * 1000 });
    expect((await create(items)).status).toBe('open');
  });
});
