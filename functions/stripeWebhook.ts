import * as z from 'zod';
import { webhookAnswerSchema } from '../shared/contract/payments.ts';
import { invalidRequest } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { handleEvent } from '../shared/payments/events.ts';

/** Far above any event that Stripe sends. */
const eventBytesMax = 1_000_000;

/**
 * Turns Stripe's events into ledger entries. It answers only after the commit: until then Stripe delivers the event again,
 * for three days. There is no table of seen events; the ids of the entries tell what has been done.
 */
export const stripeWebhook = endpoint({
  method: 'POST',
  access: 'anyone',
  signatureHeader: 'Stripe-Signature',
  bodyBytesMax: eventBytesMax,
  input: z.object({ payload: z.instanceof(Buffer), signature: z.string() }),
  answer: webhookAnswerSchema,
  async run({ input: { payload, signature }, log }, services) {
    const payments = await services.payments();
    if (!payments) throw invalidRequest([{ field: 'Stripe-Signature', description: 'fits no secret' }]);
    const { stripe } = payments;
    const event = stripe.verifyEvent(payload, signature);
    log.add({ eventId: event.id, eventType: event.type });
    if (event.livemode !== stripe.livemode) {
      services.log.warning('An event is from the other mode of Stripe than the key', {
        event: 'payment_wrong_mode',
        eventId: event.id,
        livemode: event.livemode,
      });
      throw invalidRequest([{ field: 'livemode', description: 'does not fit the key' }]);
    }
    const { projectId: project } = services.config;
    const context = { ledger: await services.ledger(), stripe, log: services.log, project };
    const outcome = await handleEvent(context, event);
    if (outcome) log.add({ uid: outcome.uid, recorded: outcome.recorded?.status === 'recorded' });
    return { body: { received: true as const } };
  },
});
