/** What a checkout session was made for. The server writes it into the metadata of the session and of its payment. */
import * as z from 'zod';
import { uidSchema } from '../contract/ids.ts';
import { packIdSchema } from '../contract/payments.ts';
import type { Price, Session } from './stripeObjects.ts';

const wholeSchema = z
  .string()
  .regex(/^[1-9]\d{0,11}$/)
  .transform(Number);

const orderSchema = z.object({
  /** The Google Cloud project: several studios may share one account at Stripe. */
  project: z.string(),
  uid: uidSchema,
  pack: packIdSchema,
  credits: wholeSchema,
  /** The price, in the currency's smallest unit. */
  amount: wholeSchema,
  currency: z.string(),
  /** Set if the price includes the tax. */
  tax: z.literal('inclusive').optional(),
});
export type Order = z.infer<typeof orderSchema>;

export function toMetadata(
  { project, uid }: Pick<Order, 'project' | 'uid'>,
  pack: { id: string; credits: number },
  { unit_amount: amount, currency, tax_behavior }: Price,
): Record<string, string> {
  return {
    project,
    uid,
    pack: pack.id,
    credits: String(pack.credits),
    amount: String(amount),
    currency,
    ...(tax_behavior === 'inclusive' && { tax: 'inclusive' }),
  };
}

/** The order of a session; undefined if the session is not this studio's. */
export function parseOrder({ metadata }: Session, project: string): Order | undefined {
  const { data } = orderSchema.safeParse(metadata);
  return data?.project === project ? data : undefined;
}

/** A session that was paid as it was asked. */
export type Payment = {
  sessionId: string;
  /** When the checkout began, if Stripe says so. */
  openedAt: Date | undefined;
  order: Order;
  paymentIntent: string;
  /** What was paid, with the tax. */
  amount: number;
  tax: number;
};

/**
 * Compares what was paid with what was asked. Today's configuration does not matter.
 * @returns the difference in words, if there is one.
 */
export function checkPayment(session: Session, order: Order): { payment: Payment } | { problem: string } {
  const { id: sessionId, created, amount_total: amount, currency, payment_intent: paymentIntent } = session;
  const tax = session.total_details?.amount_tax ?? 0;
  const paid = order.tax === 'inclusive' ? (amount ?? 0) : (amount ?? 0) - tax;
  if (paid !== order.amount || currency !== order.currency || amount === null || paymentIntent === null) {
    return {
      problem: `paid ${paid} ${currency} before tax, but the price was ${order.amount} ${order.currency}`,
    };
  }
  const openedAt = created === undefined ? undefined : new Date(created * 1_000);
  return { payment: { sessionId, openedAt, order, paymentIntent, amount, tax } };
}
