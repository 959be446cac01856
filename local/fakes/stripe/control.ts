/** What happens at Stripe without the product's doing: visitors, banks and operators, for tests and for a command. */
import { z } from 'zod';
import type { Reply } from '../server.ts';
import { type Account, getRow } from './account.ts';
import { getChargeOf, openDispute, updateDispute } from './disputes.ts';
import { refusal, StripeRefusal } from './errors.ts';
import { setPriceActive } from './objectRoutes.ts';
import { declinePayment, expireSession, paySession, settlePayment } from './payments.ts';
import { createRefund, settleRefund } from './refunds.ts';
import type { SessionRow, TableName, Tables } from './store.ts';
import type { Webhooks } from './webhooks.ts';

const amount = z.int().min(0).optional();
const id = z.string().optional();

const faultFilter = { type: id, endpoint: id };
const deliveryStep = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('duplicate'), times: z.int().optional(), ...faultFilter }),
  z.strictObject({ kind: z.literal('drop'), ...faultFilter }),
  z.strictObject({ kind: z.literal('hold'), ...faultFilter }),
  z.strictObject({ kind: z.literal('delay'), ms: z.number(), ...faultFilter }),
  z.strictObject({ kind: z.literal('reorder'), ...faultFilter }),
  z.strictObject({ kind: z.literal('cut'), when: z.enum(['before-answer', 'after-answer']), ...faultFilter }),
  z.strictObject({ kind: z.literal('alteredBody'), from: id, to: id, ...faultFilter }),
  z.strictObject({ kind: z.literal('wrongSignature'), ...faultFilter }),
  z.strictObject({ kind: z.literal('missingSignature'), ...faultFilter }),
  z.strictObject({ kind: z.literal('staleSignature'), seconds: z.number().optional(), ...faultFilter }),
  z.strictObject({ kind: z.literal('wrongMode'), ...faultFilter }),
]);

/** An action with the schema of its arguments, which also come as JSON. */
const action =
  <T extends z.ZodType, Result>(schema: T, run: (args: z.infer<T>) => Result) =>
  (args?: z.input<T>): Result =>
    run(schema.parse(args ?? {}));

export type Control = ReturnType<typeof createControl>;

/** Where an action takes a session, a refund or a dispute, it means the newest fitting one if none is named. */
export const createControl = (account: Account, webhooks: Webhooks) => ({
  ...createVisitorActions(account),
  ...createMoneyActions(account),
  ...createOperatorActions(account, webhooks),
});

/** The named row, or the newest one that fits, and the account in its mode. */
function find<T extends TableName>(
  shared: Account,
  table: T,
  name: string | undefined,
  fits: (shown: Tables[T]['shown']) => boolean,
): { account: Account; row: Tables[T]; id: string } {
  const row =
    name === undefined
      ? shared.store.list(table).find(({ shown }) => fits(shown))
      : (shared.store.get(table, name) ?? getRow(shared, table, name));
  if (row === undefined) throw refusal(404, { message: `There is nothing to do it to in ${table}.` });
  return { account: { ...shared, livemode: row.livemode }, row, id: row.shown.id };
}

type Session = SessionRow['shown'];
const isOpen = ({ status }: Session) => status === 'open';
const isPaid = ({ payment_status: payment }: Session) => payment === 'paid';
const isWaiting = ({ status, payment_status: payment }: Session) =>
  status === 'complete' && payment === 'unpaid';

const createVisitorActions = (shared: Account) => ({
  /** A visitor pays; with `later`, by a method whose money arrives later or not at all. */
  pay: action(
    z.strictObject({ session: id, later: z.boolean().optional(), email: id, amountTotal: amount }),
    ({ session, ...options }) => {
      const found = find(shared, 'sessions', session, isOpen);
      return paySession(found.account, found.id, options);
    },
  ),
  decline: action(z.strictObject({ session: id }), ({ session }) => {
    const found = find(shared, 'sessions', session, isOpen);
    return declinePayment(found.account, found.id);
  }),
  /** Decides a payment that was made with `later`. */
  settlePayment: action(
    z.strictObject({ session: id, outcome: z.enum(['succeeded', 'failed']).default('succeeded') }),
    ({ session, outcome }) => {
      const found = find(shared, 'sessions', session, isWaiting);
      return settlePayment(found.account, found.id, outcome);
    },
  ),
  expire: action(z.strictObject({ session: id }), ({ session }) => {
    const found = find(shared, 'sessions', session, isOpen);
    return expireSession(found.account, found.id);
  }),
});

