import { billingPortalAnswerSchema, billingPortalRequestSchema } from '../shared/contract/payments.ts';
import { paymentLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { accountPath, parseAccount } from '../shared/ledger/account.ts';
import { purchasesPath } from '../shared/ledger/purchaseRules.ts';

/** Stripe's customer portal, with the caller's receipts and invoices. */
export const billingPortal = endpoint({
  method: 'POST',
  access: 'user',
  input: billingPortalRequestSchema,
  answer: billingPortalAnswerSchema,
  limit: paymentLimit,
  async run({ caller: { uid } }, services) {
    const { database, retryCommit } = await services.ledger();
    const [account, purchases] = await retryCommit(undefined, () =>
      Promise.all([
        database.read([accountPath(uid)]),
        database.page({ collection: purchasesPath(uid), orderBy: [['__name__', 'asc']], limit: 1 }),
      ]),
    );
    const [document] = account.documents;
    const [purchase] = purchases.documents;
    const payments = await services.payments();
    // An account that was deleted in the console has lost its customers. Stripe knows them.
    const customer =
      purchase &&
      ((document && parseAccount(document).customers.at(-1)) ??
        (await payments?.stripe.findSession(purchase.id))?.customer);
    const url =
      customer && (await payments?.stripe.createPortal(customer, `${services.config.publicUrl}/studio`));
    if (!url) throw new Failure('NOT_FOUND', 'Nothing has been bought yet.');
    return { body: { url } };
  },
});
