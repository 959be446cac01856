/** The request and the answer of `enhance`. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { promptSchema } from './text.ts';

export const enhanceRequestSchema = describe(
  'The prompt to improve.',
  z.strictObject({ prompt: promptSchema }),
);

export const enhanceAnswerSchema = describe(
  'The prompt to use.',
  z.strictObject({
    prompt: describe('The improved prompt, or the same one.', z.string()),
    enhanced: describe('True if the prompt was improved.', z.boolean()),
  }),
);

export type EnhanceAnswer = z.infer<typeof enhanceAnswerSchema>;