const createMoneyActions = (shared: Account) => ({
  /** Refunds a purchase; all that is left by default. `settleRefund` ends one that is pending, or fails any. */
  refund: action(
    z.strictObject({
      session: id,
      amount: z.int().min(1).optional(),
      outcome: z.enum(['succeeded', 'pending', 'requires_action']).default('succeeded'),
      reason: id,
    }),
    ({ session, outcome, ...options }) => {
      const { account, row } = find(shared, 'sessions', session, isPaid);
      return createRefund(account, { charge: getChargeOf(account, row.shown), ...options }, outcome);
    },
  ),
  settleRefund: action(
    z.strictObject({ refund: id, outcome: z.enum(['succeeded', 'failed', 'canceled']) }),
    ({ refund, outcome }) => {
      const found = find(
        shared,
        'refunds',
        refund,
        ({ status }) => status !== 'failed' && status !== 'canceled',
      );
      return settleRefund(found.account, found.id, outcome);
    },
  ),
  /** The bank disputes a purchase and takes the money, or with `inquiry` only asks. */
  dispute: action(
    z.strictObject({
      session: id,
      amount: z.int().min(1).optional(),
      inquiry: z.boolean().optional(),
      reason: id,
    }),
    ({ session, ...options }) => {
      const { account, row } = find(shared, 'sessions', session, isPaid);
      return openDispute(account, getChargeOf(account, row.shown), options);
    },
  ),
  updateDispute: action(
    z.strictObject({
      dispute: id,
      step: z.enum(['escalate', 'respond', 'won', 'lost', 'warning_closed']),
      returned: amount,
    }),
    ({ dispute, step, returned }) => {
      const found = find(shared, 'disputes', dispute, () => true);
      return updateDispute(found.account, found.id, step, returned);
    },
  ),
});

const createOperatorActions = (shared: Account, webhooks: Webhooks) => ({
  setPriceActive: action(z.strictObject({ price: z.string(), active: z.boolean() }), ({ price, active }) => {
    const found = find(shared, 'prices', price, () => false);
    return setPriceActive(found.account, found.id, active);
  }),
  /** Moves the clock of all objects to a time or by a time, milliseconds. */
  moveClock: action(
    z.union([z.strictObject({ to: z.number() }), z.strictObject({ by: z.number() })]),
    (args) => {
      if ('to' in args) shared.clock.set(args.to);
      else shared.clock.advance(args.by);
      return { now: shared.clock.now() };
    },
  ),
  /** Sends an event again; the newest one by default. */
  resend: action(z.strictObject({ event: id, endpoint: id }), ({ event, endpoint }) => {
    const found = find(shared, 'events', event, () => true);
    webhooks.resend(found.id, endpoint);
    return { event: found.id };
  }),
  /** Adds faults for the next deliveries. */
  scriptDeliveries: action(z.strictObject({ steps: z.array(deliveryStep) }), ({ steps }) => {
    webhooks.script(...steps);
    return { steps: steps.length };
  }),
  releaseDeliveries: action(
    z.strictObject({ order: z.enum(['oldestFirst', 'newestFirst']).optional() }),
    ({ order }) => {
      webhooks.release(order);
      return {};
    },
  ),
  /** The newest objects of a table. */
  list: action(
    z.strictObject({
      table: z
        .enum(['sessions', 'refunds', 'disputes', 'customers', 'prices', 'events', 'charges', 'invoices'])
        .default('sessions'),
      limit: z.int().default(20),
    }),
    ({ table, limit }) => ({
      [table]: shared.store
        .list(table)
        .slice(0, limit)
        .map(({ shown }) => shown),
    }),
  ),
});

/**
 * Answers `POST /__control/{action}` with a JSON body; undefined for another path. Only a JSON content type is
 * accepted, so that a web page cannot send one without asking the browser.
 */
export function answerControl(
  control: Control,
  { method, path, contentType, body }: { method: string; path: string; contentType: string; body: string },
): Reply | undefined {
  const name = /^\/__control\/(\w*)$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  const fail = (status: number, message: string): Reply => ({ status, body: { error: { message } } });
  if (!Object.hasOwn(control, name)) return fail(404, `Known actions: ${Object.keys(control).join(', ')}`);
  if (method !== 'POST' || !contentType.startsWith('application/json')) {
    return fail(415, 'Send a POST with content type application/json.');
  }
  try {
    const run = control[name as keyof Control] as (args: unknown) => object;
    return { status: 200, body: run(body === '' ? {} : JSON.parse(body)) };
  } catch (error) {
    if (error instanceof StripeRefusal) return error.reply;
    if (error instanceof z.ZodError) return fail(400, z.prettifyError(error));
    if (error instanceof SyntaxError) return fail(400, 'The body is not JSON.');
    throw error;
  }
}
