/** The answer of `health`. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { modelIdSchema, modelReasonSchema, modelRetryAtSchema } from './models.ts';
import { tierSchema } from './tiers.ts';

export const studioInfoSchema = describe(
  'What the studio says of itself before a sign-in.',
  z.strictObject({
    signupCredits: describe('Credits of a new user with a confirmed e-mail address.', z.int().min(0)),
    tiers: describe(
      'The prices at 1K.',
      z.array(
        z.strictObject({
          id: tierSchema,
          credits: describe('The price in credits.', z.int().positive()),
        }),
      ),
    ),
    termsUrl: describe('The page with the terms.', z.url().optional()),
    privacyUrl: describe('The page with the privacy policy.', z.url().optional()),
    supportEmail: describe('The e-mail address of support, if there is one.', z.email().optional()),
  }),
);

export type StudioInfo = z.infer<typeof studioInfoSchema>;

export const healthAnswerSchema = describe(
  'The state of this instance.',
  z.strictObject({
    status: describe('Always `ok`.', z.literal('ok')),
    version: describe('The deployed revision.', z.string()),
    models: describe(
      'The image models in the order in which they are tried.',
      z.array(
        z.strictObject({
          id: modelIdSchema,
          state: describe(
            'The state that this instance last saw. `unknown` before it used the model.',
            z.enum(['ready', 'exhausted', 'off', 'unknown']),
          ),
          reason: modelReasonSchema,
          retryAt: modelRetryAtSchema,
        }),
      ),
    ),
    warnings: describe(
      'In words: models that are retired or soon will be, and fakes or emulators that replace a service.',
      z.array(z.string()),
    ),
    studio: studioInfoSchema,
  }),
);
