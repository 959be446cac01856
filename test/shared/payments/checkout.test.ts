/** Starting a purchase: packs, refusals, keys and customers. */
import { describe, expect, it } from 'vitest';
import { stripeError } from '../../../local/fakes/stripe/errors.ts';
import { stripeFault } from '../../../local/fakes/stripe/faults.ts';
import { createMemoryWorld } from '../../support/memoryStudio.ts';
import { createPaymentStudio, type PaymentStudio, startStripe } from '../../support/paymentStudio.ts';
import type { Reply } from '../../support/replies.ts';

const sessions = { method: 'POST', path: '/v1/checkout/sessions' } as const;

/** HTTP status, reason and the first field that is named. */
const toRefusal = ({ status, body }: Pick<Reply, 'status' | 'body'>) => [
  status,
  body.error.details[0].reason,
  body.error.details[1]?.fieldViolations?.[0]?.field,
];

describe('packs', () => {
  it('are none where nothing is sold, and none can be bought', async () => {
    const studio = await createPaymentStudio({ env: { STRIPE_SECRET_KEY: '' } });
    expect((await studio.get('packs')).body).toEqual({ packs: [] });
    expect(toRefusal(await studio.checkout())).toEqual([400, 'INVALID_REQUEST', 'pack']);
    expect((await studio.confirm('cs_test_1')).status).toBe(404);
    expect((await studio.post('billingPortal', {})).status).toBe(404);
    expect((await studio.runJob('reconcilePayments')).body).toEqual({ checked: 0, healed: 0, broken: [] });
  });

  it('are asked for once in five minutes, by callers at the same time too', async () => {
    const studio = await createPaymentStudio();
    await Promise.all([studio.get('packs'), studio.get('packs')]);
    await studio.get('packs');
    expect(studio.stripe.requests).toHaveLength(3);
    studio.world.advance(301_000);
    await studio.get('packs');
    expect(studio.stripe.requests).toHaveLength(6);
  });

  it('stay as they were while Stripe fails; without a list it is 503', async () => {
    const studio = await createPaymentStudio();
    await studio.get('packs');
    studio.stripe.always(stripeFault.apiError(503));
    studio.world.advance(301_000);
    expect((await studio.get('packs')).body.packs).toHaveLength(3);
    const other = await createPaymentStudio({ fake: studio.stripe });
    expect(toRefusal(await other.get('packs'))).toEqual([503, 'PAYMENTS_UNAVAILABLE', undefined]);
    studio.stripe.always(undefined);
    expect((await other.get('packs')).status).toBe(503);
    other.world.advance(11_000);
    expect((await other.get('packs')).body.packs).toHaveLength(3);
  });

  it('without an active one-time price are left out, and logged', async () => {
    const stripe = await startStripe({ prices: [{ id: 'price_starter', unitAmount: 500 }] });
    const studio = await createPaymentStudio({ fake: stripe });
    expect((await studio.get('packs')).body.packs.map(({ id }: { id: string }) => id)).toEqual(['starter']);
    expect(studio.findEvents('pack_not_sold').map(({ pack }) => pack)).toEqual(['studio', 'odd']);
  });
});

