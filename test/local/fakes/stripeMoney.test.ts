import { describe, expect, test } from 'vitest';
import { buy, getTypes, stripe } from './stripeSupport.ts';
import { rejection } from './support.ts';

const getCharge = async (sdk: Awaited<ReturnType<typeof stripe>>['sdk'], intent: unknown) => {
  const { data } = await sdk.charges.list({ payment_intent: String(intent) });
  return data[0];
};

describe('refunds', () => {
  test('in parts up to the whole, each an object with events of its own', async () => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    const before = server.events().length;
    const first = await sdk.refunds.create({ payment_intent: String(intent), amount: 200 });
    expect(first).toMatchObject({
      object: 'refund',
      status: 'succeeded',
      amount: 200,
      payment_intent: intent,
    });
    expect(await getCharge(sdk, intent)).toMatchObject({ amount_refunded: 200, refunded: false });
    const tooMuch = await rejection(sdk.refunds.create({ payment_intent: String(intent), amount: 301 }));
    expect(tooMuch).toMatchObject({
      statusCode: 400,
      param: 'amount',
      message: 'Refund amount ($3.01) is greater than unrefunded amount on charge ($3.00)',
    });
    const second = await sdk.refunds.create({ payment_intent: String(intent) });
    expect(second.amount).toBe(300);
    expect(await getCharge(sdk, intent)).toMatchObject({ amount_refunded: 500, refunded: true });
    expect(await rejection(sdk.refunds.create({ payment_intent: String(intent) }))).toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
    });
    const events = server.events().slice(before);
    expect(events.map(({ type }) => type)).toEqual([
      'refund.created',
      'charge.refunded',
      'refund.created',
      'charge.refunded',
    ]);
    // The charge tells the sum, and names no refund.
    expect(events[3]?.data).toMatchObject({
      object: { amount_refunded: 500 },
      previous_attributes: { amount_refunded: 200, refunded: false },
    });
    expect(events[3]?.data.object).not.toHaveProperty('refunds');
    const listed = await sdk.refunds.list({ payment_intent: String(intent) });
    expect(listed.data.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await sdk.refunds.retrieve(first.id)).toMatchObject({ id: first.id, amount: 200 });
  });

  test.each([
    ['succeeded', 500, ['charge.refund.updated', 'refund.updated']],
    ['failed', 0, ['charge.refund.updated', 'refund.updated', 'refund.failed', 'charge.updated']],
    ['canceled', 0, ['charge.refund.updated', 'refund.updated', 'charge.updated']],
  ] as const)('a pending refund that is %s later', async (outcome, refunded, types) => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    const { id } = server.control.refund({ outcome: 'pending' });
    expect(await sdk.refunds.retrieve(id)).toMatchObject({ status: 'pending' });
    const before = server.events().length;
    server.control.settleRefund({ outcome });
    expect(await sdk.refunds.retrieve(id)).toMatchObject({ status: outcome });
    expect(await getCharge(sdk, intent)).toMatchObject({ amount_refunded: refunded });
    const events = server.events().slice(before);
    expect(events.map(({ type }) => type)).toEqual(types);
    expect(events[1]?.data).toMatchObject({
      object: { id, status: outcome },
      previous_attributes: { status: 'pending' },
    });
    expect(() => server.control.settleRefund({ refund: id, outcome })).toThrow();
  });

  test('one that succeeded fails weeks later', async () => {
    const { sdk, server } = await stripe();
    await buy(server, sdk);
    const { id } = server.control.refund({ amount: 100 });
    server.control.settleRefund({ outcome: 'failed' });
    expect(await sdk.refunds.retrieve(id)).toMatchObject({
      status: 'failed',
      failure_reason: 'lost_or_stolen_card',
      failure_balance_transaction: expect.stringMatching(/^txn_/),
    });
    expect(server.events().at(-2)).toMatchObject({
      type: 'refund.failed',
      data: { previous_attributes: { status: 'succeeded' } },
    });
  });

  test('a change of metadata sends an update although no money moves', async () => {
    const { sdk, server } = await stripe();
    await buy(server, sdk);
    const { id } = server.control.refund();
    await sdk.refunds.update(id, { metadata: { note: 'seen' } });
    expect(server.events().at(-1)).toMatchObject({
      type: 'refund.updated',
      data: { object: { status: 'succeeded', metadata: { note: 'seen' } } },
    });
  });

  test('without a payment there is nothing to refund', async () => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    server.control.dispute();
    server.control.dispute({ inquiry: true });
    expect(await rejection(sdk.refunds.create({ payment_intent: String(intent) }))).toMatchObject({
      code: 'charge_disputed',
    });
    expect(await rejection(sdk.refunds.create({}))).toMatchObject({ code: 'parameter_missing' });
    expect(await rejection(sdk.refunds.create({ payment_intent: 'pi_none' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_intent',
    });
  });
});

