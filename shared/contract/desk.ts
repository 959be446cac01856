/** What the owner's desk shows: sums of a period, lists of accounts, and one account in full. */
import * as z from 'zod';
import { adminEntrySchema } from './admin.ts';
import { describe } from './describe.ts';
import { generationSchema } from './generation.ts';
import { uidSchema } from './ids.ts';
import { nextPageTokenSchema, pageQuerySchema } from './pages.ts';

/** The longest period of one overview, days. */
export const overviewDaysMax = 92;
/** The period of an overview that names none, days. */
export const overviewDaysDefault = 30;
/** The most items of each kind that `adminAccount` and the record of an overview show. */
export const deskItemsMax = 100;

// Firestore has no times before the year 1.
const instantSchema = (description: string) =>
  describe(
    description,
    z.iso
      .datetime({ offset: true, error: 'must be an instant such as 2026-01-31T00:00:00Z' })
      .refine((text) => Date.parse(text) > 0, 'must be after 1970')
      .optional(),
  );

export const overviewQuerySchema = z.strictObject({
  from: instantSchema(
    `The beginning of the period: at most ${overviewDaysMax} days before \`to\`. By default ${overviewDaysDefault} days before it.`,
  ),
  to: instantSchema('The end of the period, which does not belong to it. By default now.'),
});

export type OverviewQuery = z.infer<typeof overviewQuerySchema>;

const count = (description: string) => describe(description, z.int());

const creditSumsSchema = describe(
  'Credits that moved in the period, by the type of their entry.',
  z.strictObject({
    sold: count('Purchases.'),
    granted: count("Signup credits, and admins' grants less what they took."),
    allowances: count('Allowances.'),
    adjusted: count('Edits in the Firestore console.'),
    spent: count('Debits of generations.'),
    refunded: count('Refunds of generations.'),
    takenBack: count('Taken back because Stripe refunded a payment, or withdrew it for a dispute.'),
    reinstated: count('Added again because a refund failed or a dispute was won.'),
  }),
);

const daySchema = describe(
  'One day in UTC, or the part of it that belongs to the period.',
  z.strictObject({
    date: describe('The date, such as 2026-01-31.', z.string()),
    images: count('Images that were finished, deleted ones too.'),
    refunds: count('Generations that were refunded.'),
    creditsSold: count('Credits that were bought.'),
    creditsSpent: count('Credits that were debited.'),
    providerCostMicros: count('What the provider bills for the generations, in millionths of a US dollar.'),
  }),
);

export const adminActionSchema = describe(
  'Something that an admin did.',
  z.strictObject({
    id: describe('The id of the record.', z.string()),
    action: describe('What was done.', z.enum(['suspend', 'restore', 'takedown', 'resolveReport', 'grant'])),
    actor: describe('Who did it: the uid, then the verified e-mail address in brackets.', z.string()),
    uid: describe('The user whom it concerns.', z.string()),
    generationId: describe('The generation, if it concerns one.', z.string().optional()),
    amount: describe('The credits of a grant.', z.int().optional()),
    reason: describe('The reason that the admin gave.', z.string()),
    createdAt: describe('When.', z.iso.datetime()),
  }),
);
export type AdminActionView = z.infer<typeof adminActionSchema>;

export const overviewAnswerSchema = describe(
  'The sums of a period, and the state of the studio now.',
  z.strictObject({
    from: describe('The beginning of the period.', z.iso.datetime()),
    to: describe('The end of the period.', z.iso.datetime()),
    money: describe(
      'What customers paid in the period, with tax, before refunds: one item for each currency.',
      z.array(
        z.strictObject({
          currency: describe('The currency in ISO 4217, in lower case.', z.string()),
          paid: count('The sum in the smallest unit of the currency.'),
          purchases: count('The number of purchases.'),
        }),
      ),
    ),
    credits: creditSumsSchema,
    outstanding: describe(
      'All accounts now.',
      z.strictObject({
        accounts: count('The number of accounts.'),
        credits: count('The sum of their balances.'),
        debt: count('The sum of their debts: credits to take back that were spent already.'),
      }),
    ),
    images: describe(
      'The generations of the period, by how they ended.',
      z.strictObject({
        succeeded: count('Finished images, deleted ones too.'),
        refunded: count('Generations that were refunded.'),
        pending: count('Generations that are still running.'),
      }),
    ),
    failures: describe(
      'The refunded generations by the reason of their error, most frequent first.',
      z.array(
        z.strictObject({
          reason: describe('The reason. `OTHER` stands for all that are not listed.', z.string()),
          count: count('How many.'),
        }),
      ),
    ),
    providerCostMicros: count(
      'What the provider bills for images and improved prompts, in millionths of a US dollar.',
    ),
    marginMicros: describe(
      'Money paid less the cost of the provider, in millionths of a US dollar. Without taxes, the fees of Stripe, and refunds. Null if something was sold in another currency.',
      z.int().nullable(),
    ),
    days: describe('The days of the period, oldest first.', z.array(daySchema)),
    models: describe(
      'The image models in the order in which they are asked, and `all` if its state is not `ready`.',
      z.array(
        z.strictObject({
          id: describe('The name of the model, or `all`.', z.string()),
          state: describe('Whether it is asked.', z.enum(['ready', 'exhausted', 'off'])),
          reason: describe('Why it is not asked.', z.string().optional()),
          retryAt: describe('When `exhausted` ends.', z.iso.datetime().optional()),
        }),
      ),
    ),
    jobs: describe(
      'The scheduled functions. `reconcilePayments` only if credits are sold.',
      z.array(
        z.strictObject({
          name: describe('The name of the function.', z.string()),
          finishedAt: describe(
            'When it last handled everything. Null if never.',
            z.iso.datetime().nullable(),
          ),
          late: describe('True if that is longer ago than its alert allows.', z.boolean()),
        }),
      ),
    ),
    actions: describe(
      `The newest ${deskItemsMax} things that admins did, newest first.`,
      z.array(adminActionSchema),
    ),
  }),
);
export type OverviewAnswer = z.infer<typeof overviewAnswerSchema>;