describe('checkout refuses', () => {
  it('a pack that is not on sale, and names it', async () => {
    const studio = await createPaymentStudio();
    const answer = await studio.checkout('palace');
    expect(toRefusal(answer)).toEqual([400, 'INVALID_REQUEST', 'pack']);
    expect(answer.body.error.message).toContain('palace');
  });

  it('a pack whose price was switched off a moment ago', async () => {
    const studio = await createPaymentStudio();
    await studio.get('packs');
    studio.stripe.control.setPriceActive({ price: 'price_starter', active: false });
    expect(toRefusal(await studio.checkout())).toEqual([400, 'INVALID_REQUEST', 'pack']);
    expect((await studio.get('packs')).body.packs).toHaveLength(2);
  });

  it.each([
    ['a suspended account', { suspended: true }, [403, 'ACCOUNT_SUSPENDED']],
    ['a closed account', { closedAt: new Date() }, [409, 'ACCOUNT_CLOSED']],
    ['a spoilt balance', { balance: 'many' }, [409, 'ACCOUNT_INVALID']],
  ])('%s', async (_, fields, refusal) => {
    const studio = await createPaymentStudio();
    await studio.get('account');
    studio.edit('accounts/ann', fields);
    expect(toRefusal(await studio.checkout()).slice(0, 2)).toEqual(refusal);
    expect(studio.stripe.requests.filter(({ path }) => path === sessions.path)).toEqual([]);
  });

  it('a user who has not accepted the terms, until they have', async () => {
    const studio = await createPaymentStudio({ env: { TERMS_VERSION: '2026-11' } });
    const { status, body } = await studio.checkout();
    expect([status, body.error.details[0]]).toMatchObject([
      403,
      { reason: 'TERMS_NOT_ACCEPTED', metadata: { version: '2026-11' } },
    ]);
    expect((await studio.post('acceptTerms', { version: '2026-11' })).status).toBe(200);
    expect((await studio.checkout()).status).toBe(200);
  });

  it('an unverified user without credits', async () => {
    const studio = await createPaymentStudio();
    const as = 'user:eve:unverified';
    expect(toRefusal(await studio.checkout('starter', 'k', as)).slice(0, 2)).toEqual([
      403,
      'EMAIL_NOT_VERIFIED',
    ]);
    studio.edit('accounts/eve', { balance: 1 });
    expect((await studio.checkout('starter', 'k', as)).status).toBe(200);
  });

  it('a call without a key', async () => {
    const studio = await createPaymentStudio();
    const answer = await studio.post('checkout', { pack: 'starter' });
    expect(toRefusal(answer)).toEqual([400, 'INVALID_REQUEST', 'Idempotency-Key']);
  });
});

