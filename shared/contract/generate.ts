/** The request and the answer of `generate`. */
import * as z from 'zod';
import { countOf, describe } from './describe.ts';
import { generationSchema, receiptSchema } from './generation.ts';
import { generationIdSchema } from './ids.ts';
import { referenceSchema, referencesMax } from './references.ts';
import { controlCharacters, createPromptSchema, promptCharactersMax, promptSchema } from './text.ts';
import { aspectRatioSchema, orientationSchema, resolutionSchema, tierSchema } from './tiers.ts';

/** The longest `group`, characters. */
const groupCharactersMax = 64;

const groupSchema = describe(
  'Marks images that belong together, such as several of one prompt. Each is a generation with its own key, price and refund. Any text, for example a random UUID.',
  z
    .string({ error: 'must be text' })
    .refine((group) => group.isWellFormed(), { error: 'must be well-formed Unicode', abort: true })
    .refine((group) => !controlCharacters.test(group), 'must not contain control characters')
    .refine(
      (group) => group !== '' && [...group].length <= groupCharactersMax,
      `must have 1 to ${groupCharactersMax} characters`,
    ),
  { minLength: 1, maxLength: groupCharactersMax },
);

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
    resolution: describe('The resolution of the image.', resolutionSchema.default('1K')),
    aspectRatio: describe(
      "The shape of the image, in place of the tier's. The price stays that of the tier and resolution. `orientation` then has no effect: the generation has that of the shape, if it is not square.",
      aspectRatioSchema.optional(),
    ),
    references: describe(
      'Reference images for the model. The `limits` of `account` say how many it accepts.',
      z
        .array(referenceSchema, { error: 'must be a list' })
        .max(referencesMax, `must have at most ${countOf(referencesMax, 'image')}`)
        .default([]),
    ),
    editOf: describe(
      'A finished image of the caller that the prompt changes. The model gets it first, before the `references`, and it counts as one of them.',
      generationIdSchema.optional(),
    ),
    group: groupSchema.optional(),
    originalPrompt: describe(
      'What the user wrote, if `prompt` is an improvement of it. It is kept and shown, never sent to a model, and not compared when a key is repeated.',
      createPromptSchema().optional(),
      { minLength: 1, maxLength: promptCharactersMax },
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
