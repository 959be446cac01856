import { checkoutAnswerSchema, checkoutRequestSchema } from '../shared/contract/payments.ts';
import { paymentLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { notOnSale, startCheckout } from '../shared/payments/checkout.ts';

/** Creates a Checkout session at Stripe for one pack. The caller names neither its price nor its credits. */
export const checkout = endpoint({
  method: 'POST',
  access: 'user',
  requiresIdempotencyKey: true,
  input: checkoutRequestSchema,
  answer: checkoutAnswerSchema,
  limit: paymentLimit,
  async run({ caller, input, idempotencyKey, log }, services) {
    const payments = await services.payments();
    if (!payments) throw notOnSale(input.pack);
    const { clock, config } = services;
    const context = { ...payments, ledger: await services.ledger(), clock, config };
    const session = await startCheckout(context, caller, input.pack, idempotencyKey);
    log.add({ pack: input.pack, sessionId: session.sessionId });
    return { body: session };
  },
});