export const adminAccountsQuerySchema = pageQuerySchema.extend({
  find: describe(
    'A uid, an e-mail address, the id of a generation (the support code of an error), or the id of a Stripe Checkout session. Leave it out for all accounts, newest first.',
    z.string({ error: 'must be text' }).trim().min(1, 'must not be empty').max(320, 'is too long').optional(),
  ),
});

export type AdminAccountsQuery = z.infer<typeof adminAccountsQuerySchema>;

export const adminAccountSchema = describe(
  'An account as admins see it.',
  z.strictObject({
    uid: describe("The user's id.", z.string()),
    email: describe('The verified e-mail address, if there is one.', z.string().nullable()),
    balance: describe('Credits. Null if the console holds no valid number.', z.int().nullable()),
    debt: count('Credits to take back that were spent already.'),
    sequence: count('The number of the newest entry.'),
    suspended: describe('True if the person may not generate images.', z.boolean()),
    note: describe("An admin's note in the console.", z.string().optional()),
    allowance: describe("The account's own allowance, if it has one.", z.int().optional()),
    problem: describe('What an admin must correct in the console, if anything.', z.string().optional()),
    createdAt: describe('When it was created.', z.iso.datetime().nullable()),
    usedAt: describe('When it was last used, at most a day late.', z.iso.datetime().nullable()),
    closedAt: describe('When it was closed.', z.iso.datetime().optional()),
  }),
);
export type AdminAccount = z.infer<typeof adminAccountSchema>;

export const adminAccountsAnswerSchema = describe(
  'One page of accounts.',
  z.strictObject({
    accounts: describe('Those that were found, or all, newest first.', z.array(adminAccountSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export type AdminAccountsAnswer = z.infer<typeof adminAccountsAnswerSchema>;

export const adminAccountQuerySchema = z.strictObject({ uid: uidSchema });

export const adminPurchaseSchema = describe(
  'A purchase.',
  z.strictObject({
    id: describe('The id of its Stripe Checkout session.', z.string()),
    pack: describe('The pack.', z.string()),
    credits: count('The credits that were bought.'),
    amount: count('What was paid, with tax, in the smallest unit of the currency.'),
    currency: describe('The currency in ISO 4217, in lower case.', z.string()),
    takenBack: count('Credits of it that were taken back.'),
    refunds: describe('The ids of its refunds at Stripe.', z.array(z.string())),
    disputes: describe('The ids of its disputes at Stripe.', z.array(z.string())),
    createdAt: describe('When it was paid.', z.iso.datetime()),
  }),
);

export type AdminPurchase = z.infer<typeof adminPurchaseSchema>;

const newest = (what: string) => `The newest ${deskItemsMax} ${what}, newest first.`;

export const adminAccountAnswerSchema = describe(
  'One account in full.',
  z.strictObject({
    account: adminAccountSchema,
    entries: describe(newest('entries'), z.array(adminEntrySchema)),
    generations: describe(newest('generations'), z.array(generationSchema)),
    purchases: describe(newest('purchases'), z.array(adminPurchaseSchema)),
    actions: describe(newest('things that admins did'), z.array(adminActionSchema)),
  }),
);
export type AdminAccountAnswer = z.infer<typeof adminAccountAnswerSchema>;
