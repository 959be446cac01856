/** The request and the answer of `generate`. */
import * as z from 'zod';
import { countOf, describe } from './describe.ts';
import { generationSchema, receiptSchema } from './generation.ts';
import { referenceSchema, referencesMax } from './references.ts';
import { promptSchema } from './text.ts';
import { orientationSchema, tierSchema } from './tiers.ts';

export const generateRequestSchema = describe(
  'The image to generate.',
  z.strictObject({
    prompt: promptSchema,
    tier: tierSchema,
    orientation: describe('Wider than high, or higher than wide.', orientationSchema.default('landscape')),
    enhance: describe(
      'True if a text model improves the prompt first.',
      z.boolean({ error: 'must be true or false' }).default(false),
    ),
    fresh: describe(
      'True to generate a new image even if the cache has one for the same request.',
      z.boolean({ error: 'must be true or false' }).default(false),
    ),
    references: describe(
      'Reference images for the model. The `limits` of `account` say how many it accepts.',
      z
        .array(referenceSchema, { error: 'must be a list' })
        .max(referencesMax, `must have at most ${countOf(referencesMax, 'image')}`)
        .default([]),
    ),
  }),
);

export type GenerateRequest = z.infer<typeof generateRequestSchema>;

/** The same as a client sends it: fields with a default may be left out. */
export type GenerateInput = z.input<typeof generateRequestSchema>;

export const generateAnswerSchema = describe(
  'The finished generation and its cost.',
  z.strictObject({
    generation: generationSchema,
    receipt: receiptSchema,
  }),
);

export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;
