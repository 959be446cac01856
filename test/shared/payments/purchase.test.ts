/** Buying a pack: from the list of packs to the credits in the ledger. */
import { describe, expect, it } from 'vitest';
import { createPaymentStudio } from '../../support/paymentStudio.ts';

const completed = 'checkout.session.completed';

describe('a purchase', () => {
  it('goes from the packs over checkout to the credits', async () => {
    const studio = await createPaymentStudio();
    const packs = await studio.get('packs', {}, '');
    expect(packs.body).toEqual({
      packs: [
        { id: 'starter', credits: 100, amount: 500, currency: 'usd' },
        { id: 'studio', credits: 500, amount: 2000, currency: 'usd' },
        { id: 'odd', credits: 7, amount: 999, currency: 'eur' },
      ],
    });
    const { status, body } = await studio.checkout();
    expect([status, body]).toEqual([
      200,
      { sessionId: expect.stringMatching(/^cs_test_/), url: expect.stringContaining(studio.stripe.url) },
    ]);
    const { sessionId } = body as unknown as { sessionId: string };
    expect((await studio.confirm(sessionId)).body).toEqual({
      status: 'unpaid',
      account: { uid: 'ann', balance: 0, sequence: 0 },
    });
    studio.stripe.control.pay({ session: sessionId });
    expect(await studio.deliver(studio.event(completed))).toEqual({ status: 200, body: { received: true } });
    expect(studio.entries()).toEqual([`purchase:${sessionId} 100`]);
    expect(studio.purchase(sessionId)).toMatchObject({
      pack: 'starter',
      credits: 100,
      amount: 500,
      tax: 0,
      currency: 'usd',
      claim: 0,
      refunds: {},
      disputes: {},
    });
    const confirmed = await studio.confirm(sessionId);
    expect(confirmed.body).toMatchObject({
      status: 'paid',
      account: { uid: 'ann', balance: 100, sequence: 1 },
      entry: { id: `purchase:${sessionId}`, type: 'purchase', amount: 100, balance: 100, sequence: 1 },
    });
    expect(studio.account()).toMatchObject({ balance: 100, customers: [expect.stringMatching(/^cus_/)] });
  });
});
