/** Packs, purchases and what Stripe sends. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { entrySchema } from './ledger.ts';

export const packIdSchema = describe(
  'The id of a credit pack.',
  z.string({ error: 'must be the id of a pack' }).regex(/^[\w-]{1,64}$/, 'is not the id of a pack'),
);

export const checkoutRequestSchema = describe('The pack to buy.', z.strictObject({ pack: packIdSchema }));

const sessionIdSchema = describe(
  'The id of a Checkout session at Stripe.',
  z
    .string({ error: 'must be the id of a Checkout session' })
    .regex(/^cs_\w{1,250}$/, 'is not the id of a Checkout session'),
);

export const confirmCheckoutRequestSchema = describe(
  'The session that the return page names.',
  z.strictObject({ sessionId: sessionIdSchema }),
);

export const billingPortalRequestSchema = describe('Nothing: an empty object.', z.strictObject({}));

export const packSchema = describe(
  'A credit pack on sale.',
  z.strictObject({
    id: packIdSchema,
    credits: describe('Credits in the pack.', z.int().positive()),
    amount: describe(
      "The price before tax, in the currency's smallest unit: cents of a dollar, yen.",
      z.int().positive(),
    ),
    currency: describe('The ISO 4217 code of the currency, in lower case.', z.string()),
  }),
);

export type Pack = z.infer<typeof packSchema>;

export const packsAnswerSchema = describe(
  'The packs on sale.',
  z.strictObject({
    packs: describe('In the order of the configuration. Empty where nothing is sold.', z.array(packSchema)),
  }),
);

export type PacksAnswer = z.infer<typeof packsAnswerSchema>;

export const checkoutAnswerSchema = describe(
  'Where the user pays.',
  z.strictObject({
    url: describe("The address of Stripe's page. Send the user there.", z.url()),
    sessionId: sessionIdSchema,
  }),
);

export type CheckoutAnswer = z.infer<typeof checkoutAnswerSchema>;

export const confirmCheckoutAnswerSchema = describe(
  'What became of the checkout.',
  z.strictObject({
    status: describe(
      '`unpaid` may become `paid`: the user has not paid yet, or the money takes days to arrive. `expired` never will: the checkout was not finished in time, or the bank refused the payment.',
      z.enum(['paid', 'unpaid', 'expired']),
    ),
    account: describe(
      'The account after it.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe('Credits in the account.', z.int().min(0)),
        sequence: describe('The number of the last entry.', z.int().min(0)),
      }),
    ),
    entry: describe(
      'The entry of the purchase. Absent unless the credits are in the ledger.',
      entrySchema.optional(),
    ),
  }),
);

export type ConfirmCheckoutAnswer = z.infer<typeof confirmCheckoutAnswerSchema>;

export const billingPortalAnswerSchema = describe(
  "Where the user's receipts and invoices are.",
  z.strictObject({
    url: describe("The address of Stripe's customer portal. It is valid for a short time.", z.url()),
  }),
);

export type BillingPortalAnswer = z.infer<typeof billingPortalAnswerSchema>;

export const webhookAnswerSchema = describe(
  'The event is handled, or needs nothing.',
  z.strictObject({ received: describe('Always true.', z.literal(true)) }),
);

export const reconcilePaymentsAnswerSchema = describe(
  'What the call did and found.',
  z.strictObject({
    checked: describe('Sessions, refunds, disputes, events and purchases checked.', z.int()),
    healed: describe('Those that had no entry, and have one now.', z.int()),
    broken: describe(
      'What only a person can decide. It is reported, never changed.',
      z.array(
        z.strictObject({
          object: describe("Stripe's id of what does not fit.", z.string()),
          uid: describe('The account, if it is known.', z.string().nullable()),
          problem: describe('What does not fit, in words.', z.string()),
        }),
      ),
    ),
  }),
);
