/** The account as its user sees it, its terms and its end. */
import * as z from 'zod';
import { describe, time } from './describe.ts';
import { resolutionSchema, tierSchema } from './tiers.ts';

export const acceptTermsRequestSchema = describe(
  'The terms that the user accepts. The user is 18 or older.',
  z.strictObject({
    version: describe(
      'The version to accept: the one in the `terms` of `account`.',
      z.string({ error: 'must be text' }).max(64, 'must have at most 64 characters'),
    ),
  }),
);

export const closeAccountRequestSchema = describe(
  'The confirmation.',
  z.strictObject({
    confirm: describe('The word `CLOSE`.', z.literal('CLOSE', { error: 'must be CLOSE' })),
  }),
);

export const accountSchema = describe(
  "A user's account.",
  z.strictObject({
    uid: describe("The user's id.", z.string()),
    balance: describe('Credits in the account.', z.int().min(0)),
    sequence: describe('The number of the last entry. 0 if there is none.', z.int().min(0)),
    suspended: describe('True if the account may not generate images.', z.boolean()),
    email: describe('The verified e-mail address of the user. Null if there is none.', z.string().nullable()),
    createdAt: time('When the account was created.'),
    closedAt: describe(
      'When the user closed the account. Absent unless it is closed or closing.',
      z.iso.datetime().optional(),
    ),
    terms: describe(
      'The terms that the user accepted last, if any.',
      z
        .strictObject({
          version: describe('Their version.', z.string()),
          acceptedAt: time('When.'),
        })
        .optional(),
    ),
    allowance: describe(
      'The free allowance, if the account has one.',
      z
        .strictObject({
          credits: describe('The balance that the account is topped up to.', z.int().min(0)),
          period: describe('How often.', z.enum(['day', 'week', 'month'])),
          nextAt: time('When the next top-up is due. Not in the future if it is due now.'),
        })
        .optional(),
    ),
  }),
);

export type AccountView = z.infer<typeof accountSchema>;

export const tierOfferSchema = describe(
  'A tier with its price and size.',
  z.strictObject({
    id: tierSchema,
    credits: describe('The price in credits.', z.int().positive()),
    aspectRatio: describe('In landscape.', z.string()),
    width: describe('In landscape, in pixels.', z.int().positive()),
    height: describe('In landscape, in pixels.', z.int().positive()),
    resolutions: describe(
      'The resolutions on offer now, smallest first. The fields above are those of 1K.',
      z.array(
        z.strictObject({
          resolution: resolutionSchema,
          credits: describe('The price in credits.', z.int().positive()),
          width: describe('In landscape, in pixels.', z.int().positive()),
          height: describe('In landscape, in pixels.', z.int().positive()),
        }),
      ),
    ),
  }),
);

export type TierOffer = z.infer<typeof tierOfferSchema>;

export const limitsSchema = describe(
  'The limits of one user.',
  z.strictObject({
    maxInFlightPerUser: describe('Generations that may run at the same time.', z.int().positive()),
    maxPerMinutePerUser: describe('Generations that may start within 60 seconds.', z.int().positive()),
    maxReferences: describe(
      'Reference images in one request: as many as the configured model accepts.',
      z.int().min(0),
    ),
    maxReferenceBytes: describe(
      'Bytes of all reference images of one request together, before base64.',
      z.int().positive(),
    ),
  }),
);

export type Limits = z.infer<typeof limitsSchema>;

export const termsSchema = describe(
  'The terms of the studio, and whether the user has to accept them.',
  z.strictObject({
    version: describe('The current version. Absent if nobody has to accept terms.', z.string().optional()),
    accepted: describe(
      'False if the user has to accept the version with `acceptTerms` before `generate`, `enhance` and `checkout`.',
      z.boolean(),
    ),
    acceptedAt: describe('When the user accepted this version.', z.iso.datetime().optional()),
    termsUrl: describe('The page with the terms.', z.url().optional()),
    privacyUrl: describe('The page with the privacy policy.', z.url().optional()),
  }),
);

export type Terms = z.infer<typeof termsSchema>;

export const accountAnswerSchema = describe(
  'The account, the tiers and the limits.',
  z.strictObject({
    account: accountSchema,
    tiers: describe('The tiers on offer.', z.array(tierOfferSchema)),
    limits: limitsSchema,
    terms: describe('The terms of the studio, if it has any.', termsSchema.optional()),
    supportEmail: describe('The e-mail address of support, if there is one.', z.email().optional()),
  }),
);

export type AccountAnswer = z.infer<typeof accountAnswerSchema>;

export const acceptTermsAnswerSchema = describe(
  'The account, with the terms that were accepted.',
  z.strictObject({ account: accountSchema }),
);

export type AcceptTermsAnswer = z.infer<typeof acceptTermsAnswerSchema>;

export const closeAccountAnswerSchema = describe(
  'How far the closing is.',
  z.strictObject({
    status: describe(
      '`closing` until everything about the person is erased, which needs no further call.',
      z.enum(['closing', 'closed']),
    ),
  }),
);

export type CloseAccountAnswer = z.infer<typeof closeAccountAnswerSchema>;
