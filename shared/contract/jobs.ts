/** The answers of the scheduled functions. */
import * as z from 'zod';
import { auditSchema } from './admin.ts';
import { describe } from './describe.ts';
import { modelIdSchema, modelReasonSchema, modelRetryAtSchema } from './models.ts';

export const quotaAnswerSchema = describe(
  'The state of every model.',
  z.strictObject({
    models: describe(
      'The configured models.',
      z.array(
        z.strictObject({
          id: modelIdSchema,
          state: describe(
            'Only an admin switches a model to `off` and back.',
            z.enum(['ready', 'exhausted', 'off']),
          ),
          reason: modelReasonSchema,
          retryAt: modelRetryAtSchema,
        }),
      ),
    ),
    warnings: describe(
      'In words: models that are retired or soon will be, and states in the console that name no model.',
      z.array(z.string()),
    ),
  }),
);

export const refillAnswerSchema = describe(
  'What the call did.',
  z.strictObject({
    checked: describe('Accounts checked.', z.int()),
    refilled: describe('Accounts topped up.', z.int()),
  }),
);

export const sweepAnswerSchema = describe(
  'What the call did.',
  z.strictObject({
    refunded: describe('Generations refunded.', z.int()),
    deletedAssets: describe('Images deleted.', z.int()),
  }),
);

export const reconcileAnswerSchema = describe(
  'What the call did and found.',
  z.strictObject({
    checked: describe('Accounts checked.', z.int()),
    adjusted: describe('Console edits recorded.', z.int()),
    broken: describe('Accounts that do not add up, or have no user.', z.array(auditSchema)),
  }),
);
