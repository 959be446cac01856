/** The answer of `health`. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { modelIdSchema, modelReasonSchema, modelRetryAtSchema } from './models.ts';

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
  }),
);
