/** What admins ask and see. */
import * as z from 'zod';
import { describe, wholeNumberText } from './describe.ts';
import { generationIdSchema, uidSchema } from './ids.ts';
import { entryFields } from './ledger.ts';
import { nextPageTokenSchema, pageQuerySchema } from './pages.ts';
import { reasonSchema } from './text.ts';

/** The most credits that one grant adds or takes. */
export const grantCreditsMax = 1_000_000_000;

const grantAmountText = `${wholeNumberText(-grantCreditsMax, grantCreditsMax)}, but not 0`;

export const grantRequestSchema = describe(
  'The account, the amount and the reason.',
  z.strictObject({
    uid: uidSchema,
    amount: describe(
      'Credits to add, or to take if negative. Not 0.',
      z
        .int({ error: grantAmountText, abort: true })
        .min(-grantCreditsMax, grantAmountText)
        .max(grantCreditsMax, grantAmountText)
        .refine((amount) => amount !== 0, grantAmountText),
    ),
    reason: reasonSchema('Why, for the ledger entry. Not empty.'),
    generationId: describe(
      'Makes the grant a goodwill refund of this generation of the account: once, and at most its price.',
      generationIdSchema.optional(),
    ),
  }),
);

export type GrantRequest = z.infer<typeof grantRequestSchema>;

export const suspendRequestSchema = describe(
  'The account, and whether its person is suspended.',
  z.strictObject({
    uid: uidSchema,
    suspended: describe('True to suspend, false to restore.', z.boolean({ error: 'must be true or false' })),
    reason: reasonSchema('Why, for the record of what admins did. Not empty.'),
  }),
);

export type SuspendRequest = z.infer<typeof suspendRequestSchema>;

export const auditQuerySchema = pageQuerySchema.extend({
  uid: describe(
    'The account to check. Leave it out to check all accounts page by page.',
    uidSchema.optional(),
  ),
});

export const adminEntrySchema = describe(
  'One movement of credits, as admins see it.',
  z.strictObject({
    ...entryFields,
    reason: describe(
      "The admin's reason, the reason of the error that was refunded, or `signup`.",
      z.string().optional(),
    ),
    actor: describe(
      'Who moved the credits, if it is known and not the user. For an admin: the uid, then the verified e-mail address in brackets.',
      z.string().optional(),
    ),
  }),
);

export type AdminEntry = z.infer<typeof adminEntrySchema>;

export const auditSchema = describe(
  "Whether one account's ledger adds up.",
  z.strictObject({
    uid: describe('The account.', z.string()),
    balance: describe(
      'The value in the Firestore console: a whole number of 0 or more, unless the account is broken.',
      z.unknown(),
    ),
    settled: describe('The balance that the ledger last wrote.', z.number()),
    sum: describe('The sum of the entries. Equals `settled` in a correct ledger.', z.number()),
    ok: describe('True if the ledger adds up.', z.boolean()),
    differences: describe('What does not add up, in words.', z.array(z.string())),
    providerCostMicros: describe(
      "What the account's generations, and the prompts improved in the last 400 days, cost at the provider, in millionths of a US dollar.",
      z.int(),
    ),
  }),
);

export type Audit = z.infer<typeof auditSchema>;

export const grantAnswerSchema = describe(
  'The entry, and the account after it.',
  z.strictObject({
    account: describe(
      'The account.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe('Credits in the account after the grant.', z.int()),
        sequence: describe("The number of the grant's entry.", z.int()),
      }),
    ),
    entry: adminEntrySchema,
  }),
);

export type GrantAnswer = z.infer<typeof grantAnswerSchema>;

export const suspendAnswerSchema = describe(
  'The account after it.',
  z.strictObject({
    account: describe(
      'The account.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe(
          'Credits in the account. Null if the console holds no valid number.',
          z.int().nullable(),
        ),
        sequence: describe('The number of the newest entry.', z.int()),
        suspended: describe('True if the account may not generate images.', z.boolean()),
      }),
    ),
  }),
);

export type SuspendAnswer = z.infer<typeof suspendAnswerSchema>;

export const auditAnswerSchema = describe(
  'One account, or a page of accounts.',
  z.strictObject({
    accounts: describe('In the order of their uids.', z.array(auditSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);
