/** `npm run purchases`: does to a purchase at the fake Stripe what a bank, or an operator in Stripe's dashboard, does. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseWords } from '../tools/parseWords.ts';
import { say } from '../tools/say.ts';
import { priceText } from '../web/strings/format.ts';
import { portDefault } from './ports.ts';
import { findRun } from './previousRun.ts';
import { StartRefused } from './refusal.ts';

const usage = `Purchases at the fake Stripe of the local run. SESSION is the id of a checkout session; without it, the newest is meant.

  list                                          the newest checkout sessions
  refund  [SESSION] [--amount CENTS]            refunds all that is left, or an amount in the currency's smallest unit
  dispute [SESSION] [--amount CENTS]            the bank takes the money back
          --won, --lost                         ... and the dispute ends; an open one is ended
          --inquiry                             ... the bank only asks
  settle  [SESSION] [--failed]                  the money of a bank debit arrives, or never will

The run is the one on PORT, ${portDefault} by default.`;

/** Stripe's objects, as far as they are shown. */
const sessionSchema = z.object({
  id: z.string(),
  status: z.string(),
  payment_status: z.string(),
  payment_intent: z.string().nullable(),
  amount_total: z.int(),
  currency: z.string(),
  metadata: z.record(z.string(), z.string()),
});
const disputeSchema = z.object({ id: z.string(), status: z.string(), payment_intent: z.string().nullable() });
const refundSchema = z.object({ id: z.string(), amount: z.int(), currency: z.string() });

type Options = ReturnType<typeof parseCommand>['values'];
type Call = (action: string, args: object) => Promise<unknown>;

function parseCommand(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  return parseArgs({
    args,
    allowPositionals: true,
    options: { amount: { type: 'string' }, won: flag, lost: flag, inquiry: flag, failed: flag },
  });
}

/** @returns what happened, in words. @throws {StartRefused} if it cannot be done. */
async function perform(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const refuse = (text: string) => new StartRefused(text);
  const { positionals, values } = parseWords(usage, () => parseCommand(args), refuse);
  const [command = 'help', session, ...more] = positionals;
  const run = { list, refund, dispute, settle }[command];
  if (command === 'help') return usage;
  if (!run || more.length > 0) throw new StartRefused(usage);
  return run(await connect(env), session, values);
}

async function list(call: Call): Promise<string> {
  const { sessions } = z
    .object({ sessions: z.array(sessionSchema) })
    .parse(await call('list', { table: 'sessions' }));
  if (sessions.length === 0) return 'Nothing has been bought yet.';
  return sessions
    .map(
      (one) =>
        `${one.id}  ${describe(one)}  ${priceText(one.amount_total, one.currency)}, ${one.metadata.uid}`,
    )
    .join('\n');
}

const describe = ({ status, payment_status: payment }: z.infer<typeof sessionSchema>) =>
  status === 'complete' ? (payment === 'unpaid' ? 'waits for the bank' : 'paid') : status;

async function refund(call: Call, session: string | undefined, { amount }: Options): Promise<string> {
  const refunded = refundSchema.parse(await call('refund', { session, ...parseAmount(amount) }));
  return `Refunded ${priceText(refunded.amount, refunded.currency)} (${refunded.id}). The ledger follows in a moment.`;
}

async function dispute(call: Call, session: string | undefined, options: Options): Promise<string> {
  const { amount, won, lost, inquiry } = options;
  if (won && lost) throw new StartRefused('A dispute is either won or lost.');
  const step = won ? 'won' : lost ? 'lost' : undefined;
  const open = step && (await findOpenDispute(call, session));
  const { id } = disputeSchema.parse(
    open ?? (await call('dispute', { session, inquiry, ...parseAmount(amount) })),
  );
  if (inquiry) return `The bank asks (${id}). Nothing changes in the ledger.`;
  if (!step) return `The bank has taken the money back (${id}). The account is suspended in a moment.`;
  await call('updateDispute', { dispute: id, step });
  return step === 'won'
    ? `The dispute is won (${id}): the credits come back in a moment.`
    : `The dispute is lost (${id}): the credits stay taken.`;
}

/** The dispute of the purchase that is neither won nor lost; of the newest purchase, if none is named. */
async function findOpenDispute(call: Call, session: string | undefined) {
  const lists = z.object({ disputes: z.array(disputeSchema) });
  const { disputes } = lists.parse(await call('list', { table: 'disputes' }));
  const isOpen = ({ status }: z.infer<typeof disputeSchema>) =>
    /^(needs_response|under_review)$/.test(status);
  if (!session) return disputes.find(isOpen);
  const { sessions } = z
    .object({ sessions: z.array(sessionSchema) })
    .parse(await call('list', { table: 'sessions', limit: 10_000 }));
  const intent = sessions.find(({ id }) => id === session)?.payment_intent;
  return disputes.find((one) => one.payment_intent === intent && isOpen(one));
}

async function settle(call: Call, session: string | undefined, { failed }: Options): Promise<string> {
  const outcome = failed ? 'failed' : 'succeeded';
  const { id } = sessionSchema.parse(await call('settlePayment', { session, outcome }));
  return failed ? `The payment of ${id} has failed.` : `The money of ${id} has arrived.`;
}

function parseAmount(amount: string | undefined): { amount?: number } {
  if (amount === undefined) return {};
  if (/^[1-9]\d{0,11}$/.test(amount)) return { amount: Number(amount) };
  throw new StartRefused("--amount is a whole number in the currency's smallest unit: 250 for $2.50.");
}

/**
 * Connects to the fake of the run on PORT. Only the record of a run names it, so the command never reaches Stripe.
 * @throws {StartRefused} if there is none.
 */
async function connect(env: NodeJS.ProcessEnv): Promise<Call> {
  const port = Number(env.PORT || portDefault);
  const run = findRun(port);
  if (!run) throw new StartRefused(`No local run is on port ${port}. Start one with npm start, or set PORT.`);
  const { stripe } = run;
  if (!stripe) {
    throw new StartRefused(
      `The run on port ${port} uses the Stripe of its environment, not the fake, so this command leaves it alone.\nRefund purchases in Stripe's dashboard.`,
    );
  }
  return async (action, args) => {
    const response = await fetch(`${stripe}/__control/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    const answer = (await response.json()) as { error?: { message: string } };
    if (!response.ok)
      throw new StartRefused(answer.error?.message ?? `The fake answered ${response.status}.`);
    return answer;
  };
}

perform(process.argv.slice(2), process.env).then(say, (error: unknown) => {
  process.stderr.write(`${error instanceof StartRefused ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
});