describe('disputes', () => {
  test('take the money, and bring it back when won', async () => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    const before = server.events().length;
    const { id } = server.control.dispute({ reason: 'fraudulent' });
    expect(await sdk.disputes.retrieve(id)).toMatchObject({
      status: 'needs_response',
      amount: 500,
      payment_intent: intent,
      is_charge_refundable: false,
      balance_transactions: [{ amount: -500, fee: 1500 }],
    });
    server.control.updateDispute({ step: 'respond' });
    server.control.updateDispute({ step: 'won' });
    expect(await sdk.disputes.retrieve(id)).toMatchObject({
      status: 'won',
      balance_transactions: [{ amount: -500 }, { amount: 500 }],
    });
    expect(getTypes(server).slice(before)).toEqual([
      'charge.updated',
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.updated',
      'charge.dispute.closed',
      'charge.dispute.funds_reinstated',
    ]);
    expect(server.events().at(-1)?.data.object).toMatchObject({ id, amount: 500, status: 'won' });
    expect(() => server.control.updateDispute({ step: 'lost' })).toThrow('impossible');
  });

  test('keep the money when lost', async () => {
    const { sdk, server } = await stripe();
    await buy(server, sdk);
    const { id } = server.control.dispute({ amount: 300 });
    server.control.updateDispute({ step: 'lost' });
    expect(await sdk.disputes.retrieve(id)).toMatchObject({ status: 'lost', amount: 300 });
    expect(getTypes(server).at(-1)).toBe('charge.dispute.closed');
  });

  test('bring back what was refunded before, although they are lost', async () => {
    const { sdk, server } = await stripe();
    await buy(server, sdk);
    server.control.refund({ amount: 200 });
    const { id } = server.control.dispute();
    server.control.updateDispute({ step: 'lost', returned: 200 });
    expect(server.events().at(-1)).toMatchObject({
      type: 'charge.dispute.funds_reinstated',
      data: {
        object: {
          id,
          status: 'lost',
          amount: 500,
          balance_transactions: [{ amount: -500 }, { amount: 200, fee: 0 }],
        },
      },
    });
  });

  test('a charge may have several', async () => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    const [first, second] = [
      server.control.dispute({ amount: 200 }),
      server.control.dispute({ amount: 300 }),
    ];
    const { data } = await sdk.disputes.list({ payment_intent: String(intent) });
    expect(data.map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  test('an inquiry takes nothing, until it is escalated', async () => {
    const { sdk, server } = await stripe();
    const { payment_intent: intent } = await buy(server, sdk);
    const { id } = server.control.dispute({ inquiry: true });
    expect(await sdk.disputes.retrieve(id)).toMatchObject({
      status: 'warning_needs_response',
      is_charge_refundable: true,
      balance_transactions: [],
    });
    expect(getTypes(server)).not.toContain('charge.dispute.funds_withdrawn');
    expect(() => server.control.updateDispute({ step: 'won' })).toThrow('impossible');
    await sdk.refunds.create({ payment_intent: String(intent), amount: 100 });
    server.control.updateDispute({ step: 'escalate' });
    expect(await sdk.disputes.retrieve(id)).toMatchObject({ status: 'needs_response' });
    expect(getTypes(server).at(-1)).toBe('charge.dispute.funds_withdrawn');
  });

  test('an inquiry closes without a change', async () => {
    const { sdk, server } = await stripe();
    await buy(server, sdk);
    server.control.dispute({ inquiry: true });
    expect(server.control.updateDispute({ step: 'warning_closed' }).status).toBe('warning_closed');
    const { data } = await sdk.disputes.list();
    expect(data.map(({ status }) => status)).toEqual(['warning_closed']);
  });
});
