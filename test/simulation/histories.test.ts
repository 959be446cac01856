/** Random histories end with every credit accounted for. `npm run test:histories` runs thousands more. */
import { describe, expect, it } from 'vitest';
import { testSeed } from '../support/properties.ts';
import { describeFailure, runHistories } from './histories.ts';
import { runHistory } from './history.ts';

const count = 600;
/** The events that must happen at least once, or the histories prove nothing. */
const requiredEvents = [
  'fault: a commit fails but is done',
  'fault: a commit is rejected but was done',
  'fault: a commit hangs and lands late',
  'fault: a commit aborts',
  'fault: a commit goes silent',
  'the database is silent to a settling',
  'fault: a read fails',
  'store: fails and comes late',
  'store: is stored but fails',
  'store: comes after its timeout',
  'store: done at the second try',
  'instance crashes',
  'instance replaced',
  'instance stopped past all deadlines',
  'console: balance is text',
  'console: balance is a fraction',
  'console: balance is removed',
  'console: adjust',
  'console: adjust too far down',
  'console: two adjusts',
  'console: allowance is typed wrong',
  'console: suspended is text',
  'console: sequence is lowered',
  'console: account deleted',
  'console: account made by hand',
  'console: source of twins deleted',
  'accountWritten delivered',
  'answer: OK',
  'answer: OK again',
  'answer: EXPIRED',
  'answer: DELETED again',
  'answer: IDEMPOTENCY_KEY_REUSED',
  'answer: INSUFFICIENT_CREDITS',
  'answer: RATE_LIMITED',
  'answer: too many billed refunds',
  'answer: ACCOUNT_INVALID',
  'answer: DATABASE_UNAVAILABLE',
  'refund: DATABASE_UNAVAILABLE',
  'refund: SHUTTING_DOWN',
  'entry: adjustment',
  'entry: allowance',
  'entry: purchase',
  'entry: clawback',
  'entry: reinstatement',
  'stripe: refund.failed',
  'stripe: charge.dispute.funds_reinstated',
  'stripe: checkout.session.async_payment_succeeded',
  'stripeWebhook 503',
  'generation cached',
  'generation is an edit',
  'answer: NOT_FOUND',
  'signup grant',
  'goodwill refund',
  'share: public',
  'share: private',
  'share 502',
  'favourite: marked',
  'favourite: unmarked',
  'search: found',
  'generation removed by the studio',
  'signup of a person with several accounts',
  'allowance of a person with several accounts',
  'closing: closing',
  'closing: closed',
  'an account is closed at rest',
  'answer: ACCOUNT_CLOSED',
  'an admin suspends',
  'an admin restores',
  'clawback while another account of the person is disputed',
  'reinstatement while another account of the person is disputed',
  'a person is disputed at rest',
  'the ledger suspends an account',
  'the ledger restores an account',
];

describe('random histories of users, admins, failures and crashes', () => {
  it(`${count} from seed ${testSeed}`, { timeout: 240_000 }, async () => {
    const { failed, counts, milliseconds } = await runHistories(count, testSeed);
    process.stdout.write(`${count} histories in ${Math.round(milliseconds)} ms\n`);
    expect(failed && describeFailure(failed)).toBeUndefined();
    expect(requiredEvents.filter((kind) => !counts.has(kind))).toEqual([]);
  });

  it('are the same for the same seed', async () => {
    // Attempt ids are random. Everything else must not be.
    const trace = async () => (await runHistory(7, true)).trace;
    const [first, second] = [await trace(), await trace()];
    expect(first.length).toBeGreaterThan(100);
    expect(withoutTokens(second)).toEqual(withoutTokens(first));
  });
});

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const shareToken = /(\/i\/|shares\/|outbox\/)[\w-]{22}(?![\w-])/g;
const withoutTokens = (trace: string[]) =>
  trace.map((line) => line.replace(uuid, 'token').replace(shareToken, '$1token'));
