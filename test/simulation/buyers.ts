/** Buyers and Stripe's deliveries in a history. */
import type { StripeEvent } from '../../shared/payments/stripeObjects.ts';
import { isInvalid, parseAnswer } from './answers.ts';
import type { User } from './clients.ts';
import type { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import { tokens } from './instance.ts';
import type { Model } from './model.ts';
import { isClosed } from './observed.ts';
import { goodSignature, type SimulatedStripe } from './stripe.ts';

/** Attempts to deliver an event before Stripe gives up. */
const deliveriesMax = 4;

export type Buyers = ReturnType<typeof createBuyers>;

export function createBuyers(fleet: Fleet, model: Model, stripe: SimulatedStripe) {
  const { world } = model;
  const { random, check } = world;
  let purchases = 0;

  /** Sends an event, and again while it is refused, sometimes twice, sometimes never. */
  function deliver(event: StripeEvent): void {
    const copies = random.pick([0, 1, 1, 1, 1, 1, 2, 2]);
    for (let i = 0; i < copies; i += 1) {
      world.after(random.pick([1, 5, 200, 5_000, 90_000]), 'Stripe delivers', () =>
        send(event, deliveriesMax),
      );
    }
  }

  function send(event: StripeEvent, triesLeft: number): void {
    const raw = Buffer.from(JSON.stringify(event));
    const headers = { 'stripe-signature': goodSignature };
    const request = { name: 'stripeWebhook', method: 'POST' as const, as: '', raw, headers };
    const describe = (answer: unknown) => () => `${event.type} ${event.id}: ${JSON.stringify(answer)}`;
    void fleet
      .send(request, (answer) =>
        check([200, 503].includes(answer.status), 'no other reply', describe(answer)),
      )
      .then((answer) => {
        if (answer?.status === 200 || triesLeft === 0) return;
        world.after(random.whole(500, 30_000), 'Stripe delivers again', () => send(event, triesLeft - 1));
      });
  }

  /** Starts a checkout, pays, and comes back to the return page. */
  async function buy(user: User): Promise<void> {
    purchases += 1;
    const key = `purchase-${purchases}`;
    const as = tokens.user(user.uid, user.verified, user.person);
    const body = { pack: random.pick(['small', 'large']) };
    let sessionId: string | undefined;
    let firstTick: number | undefined;
    for (let i = 0; i < 3 && !sessionId; i += 1) {
      await fleet.send({ name: 'checkout', method: 'POST', as, body, key }, (answer, startTick) => {
        firstTick = Math.min(firstTick ?? startTick, startTick);
        if (answer.status === 200) {
          const answered = (answer.body as { sessionId: string }).sessionId;
          // An account that was deleted in the console has lost its customer, and an hour later it gets another one.
          const wasDeleted = model.since(user.uid, firstTick).some(({ exists }) => !exists);
          check(wasDeleted || (sessionId ?? answered) === answered, 'one key, one session', () => key);
          sessionId = answered;
          return;
        }
        const { reason } = parseAnswer(model, answer);
        const moments = model.since(user.uid, startTick);
        const isJustified: Record<string, boolean> = {
          ACCOUNT_SUSPENDED: moments.some(({ suspended }) => suspended),
          ACCOUNT_CLOSED: moments.some(({ closed }) => closed),
          ACCOUNT_INVALID: moments.some(isInvalid),
          EMAIL_NOT_VERIFIED: !user.verified,
          PAYMENTS_UNAVAILABLE: true,
          DATABASE_UNAVAILABLE: true,
        };
        check(isJustified[reason] ?? false, 'a refusal is justified', () => `${key}: ${reason}`);
      });
      await world.sleep(random.whole(100, 3_000));
    }
    if (!sessionId || random.chance(0.1)) return;
    stripe.pay(sessionId);
    if (random.chance(0.5)) await confirm(user, sessionId);
  }

  async function confirm({ uid, verified, person }: User, sessionId: string): Promise<void> {
    const as = tokens.user(uid, verified, person);
    await fleet.send(
      { name: 'confirmCheckout', method: 'POST', as, body: { sessionId } },
      (answer, startTick) => {
        const describe = () => `${sessionId}: ${JSON.stringify(answer)}`;
        if (answer.status !== 200) {
          const { reason } = parseAnswer(model, answer);
          const moments = model.since(uid, startTick);
          const isJustified = reason === 'ACCOUNT_INVALID' ? moments.some(isInvalid) : answer.status === 503;
          return check(isJustified, 'a refusal is justified', describe);
        }
        const { status, entry } = answer.body as { status: string; entry?: { sequence: number; id: string } };
        const stored = model.account(uid).entries[(entry?.sequence ?? 0) - 1];
        // What was paid for a closed account is refunded.
        const isRecorded =
          stored?.id === `purchase:${sessionId}` || (!entry && isClosed(model.account(uid).data));
        const isTrue = status === 'paid' ? isRecorded : entry === undefined;
        check(isTrue, 'a confirmed purchase is in the ledger', describe);
        const hasFailed = stripe.payments.get(sessionId)?.hasFailed === true;
        check(status !== 'expired' || hasFailed, 'only a payment that failed is given up', describe);
      },
    );
  }

  stripe.listen(deliver);
  return { buy };
}

/** Plans purchases, and what buyers, banks and operators do to them. */
export function planPurchases(
  { world, users, buyers, stripe, admin }: History,
  times: (count: number, what: string, act: () => unknown) => void,
): void {
  const { random } = world;
  times(random.pick([1, 2, 4]), 'a user buys', () => buyers.buy(random.pick(users)));
  times(random.pick([0, 2, 5]), 'a refund', stripe.refund);
  times(random.pick([0, 1, 3]), 'a dispute', stripe.dispute);
  times(random.pick([0, 0, 1]), 'the scheduler compares payments', () => admin.schedule('reconcilePayments'));
}

/** Purchases by each account of a person, and then disputes of them. */
export function planDisputes({ world, users, buyers, stripe }: History, lengthMs: number): void {
  const { random } = world;
  const person = users.filter((user) => user.person && user.verified);
  if (person.length < 2) return;
  const boughtMs = Math.floor(lengthMs / 4);
  for (const user of person) {
    for (let i = random.pick([1, 1, 2]); i > 0; i -= 1) {
      world.after(random.whole(0, boughtMs), 'a person buys', () => void buyers.buy(user));
    }
  }
  for (let i = random.pick([2, 4, 8]); i > 0; i -= 1) {
    world.after(random.whole(boughtMs, lengthMs), 'a dispute of a person', stripe.dispute);
  }
}
