import {
  type ConfirmCheckoutAnswer,
  confirmCheckoutAnswerSchema,
  confirmCheckoutRequestSchema,
} from '../shared/contract/payments.ts';
import { paymentLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { type Answer, endpoint } from '../shared/http/endpoint.ts';
import { toEntry } from '../shared/ledger/entries.ts';
import { getOrCreateAccount } from '../shared/ledger/getOrCreateAccount.ts';
import { handleSession } from '../shared/payments/events.ts';
import { parseOrder } from '../shared/payments/order.ts';
import type { StripeApi } from '../shared/payments/stripe.ts';
import type { Session } from '../shared/payments/stripeObjects.ts';

/** The return page's call. It asks Stripe, and records the purchase as the webhook does, whichever comes first. */
export const confirmCheckout = endpoint({
  method: 'POST',
  access: 'user',
  input: confirmCheckoutRequestSchema,
  answer: confirmCheckoutAnswerSchema,
  limit: paymentLimit,
  async run({ caller, input: { sessionId }, log }, services): Promise<Answer<ConfirmCheckoutAnswer>> {
    const { uid } = caller;
    const { projectId: project } = services.config;
    const payments = await services.payments();
    const session = await payments?.stripe.findSession(sessionId);
    if (!payments || !session || parseOrder(session, project)?.uid !== uid) {
      throw new Failure('NOT_FOUND', 'There is no such checkout.');
    }
    const ledger = await services.ledger();
    const context = { ledger, stripe: payments.stripe, log: services.log, project };
    const outcome = await handleSession(context, session);
    const recorded = outcome?.recorded;
    log.add({ sessionId, recorded: recorded?.status === 'recorded' });
    if (recorded) {
      const { balance, sequence, entry } = recorded;
      const account = { uid, balance, sequence };
      return { body: { status: 'paid', account, ...(entry && { entry: toEntry(entry) }) } };
    }
    // A payment that gives no credits, because it is not what was asked, is paid all the same.
    const status = outcome ? 'paid' : (await isOver(session, payments.stripe)) ? 'expired' : 'unpaid';
    const { balance, sequence } = await getOrCreateAccount(ledger, caller);
    return { body: { status, account: { uid, balance: balance ?? 0, sequence } } };
  },
});

/** True if an unpaid session can never be paid: it has expired, or its bank debit has failed. */
async function isOver({ status, payment_intent: paymentIntent }: Session, stripe: StripeApi) {
  if (status !== 'complete') return status === 'expired';
  return paymentIntent !== null && stripe.hasFailed(paymentIntent);
}
