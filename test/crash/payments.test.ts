/**
 * The crash matrix of payments: every fault at every call to the database of each event. After Stripe has delivered the
 * event again, its entries are there once and everything adds up.
 */
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeStripe, startFakeStripe } from '../../local/fakes/stripe/stripe.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { findBrokenPayments } from '../support/paymentInvariants.ts';
import type { Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { createFaultyParts, type Fault, faults } from './faults.ts';

const apiKey = 'sk_test_51KeyOfTheCrashMatrix';
const secret = 'whsec_of_the_crash_matrix';
const hourMs = 3_600_000;

let stripe: FakeStripe;
let stack: Stack;
let faulty: ReturnType<typeof createFaultyParts>;
/** The server that gets the faults. */
let victim: string;
let cases = 0;

beforeAll(async () => {
  stripe = await startFakeStripe({ apiKey, prices: [{ id: 'price_starter', unitAmount: 500 }] });
  stack = await startStack({
    STRIPE_SECRET_KEY: apiKey,
    STRIPE_WEBHOOK_SECRET: secret,
    STRIPE_API_BASE_URL: stripe.url,
    CREDIT_PACKS: 'starter=price_starter:100',
  });
  const { database } = stack;
  const unused = () => Promise.reject(new Error('Not used here'));
  faulty = createFaultyParts({ database, imageGenerator: unused, imageStore: {} as never });
  victim = (await stack.startServer({}, { database: faulty.overrides.database })).url;
});
afterAll(async () => {
  process.stdout.write(`\nCrash matrix of payments: ${cases} cases\n`);
  await Promise.all([stack.close(), stripe.close()]);
});

/** Delivers the newest event of a type. @param id of the object that it is about, if the event may not be the newest. */
function deliver(type: string, id?: string): (url: string) => Promise<Reply> {
  const isWanted = (object: { id?: unknown }) => id === undefined || object.id === id;
  const event = stripe.events().findLast((one) => one.type === type && isWanted(one.data.object));
  const payload = JSON.stringify(event);
  const signature = new Stripe(apiKey).webhooks.generateTestHeaderString({ payload, secret });
  const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
  return (url) => stack.fetch('stripeWebhook', { method: 'POST', headers, body: payload }, url);
}

type Scenario = { ask(url: string): Promise<Reply>; entries: RegExp[]; expected: object };
type Victim = { name: string; points: string[]; prepare(uid: string): Promise<Scenario> };

const completed = 'checkout.session.completed';
const bought = /^purchase:cs_\w+ 100$/;

/** A user with 20 credits and a paid session. */
async function buy(uid: string) {
  const user = await stack.user(uid, 20);
  await user.get('account');
  const keyed = { 'idempotency-key': uid };
  const { sessionId } = (await user.post('checkout', { pack: 'starter' }, keyed)).body;
  stripe.control.pay({ session: sessionId });
  return { user, sessionId: sessionId as string };
}

const victims: Victim[] = [
  {
    name: 'the first checkout',
    points: ['read', 'read', 'commit'],
    async prepare(uid) {
      const user = await stack.user(uid, 20);
      await user.get('account');
      const keyed = { 'idempotency-key': uid };
      const ask = (url: string) => user.post('checkout', { pack: 'starter' }, keyed, url);
      return { ask, entries: [], expected: { balance: 20, customers: [expect.any(String)] } };
    },
  },
  {
    name: 'a purchase by the webhook',
    points: ['read', 'commit'],
    async prepare(uid) {
      await buy(uid);
      return { ask: deliver(completed), entries: [bought], expected: { balance: 120 } };
    },
  },
  {
    name: 'a purchase by the return page',
    points: ['read', 'commit'],
    async prepare(uid) {
      const { user, sessionId } = await buy(uid);
      const ask = (url: string) => user.post('confirmCheckout', { sessionId }, {}, url);
      return { ask, entries: [bought], expected: { balance: 120 } };
    },
  },
  {
    name: 'a refund before its purchase',
    points: ['read', 'commit'],
    async prepare(uid) {
      const { sessionId } = await buy(uid);
      stripe.control.refund({ session: sessionId, amount: 250 });
      const entries = [bought, /^clawback:re_\w+ -50$/];
      return { ask: deliver('refund.created'), entries, expected: { balance: 70 } };
    },
  },
  {
    name: 'a purchase that is recorded late, with two refunds of it',
    points: ['read', 'read', 'commit'],
    async prepare(uid) {
      stripe.control.moveClock({ by: -2 * hourMs });
      const { sessionId } = await buy(uid);
      for (const amount of [250, 100]) stripe.control.refund({ session: sessionId, amount });
      stripe.control.moveClock({ by: 2 * hourMs });
      const entries = [bought, /^clawback:re_\w+ -20$/, /^clawback:re_\w+ -50$/];
      return { ask: deliver(completed, sessionId), entries, expected: { balance: 50 } };
    },
  },
  {
    name: 'a dispute of what is spent',
    // The person's documents, and then those of the person's other accounts.
    points: ['read', 'read', 'commit', 'read', 'read'],
    async prepare(uid) {
      const { sessionId } = await buy(uid);
      await deliver(completed)(stack.url);
      await stack.edit(`accounts/${uid}`, { balance: 30 });
      stripe.control.dispute({ session: sessionId });
      const entries = [bought, /^adjustment:\d+ -90$/, /^clawback:du_\w+ -30$/];
      const expected = { balance: 0, debt: 70, suspended: true, suspendedFor: [expect.any(String)] };
      return { ask: deliver('charge.dispute.funds_withdrawn'), entries, expected };
    },
  },
  {
    name: 'the end of a dispute that took nobody by surprise',
    // The person's documents, and then those of the person's other accounts.
    points: ['read', 'read', 'commit', 'read', 'read'],
    async prepare(uid) {
      const { sessionId } = await buy(uid);
      stripe.control.dispute({ session: sessionId });
      await deliver('charge.dispute.funds_withdrawn')(stack.url);
      stripe.control.updateDispute({ step: 'won' });
      const entries = [bought, /^clawback:du_\w+ -100$/, /^reinstatement:du_\w+ 100$/];
      const expected = { balance: 120, suspended: false, suspendedFor: [] };
      return { ask: deliver('charge.dispute.funds_reinstated'), entries, expected };
    },
  },
];

const isKill = (fault: Fault) => fault.startsWith('killed');

describe.each(victims)('$name', (each) => {
  it('has the await points that the matrix lists', async () => {
    const { ask } = await each.prepare(`points-${each.name.replaceAll(' ', '-')}`);
    faulty.begin();
    expect((await ask(victim)).status).toBe(200);
    expect(faulty.calls).toEqual(each.points);
  });

  it.each(each.points.flatMap((point, at) => faults.map((fault) => ({ point, at, fault }))))(
    '$fault at $at ($point)',
    async ({ at, fault }) => {
      cases += 1;
      const uid = `payment-${cases}`;
      const { ask, entries, expected } = await each.prepare(uid);
      let others: Promise<unknown> = Promise.resolve();
      const isBusy = fault === 'duplicate request' || fault === 'hang past the deadline';
      faulty.begin({
        at,
        fault,
        async meanwhile() {
          others = isBusy ? ask(stack.url) : Promise.resolve();
          await others;
        },
      });
      const answer = ask(victim);
      if (isKill(fault)) answer.catch(() => {});
      await (isKill(fault) ? expect.poll(() => faulty.calls.length).toBeGreaterThan(at) : answer);
      await others;
      await faulty.land();

      // Stripe, or the page, asks again.
      expect((await ask(stack.url)).status).toBe(200);
      const ledger = await stack.ledger(uid);
      const { documents: purchases } = await stack.database.page({
        collection: `accounts/${uid}/purchases`,
        orderBy: [['__name__', 'asc']],
        limit: 10,
      });
      expect(ledger.entries.map(({ id, amount }) => `${id} ${amount}`).slice(1)).toEqual(
        entries.map((entry) => expect.stringMatching(entry)),
      );
      expect(ledger.account).toMatchObject(expected);
      expect(await brokenInvariants(stack, uid)).toEqual([]);
      const stored = ledger.entries.map((data) => ({ id: data.id, data }) as never);
      expect(findBrokenPayments({ account: ledger.account, entries: stored, purchases })).toEqual([]);
    },
  );
});
