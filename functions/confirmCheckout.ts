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
    const { balance, sequence } = await getOrCreateAccount(ledger, caller);
    // A payment that gives no credits, because it is not what was asked, is paid all the same.
    const status: ConfirmCheckoutAnswer['status'] = outcome
      ? 'paid'
      : session.status === 'expired'
        ? 'expired'
        : 'unpaid';
    return { body: { status, account: { uid, balance: balance ?? 0, sequence } } };
  },
});