describe('a key', () => {
  it('is one session; another user with the same key has another one', async () => {
    const studio = await createPaymentStudio();
    const [first, second, other] = [
      await studio.checkout('starter', 'k'),
      await studio.checkout('starter', 'k'),
      await studio.checkout('starter', 'k', 'user:bob'),
    ];
    expect(second.body).toEqual(first.body);
    expect(other.body.sessionId).not.toBe(first.body.sessionId);
  });

  it('of another pack is refused', async () => {
    const studio = await createPaymentStudio();
    await studio.checkout('starter', 'k');
    const answer = await studio.checkout('studio', 'k');
    expect(toRefusal(answer).slice(0, 2)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('finds its session after the answer was lost', async () => {
    const studio = await createPaymentStudio();
    studio.stripe.script({ ...sessions, ...stripeFault.doneThenReset() });
    const { status } = await studio.checkout('starter', 'k');
    expect([200, 503]).toContain(status);
    expect((await studio.checkout('starter', 'k')).status).toBe(200);
    expect(studio.stripe.control.list({ table: 'sessions' }).sessions).toHaveLength(1);
  });
});

describe('Stripe', () => {
  it('that fails is 503, with Retry-After and the advice of a new key', async () => {
    const studio = await createPaymentStudio();
    await studio.get('packs');
    studio.stripe.always({ ...sessions, ...stripeFault.apiError(500) });
    const { status, body } = await studio.checkout();
    expect(status).toBe(503);
    expect(body.error.details).toMatchObject([
      { reason: 'PAYMENTS_UNAVAILABLE', metadata: { retry: 'new_key' } },
      { retryDelay: '5s' },
    ]);
  });

  it('that cannot be reached is 503, with the advice of the same key', async () => {
    const studio = await createPaymentStudio();
    await studio.get('packs');
    await studio.stripe.close();
    const { status, body } = await studio.checkout();
    expect(status).toBe(503);
    expect(body.error.details[0].metadata).toEqual({ retry: 'same_key' });
  });

  it('that refuses the key is 503, and an error in the log without the key', async () => {
    const studio = await createPaymentStudio({
      env: { STRIPE_SECRET_KEY: 'sk_test_51AnotherKeyOfSomebodyElse' },
    });
    expect((await studio.checkout()).status).toBe(503);
    expect(studio.findEvents('payments_misconfigured')[0]).toMatchObject({ severity: 'ERROR' });
    expect(JSON.stringify(studio.lines)).not.toContain('AnotherKeyOfSomebodyElse');
  });
});

describe('a customer', () => {
  it('is made once for a person, also by calls at the same time', async () => {
    const studio = await createPaymentStudio();
    await Promise.all([studio.checkout('starter', 'a'), studio.checkout('studio', 'b')]);
    await studio.checkout('odd', 'c');
    const { customers } = studio.stripe.control.list({ table: 'customers' });
    expect(customers).toMatchObject([{ metadata: { uid: 'ann', project: 'demo-memory' } }]);
    expect(studio.account()).toMatchObject({ customers: customers?.map(({ id }) => id) });
  });

  /** A studio in which something happens to the account while Stripe makes the customer. */
  async function createDisturbed(disturb: (studio: PaymentStudio) => void): Promise<PaymentStudio> {
    let isDone = false;
    const studio: PaymentStudio = await createPaymentStudio({
      faults: (database) => ({
        read(paths) {
          const hasCustomer = studio.stripe.control.list({ table: 'customers' }).customers?.length;
          if (hasCustomer && !isDone) {
            isDone = true;
            disturb(studio);
          }
          return database.read(paths);
        },
      }),
    });
    return studio;
  }

  it('is deleted again if the account closes in the meantime', async () => {
    const studio = await createDisturbed(({ edit }) => edit('accounts/ann', { closedAt: new Date() }));
    expect(toRefusal(await studio.checkout()).slice(0, 2)).toEqual([409, 'ACCOUNT_CLOSED']);
    expect(studio.stripe.control.list({ table: 'customers' }).customers).toMatchObject([{ deleted: true }]);
  });

  it('is kept on an account that an admin deletes in the meantime', async () => {
    const studio = await createDisturbed(({ world }) => world.store.commit([{ delete: 'accounts/ann' }]));
    expect((await studio.checkout()).status).toBe(200);
    const { customers } = studio.stripe.control.list({ table: 'customers' });
    expect(studio.account()).toMatchObject({ customers: customers?.map(({ id }) => id) });
  });

  it('that was deleted at Stripe is made again', async () => {
    const studio = await createPaymentStudio();
    await studio.get('account');
    studio.edit('accounts/ann', { customers: ['cus_gone'] });
    expect((await studio.checkout()).status).toBe(200);
    expect(studio.account()?.customers).toHaveLength(2);
    expect((await studio.checkout('studio')).status).toBe(200);
    expect(studio.account()?.customers).toHaveLength(2);
  });

  it('that the account has lost is deleted when the account is closed, and that of another studio is not', async () => {
    const studio = await createPaymentStudio();
    const uid = "o'neil";
    await studio.checkout('starter', 'a', `user:${uid}`);
    const env = { GOOGLE_CLOUD_PROJECT: 'demo-other' };
    const other = await createPaymentStudio({ fake: studio.stripe, env });
    await other.checkout('starter', 'a', `user:${uid}`);
    studio.world.store.commit([{ delete: `accounts/${uid}` }]);
    expect((await studio.post('closeAccount', { confirm: 'CLOSE' }, `user:${uid}`)).body).toEqual({
      status: 'closed',
    });
    const { customers } = studio.stripe.control.list({ table: 'customers' });
    expect(customers).toMatchObject([{ metadata: { uid, project: 'demo-other' } }, { deleted: true }]);
  });

  it('is not looked for where Stripe has no search', async () => {
    const studio = await createPaymentStudio();
    await studio.checkout();
    const refusal = stripeError(400, { message: 'Search is not available in your country.' });
    studio.stripe.script({ path: '/v1/customers/search', kind: 'reply', ...refusal });
    expect((await studio.post('closeAccount', { confirm: 'CLOSE' })).body).toEqual({ status: 'closed' });
    const { customers } = studio.stripe.control.list({ table: 'customers' });
    expect(customers).toMatchObject([{ deleted: true }]);
  });
});

/** A studio in which `meanwhile` happens while Stripe makes a customer. */
async function startInterrupted(meanwhile: (studio: PaymentStudio) => void) {
  const stripe = await startStripe({
    onRequest({ method, path }) {
      if (method === 'POST' && path === '/v1/customers') meanwhile(studio);
    },
  });
  const studio = await createPaymentStudio({ fake: stripe });
  return studio;
}

describe('while a customer is made', () => {
  it('an admin deletes the account: it is created again with the customer', async () => {
    const studio = await startInterrupted(({ world }) => {
      world.store.commit([{ delete: 'accounts/ann' }]);
    });
    expect((await studio.checkout()).status).toBe(200);
    expect(studio.account()?.customers).toHaveLength(1);
  });

  it('the account closes: the customer is deleted again, with the address', async () => {
    const studio = await startInterrupted(({ edit }) => edit('accounts/ann', { closedAt: new Date() }));
    expect(toRefusal(await studio.checkout()).slice(0, 2)).toEqual([409, 'ACCOUNT_CLOSED']);
    const { customers } = studio.stripe.control.list({ table: 'customers' });
    expect(customers).toMatchObject([{ deleted: true }]);
    expect(JSON.stringify(customers)).not.toContain('ann@example.com');
  });
});

describe('the session', () => {
  it('names where the buyer comes back to, one price, and what was asked', async () => {
    const studio = await createPaymentStudio();
    const { sessionId } = (await studio.checkout()).body;
    const { sessions: made } = studio.stripe.control.list({ table: 'sessions' });
    const metadata = {
      project: 'demo-memory',
      uid: 'ann',
      pack: 'starter',
      credits: '100',
      amount: '500',
      currency: 'usd',
    };
    expect(made).toMatchObject([
      {
        id: sessionId,
        success_url: 'https://studio.example/studio?session={CHECKOUT_SESSION_ID}',
        cancel_url: 'https://studio.example/studio',
        metadata,
        invoice_creation: { enabled: true },
        adaptive_pricing: { enabled: false },
        allow_promotion_codes: false,
      },
    ]);
    studio.stripe.control.pay({ session: sessionId });
    expect(studio.event('payment_intent.succeeded').data.object).toMatchObject({ metadata });
  });

  it('of somebody else, of another studio or of nobody is not found', async () => {
    const studio = await createPaymentStudio();
    const session = await studio.buy();
    expect((await studio.confirm(session, 'user:bob')).status).toBe(404);
    expect((await studio.confirm('cs_test_nothing')).status).toBe(404);
    const other = await createPaymentStudio({
      fake: studio.stripe,
      env: { GOOGLE_CLOUD_PROJECT: 'demo-other' },
    });
    expect((await other.confirm(session)).status).toBe(404);
    expect([studio.entries(), studio.entries('bob'), other.entries()]).toEqual([[], [], []]);
  });
});

describe('the portal', () => {
  it('is not found before the first purchase, and then leads to Stripe', async () => {
    const world = createMemoryWorld();
    const studio = await createPaymentStudio({ world });
    await studio.checkout();
    expect((await studio.post('billingPortal', {})).status).toBe(404);
    await studio.confirm(await studio.buy());
    const { status, body } = await studio.post('billingPortal', {});
    expect([status, body.url]).toEqual([200, expect.stringContaining(`${studio.stripe.url}/p/session/`)]);
  });

  it('is found after an admin has deleted the account', async () => {
    const studio = await createPaymentStudio();
    await studio.confirm(await studio.buy());
    studio.world.store.commit([{ delete: 'accounts/ann' }]);
    expect((await studio.post('billingPortal', {})).status).toBe(200);
    await studio.get('account');
    expect((await studio.post('billingPortal', {})).status).toBe(200);
    expect((await studio.post('billingPortal', {}, 'user:bob')).status).toBe(404);
  });
});
