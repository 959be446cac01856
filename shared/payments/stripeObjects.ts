/**
 * Stripe's objects, as far as the studio reads them. All of them are parsed: an endpoint may be configured for another
 * version of Stripe's API.
 */
import * as z from 'zod';

const idSchema = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

export const sessionSchema = z.object({
  id: z.string(),
  /** Seconds since 1970. */
  created: z.int().optional(),
  status: z.string().nullable(),
  payment_status: z.string(),
  metadata: z.record(z.string(), z.string()).nullable(),
  amount_total: z.int().nullable(),
  currency: z.string().nullable(),
  payment_intent: idSchema.nullable(),
  customer: idSchema.nullish(),
  total_details: z.object({ amount_tax: z.int() }).nullish(),
});
export type Session = z.infer<typeof sessionSchema>;

export const paymentIntentSchema = z.object({ status: z.string() });

export const refundSchema = z.object({
  id: z.string(),
  amount: z.int().min(0),
  status: z.string().nullable(),
  payment_intent: idSchema.nullish(),
});
export type Refund = z.infer<typeof refundSchema>;

export const disputeSchema = z.object({
  id: z.string(),
  amount: z.int().min(0),
  currency: z.string(),
  status: z.string(),
  payment_intent: idSchema.nullish(),
  /** What the dispute took (negative) and brought back, in the currency in which Stripe pays out. */
  balance_transactions: z.array(z.object({ amount: z.int(), currency: z.string() })).default([]),
});
export type Dispute = z.infer<typeof disputeSchema>;

export const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  livemode: z.boolean(),
  /** Events of another kind have none. */
  data: z.object({ object: z.unknown().optional() }).default({}),
});
export type StripeEvent = z.infer<typeof eventSchema>;

export const priceSchema = z.object({
  id: z.string(),
  active: z.boolean(),
  type: z.string(),
  unit_amount: z.int().nullable(),
  currency: z.string(),
  tax_behavior: z.string().nullish(),
});
export type Price = z.infer<typeof priceSchema>;

export const parseSession = (object: unknown): Session => sessionSchema.parse(object);
export const parseRefund = (object: unknown): Refund => refundSchema.parse(object);
export const parseDispute = (object: unknown): Dispute => disputeSchema.parse(object);
