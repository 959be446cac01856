/** The answer of `exportAccount`. */
import * as z from 'zod';
import { describe, time } from './describe.ts';
import { generationSchema, imageSchema, receiptSchema } from './generation.ts';
import { generationIdSchema } from './ids.ts';
import { entrySchema } from './ledger.ts';

const exportedGenerationSchema = describe(
  'A generation as in every answer, and what else is kept of it.',
  generationSchema.extend({
    modelVersion: describe('The model that answered, if it is another one.', z.string().optional()),
    thoughtSignature: describe(
      'The thought signature that the model returned with the image. Only the model can read it.',
      z.string().optional(),
    ),
    receipt: receiptSchema,
    enhance: describe('True if the request asked for a better prompt.', z.boolean()),
    fresh: describe('True if the request did not want an image from the cache.', z.boolean()),
    references: describe(
      'The reference images: `generation:` and an id, or a hash of an image in the request.',
      z.array(z.string()),
    ),
    finishedAt: describe('When it succeeded or was refunded.', z.iso.datetime().nullable()),
  }),
);

const exportedEnhancementsSchema = describe(
  'The improved prompts of one day (UTC). The prompts themselves are not kept.',
  z.strictObject({
    date: describe('The day.', z.iso.date()),
    count: describe('Calls of the text model.', z.int().min(0)),
    createdAt: time('When the first of them was made.'),
    expiresAt: time('When this record is deleted.'),
  }),
);

const exportedShareSchema = describe(
  'A shared image.',
  z.strictObject({
    generationId: generationIdSchema,
    shareUrl: describe('The address of its page.', z.url()),
    image: describe('The copy that the page shows. Null until it is stored.', imageSchema.nullable()),
    createdAt: time('When it was shared.'),
  }),
);

/** Amounts by id. */
const takenSchema = (description: string) => describe(description, z.record(z.string(), z.int().min(0)));

const exportedPurchaseSchema = describe(
  "A purchase of credits. Amounts are in the currency's smallest unit.",
  z.strictObject({
    sessionId: describe('The Checkout session at Stripe.', z.string()),
    pack: describe('The pack.', z.string()),
    credits: describe('The credits of the pack.', z.int().positive()),
    amount: describe('What was paid, with the tax.', z.int().positive()),
    tax: describe('The tax in it.', z.int().min(0)),
    currency: describe('The ISO 4217 code of the currency, in lower case.', z.string()),
    paymentIntent: describe('The payment at Stripe.', z.string()),
    claim: describe('Credits that were taken back.', z.int().min(0)),
    refunds: takenSchema('What each refund took, by its id.'),
    disputes: takenSchema('What each dispute took, by its id.'),
    createdAt: time('When it was recorded.'),
    updatedAt: time('When it changed last.'),
  }),
);

export const exportAnswerSchema = describe(
  'Everything that is kept about the caller. The lists are in the order of their ids.',
  z.strictObject({
    format: describe('Always `nano-banana-studio/export`.', z.literal('nano-banana-studio/export')),
    version: describe('Rises if a field changes its meaning. New fields do not change it.', z.literal(1)),
    exportedAt: time('When the export began. What happened since may be missing.'),
    account: describe(
      "Every field of the account's document in Firestore. Null if there is no account.",
      z.record(z.string(), z.unknown()).nullable(),
    ),
    entries: describe('The ledger entries. `sequence` is their order.', z.array(entrySchema)),
    purchases: describe('What the user has paid.', z.array(exportedPurchaseSchema)),
    generations: describe('In every state.', z.array(exportedGenerationSchema)),
    enhancements: describe('By day.', z.array(exportedEnhancementsSchema)),
    shares: describe('The images that are public now.', z.array(exportedShareSchema)),
    unreadable: describe(
      'Documents that are left out because they cannot be read: the list and the id. Support can correct them.',
      z.array(z.string()),
    ),
  }),
);

export type AccountExport = z.infer<typeof exportAnswerSchema>;
