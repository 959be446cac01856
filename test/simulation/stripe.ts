/** Stripe in a history: what buyers, banks and operators do there, its API as an instance sees it, and its events. */
import { Failure, invalidRequest } from '../../shared/errors.ts';
import type { SessionRequest, StripeApi } from '../../shared/payments/stripe.ts';
import type { Dispute, Price, Refund, Session, StripeEvent } from '../../shared/payments/stripeObjects.ts';
import type { FaultRates } from './faults.ts';
import type { Actor, World } from './world.ts';

/** The packs of a history: credits for a price that they do not divide. */
export const creditPacks = 'small=price_small:7,large=price_large:30';
const prices: Record<string, number> = { price_small: 499, price_large: 1999 };
export const goodSignature = 'signed by Stripe';

export type Payment = {
  session: Session;
  uid: string;
  credits: number;
  createdAt: number;
  refunds: Refund[];
  disputes: (Dispute & { returned: number })[];
  /** True if a refund was asked for because the account had been closed before it was recorded. */
  isRefundedForClosed?: boolean;
  /** True if its money never arrives. */
  hasFailed?: boolean;
};
export type SimulatedStripe = ReturnType<typeof createSimulatedStripe>;

/** An account at Stripe without payments. `onEvent` hears of every event. */
export function createSimulatedStripe(world: World) {
  const { random, happened } = world;
  const payments = new Map<string, Payment>();
  const keys = new Map<string, unknown>();
  const events: { event: StripeEvent; at: number }[] = [];
  let ids = 0;
  let onEvent: (event: StripeEvent) => void = () => {};

  /** What Stripe answers to the same key is the same. */
  function once<T>(key: string, make: () => T): T {
    if (!keys.has(key)) keys.set(key, make());
    return keys.get(key) as T;
  }

  function emit(type: string, object: object): void {
    ids += 1;
    const event = { id: `evt_${ids}`, type, livemode: false, data: { object: structuredClone(object) } };
    events.push({ event, at: world.now() });
    happened(`stripe: ${type}`);
    onEvent(event);
  }

  function createSession({ priceId, currency, metadata }: SessionRequest): { id: string; url: string } {
    ids += 1;
    const id = `cs_test_${ids}`;
    const amount = prices[priceId] ?? 0;
    payments.set(id, {
      session: {
        id,
        created: Math.floor(world.now() / 1_000),
        status: 'open',
        payment_status: 'unpaid',
        metadata,
        amount_total: amount,
        currency,
        payment_intent: null,
      },
      uid: String(metadata.uid),
      credits: Number(metadata.credits),
      createdAt: world.now(),
      refunds: [],
      disputes: [],
    });
    return { id, url: `https://checkout.example/${id}` };
  }

  function pay(id: string): void {
    const payment = payments.get(id);
    if (payment?.session.status !== 'open') return;
    const later = random.chance(0.2);
    const paid = { status: 'complete', payment_intent: `pi_${id}` };
    Object.assign(payment.session, { ...paid, payment_status: later ? 'unpaid' : 'paid' });
    emit('checkout.session.completed', payment.session);
    if (!later) return;
    const fails = random.chance(0.3);
    world.after(random.whole(1_000, 60_000), 'a bank decides', () => {
      if (fails) {
        payment.hasFailed = true;
        return emit('checkout.session.async_payment_failed', payment.session);
      }
      payment.session.payment_status = 'paid';
      emit('checkout.session.async_payment_succeeded', payment.session);
    });
  }

  const findPayment = (intent: string) =>
    [...payments.values()].find(({ session }) => session.payment_intent === intent);
  const paid = () => [...payments.values()].filter(({ session }) => session.payment_status === 'paid');

  function addRefund({ session, refunds }: Payment, amount: number, status: string): Refund {
    ids += 1;
    const one: Refund = { id: `re_${ids}`, amount, status, payment_intent: session.payment_intent };
    refunds.push(one);
    emit('refund.created', one);
    return one;
  }

  /** Refunds what is left of the payment for a closed account. Stripe refuses that while a dispute holds the money. */
  function refundRest(intent: string): void {
    const payment = findPayment(intent);
    if (!payment) return;
    payment.isRefundedForClosed = true;
    const isDisputed = payment.disputes.some(({ amount, returned }) => returned < amount);
    const left = computeUnrefunded(payment);
    if (!isDisputed && left > 0) addRefund(payment, left, 'succeeded');
  }

  function refund(): void {
    const payment = random.pick(paid());
    const left = payment ? computeUnrefunded(payment) : 0;
    if (!payment || left <= 0) return;
    const part = random.chance(0.4) ? left : random.whole(1, left);
    const isPending = random.chance(0.2);
    const one = addRefund(payment, part, isPending ? 'pending' : 'succeeded');
    const settle = (status: string, type: string) => {
      one.status = status;
      emit('refund.updated', one);
      if (type) emit(type, one);
    };
    if (isPending) world.after(random.whole(1, 20_000), 'a refund succeeds', () => settle('succeeded', ''));
    if (random.chance(0.3)) {
      world.after(random.whole(20_001, 60_000), 'a refund fails', () => settle('failed', 'refund.failed'));
    }
  }

  function dispute(): void {
    const payment = random.pick(paid());
    if (!payment) return;
    ids += 1;
    const total = payment.session.amount_total ?? 0;
    const amount = random.chance(0.6) ? total : random.whole(1, total);
    const { payment_intent } = payment.session;
    const currency = 'usd';
    const one = {
      id: `du_${ids}`,
      amount,
      currency,
      status: 'needs_response',
      payment_intent,
      balance_transactions: [{ amount: -amount, currency }],
      returned: 0,
    };
    payment.disputes.push(one);
    emit('charge.dispute.funds_withdrawn', one);
    const end = random.pick(['won', 'won', 'lost', 'partly', undefined]);
    if (end === undefined) return;
    world.after(random.whole(1, 60_000), 'a dispute ends', () => {
      one.status = end === 'won' ? 'won' : 'lost';
      one.returned = end === 'won' ? amount : end === 'partly' ? random.whole(1, amount) : 0;
      if (one.returned === 0) return;
      one.balance_transactions.push({ amount: one.returned, currency });
      emit('charge.dispute.funds_reinstated', one);
    });
  }

  const unavailable = () =>
    new Failure('PAYMENTS_UNAVAILABLE', 'Stripe does not answer.', { retryAfterSeconds: 1 });

  /** Stripe's API as one instance sees it. A call may fail before or after its work. */
  function createApi(rates: FaultRates, actor: Actor): StripeApi {
    async function call<T>(work: () => T): Promise<T> {
      const fate = random.chance(rates.upstream) ? random.pick(['before', 'after'] as const) : undefined;
      await world.sleep(random.whole(5, 200), actor);
      if (fate === 'before') throw unavailable();
      const result = work();
      await world.sleep(random.whole(1, 100), actor);
      if (fate === 'after') throw unavailable();
      return structuredClone(result);
    }
    const list = <T>(items: () => T[]) => call(() => ({ items: items(), hasMore: false }));
    return {
      livemode: false,
      verifyEvent(payload, signature) {
        if (signature !== goodSignature)
          throw invalidRequest([{ field: 'Stripe-Signature', description: 'no' }]);
        return JSON.parse(payload.toString());
      },
      // Asked for by every instance; nothing depends on when.
      findPrice: async (id): Promise<Price> => ({
        id,
        active: true,
        type: 'one_time',
        unit_amount: prices[id] ?? 0,
        currency: 'usd',
      }),
      createCustomer: ({ uid }, key) => call(() => once(key, () => `cus_${uid}_${++ids}`)),
      createSession: (request, key) => call(() => once(key, () => createSession(request))),
      findCustomers: async () => [],
      deleteCustomer: async () => {},
      findSession: (id) => call(() => payments.get(id)?.session),
      findSessionOf: (intent) =>
        call(() => paid().find(({ session }) => session.payment_intent === intent)?.session),
      hasFailed: (intent) => call(() => findPayment(intent)?.hasFailed === true),
      listReversalsOf: (intent) =>
        call(() => ({
          refunds: findPayment(intent)?.refunds ?? [],
          disputes: findPayment(intent)?.disputes ?? [],
        })),
      refundPayment: (intent) => call(() => refundRest(intent)),
      createPortal: async () => 'https://portal.example',
      listSessions: () =>
        list(() =>
          [...payments.values()].map(({ session }) => session).filter(({ status }) => status === 'complete'),
        ),
      listRefunds: () => list(() => paid().flatMap(({ refunds }) => refunds)),
      listDisputes: () => list(() => paid().flatMap(({ disputes }) => disputes)),
      listEvents: (types) =>
        list(() => events.map(({ event }) => event).filter(({ type }) => types.includes(type))),
    };
  }

  return {
    payments,
    createApi,
    pay,
    refund,
    dispute,
    listen(listener: (event: StripeEvent) => void) {
      onEvent = listener;
    },
    /**
     * The credits of what Stripe holds of a user's payments. What a closed account has paid gives none, unless the account was
     * opened again.
     */
    held: (uid: string, isRecorded: (sessionId: string) => boolean) =>
      paid()
        .filter((payment) => payment.uid === uid)
        .filter(({ isRefundedForClosed, session }) => !isRefundedForClosed || isRecorded(session.id))
        .reduce((total, payment) => total + payment.credits - computeTaken(payment), 0),
  };
}

const computeUnrefunded = ({ session, refunds }: Payment) => (session.amount_total ?? 0) - live(refunds);

const live = (refunds: readonly Refund[]) =>
  refunds.reduce((total, { amount, status }) => total + (status === 'failed' ? 0 : amount), 0);

/** The contract's claim. A refund counts once it has succeeded. */
function computeTaken({ session, credits, refunds, disputes }: Payment): number {
  const paid = session.amount_total ?? 1;
  const refunded = live(refunds.filter(({ status }) => status === 'succeeded'));
  const disputed = disputes.reduce((total, { amount, returned }) => total + amount - returned, 0);
  return Math.floor((credits * Math.min(paid, refunded + disputed)) / paid);
}
