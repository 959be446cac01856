/** What the webhook accepts, refuses and ignores, before any credit moves. */
import { describe, expect, it } from 'vitest';
import { createPaymentStudio } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';

/** A paid session of which no event has arrived. */
async function createPaid(env: Record<string, string> = {}) {
  const studio = await createPaymentStudio({ env });
  const session = await studio.buy();
  const payload = JSON.stringify(studio.event(completed));
  return { studio, session, payload };
}

type Paid = Awaited<ReturnType<typeof createPaid>>;
type Request = [payload: string | Buffer, signature: string | undefined];
const toReason = (body: { error: { details: { reason: string }[] } }) => body.error.details[0]?.reason;

/** One byte that is no text, for the sign that stands for such bytes. */
function toUnreadable(studio: Paid['studio'], payload: string): Request {
  const text = payload.replace('"object"', '"\uFFFD":0,"object"');
  const [before = '', after = ''] = text.split('\uFFFD');
  const body = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
  return [body, studio.sign(text)];
}

describe('a signature', () => {
  it.each<[string, (paid: Paid) => Request]>([
    ['that is missing', ({ payload }) => [payload, undefined]],
    [
      'of another secret',
      ({ studio, payload }) => [payload, studio.sign(payload, { secret: 'whsec_other' })],
    ],
    ['that is 301 s old', ({ studio, payload }) => [payload, studio.sign(payload, { secondsAgo: 301 })]],
    ['that is no signature', ({ payload }) => [payload, 't=1,v1=zz']],
    [
      'of a body with one other byte',
      ({ studio, payload }) => [
        payload.replace('"amount_total":500', '"amount_total":501'),
        studio.sign(payload),
      ],
    ],
    ['that is empty', ({ payload }) => [payload, 't=1,v1=']],
    ['without a value', ({ payload }) => [payload, 't=1,v1']],
    ['of letters outside ASCII', ({ payload }) => [payload, `t=1,v1=${'é'.repeat(64)}`]],
    [
      'of a body after a byte order mark',
      ({ studio, payload }) => [`\uFEFF${payload}`, studio.sign(payload)],
    ],
    ['of a body that is no text', ({ studio, payload }) => toUnreadable(studio, payload)],
    ['of a body with one more space', ({ studio, payload }) => [`${payload} `, studio.sign(payload)]],
  ])('%s is refused, and no credits move', async (_, change) => {
    const paid = await createPaid();
    const [payload, signature] = change(paid);
    const answer = await paid.studio.postRaw(payload, signature);
    expect([answer.status, toReason(answer.body)]).toEqual([400, 'INVALID_REQUEST']);
    expect(paid.studio.entries()).toEqual([]);
  });

  it('of 299 s ago is accepted', async () => {
    const { studio, payload } = await createPaid();
    const answer = await studio.postRaw(payload, studio.sign(payload, { secondsAgo: 299 }));
    expect(answer.status).toBe(200);
    expect(studio.entries()).toHaveLength(1);
  });

  it.each(['whsec_old', 'whsec_new'])('of %s is accepted while a secret is replaced', async (secret) => {
    const { studio, payload } = await createPaid({ STRIPE_WEBHOOK_SECRET: 'whsec_old, whsec_new' });
    expect((await studio.postRaw(payload, studio.sign(payload, { secret }))).status).toBe(200);
    expect(studio.entries()).toHaveLength(1);
  });

  it('is refused while no secret is configured, and while nothing is sold', async () => {
    for (const env of [{ STRIPE_WEBHOOK_SECRET: '' }, { STRIPE_SECRET_KEY: '' }] as Record<
      string,
      string
    >[]) {
      const { studio, payload } = await createPaid();
      const other = await createPaymentStudio({ fake: studio.stripe, env });
      expect((await other.postRaw(payload, studio.sign(payload))).status).toBe(400);
      expect(other.entries()).toEqual([]);
    }
  });
});

