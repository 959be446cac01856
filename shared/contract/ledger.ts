/** The entries of the ledger. */
import * as z from 'zod';
import { describe, time } from './describe.ts';
import { nextPageTokenSchema } from './pages.ts';

export const entryTypeSchema = describe(
  'Why credits moved. An `adjustment` is an edit in the Firestore console. A `clawback` takes credits of a payment that was refunded or disputed, or pays off what an earlier one could not take; a `reinstatement` returns them.',
  z.enum(['grant', 'debit', 'refund', 'adjustment', 'allowance', 'purchase', 'clawback', 'reinstatement']),
);

export type EntryType = z.infer<typeof entryTypeSchema>;

export const entryFields = {
  id: describe('Unique in the account.', z.string()),
  sequence: describe('The number of the entry in the account: from 1, without a gap.', z.int().positive()),
  type: entryTypeSchema,
  amount: describe('Credits added, or taken if negative.', z.int()),
  balance: describe('Credits in the account after the entry.', z.int()),
  generationId: describe('The generation that the entry belongs to, if any.', z.string().optional()),
  createdAt: time('When the entry was written.'),
};

export const entrySchema = describe(
  'One movement of credits, as its user sees it.',
  z.strictObject({
    ...entryFields,
    reason: describe(
      'The reason of the error that was refunded, the note of an adjustment, or `signup`. The reason of a grant is for admins.',
      z.string().optional(),
    ),
  }),
);

export type Entry = z.infer<typeof entrySchema>;

export const ledgerAnswerSchema = describe(
  'A page of entries.',
  z.strictObject({
    entries: describe('Newest first.', z.array(entrySchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export type LedgerAnswer = z.infer<typeof ledgerAnswerSchema>;