describe('an event', () => {
  it('of 2 MB is refused', async () => {
    const { studio } = await createPaid();
    const payload = `{"id":"${'x'.repeat(2_000_000)}"}`;
    const answer = await studio.postRaw(payload, studio.sign(payload));
    expect([answer.status, toReason(answer.body)]).toEqual([413, 'TOO_LARGE']);
  });

  it('of the other mode is refused and logged', async () => {
    const { studio } = await createPaid();
    const answer = await studio.deliver({ ...studio.event(completed), livemode: true });
    expect(answer.status).toBe(400);
    expect(studio.findEvents('payment_wrong_mode')).toHaveLength(1);
    expect(studio.entries()).toEqual([]);
  });

  it.each(['sk_live_51Key', 'rk_live_51Key'])(
    'of live mode fits %s, and of test mode does not',
    async (key) => {
      const { studio } = await createPaid();
      const live = await createPaymentStudio({ fake: studio.stripe, env: { STRIPE_SECRET_KEY: key } });
      const event = studio.event(completed);
      expect((await live.deliver(event)).status).toBe(400);
      expect((await live.deliver({ ...event, livemode: true })).status).toBe(200);
      expect(live.entries()).toHaveLength(1);
    },
  );

  it.each([
    ['of an unknown type', { type: 'customer.updated', data: { object: { id: 'cus_1' } } }],
    [
      'of another kind',
      { object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found', data: undefined },
    ],
    ['of the payment itself', { type: 'payment_intent.succeeded' }],
    ['of the charge', { type: 'charge.refunded' }],
    ['of an opened dispute', { type: 'charge.dispute.created' }],
    ['of an expired session', { type: 'checkout.session.expired' }],
    ['of a failed payment', { type: 'checkout.session.async_payment_failed' }],
  ])('%s needs nothing', async (_, change) => {
    const { studio } = await createPaid();
    expect((await studio.deliver({ ...studio.event(completed), ...change })).status).toBe(200);
    expect(studio.entries()).toEqual([]);
  });

  it.each([
    ['none of our metadata', {}],
    [
      'the metadata of another studio',
      { project: 'other', uid: 'ann', pack: 'starter', credits: '100', amount: '500', currency: 'usd' },
    ],
  ])('of a session with %s needs nothing', async (_, metadata) => {
    const { studio } = await createPaid();
    const event = structuredClone(studio.event(completed)) as { data: { object: object } };
    Object.assign(event.data.object, { metadata });
    expect((await studio.deliver(event)).status).toBe(200);
    expect(studio.entries()).toEqual([]);
    expect(studio.lines.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });

  it('that comes three times counts once', async () => {
    const { studio, session } = await createPaid();
    const event = studio.event(completed);
    for (let i = 0; i < 3; i += 1) expect((await studio.deliver(event)).status).toBe(200);
    expect(studio.entries()).toEqual([`purchase:${session} 100`]);
  });
});

describe('a session that is paid later', () => {
  it.each([
    ['succeeded', 'checkout.session.async_payment_succeeded', 100, 'paid'],
    ['failed', 'checkout.session.async_payment_failed', 0, 'expired'],
  ] as const)('and then has %s', async (outcome, type, credits, status) => {
    const studio = await createPaymentStudio();
    const { sessionId: session } = (await studio.checkout()).body;
    studio.stripe.control.pay({ session, later: true });
    await studio.deliver(studio.event(completed));
    expect((await studio.confirm(session)).body).toMatchObject({ status: 'unpaid' });
    expect(studio.entries()).toEqual([]);
    studio.stripe.control.settlePayment({ session, outcome });
    await studio.deliver(studio.event(type));
    expect(studio.entries()).toEqual(credits ? [`purchase:${session} 100`] : []);
    expect((await studio.confirm(session)).body).toMatchObject({ status, account: { balance: credits } });
  });
});

it('a session that expires gives nothing, and says so', async () => {
  const studio = await createPaymentStudio();
  const { sessionId: session } = (await studio.checkout()).body;
  studio.stripe.control.expire({ session });
  expect((await studio.confirm(session)).body).toMatchObject({ status: 'expired' });
  expect(studio.entries()).toEqual([]);
});
