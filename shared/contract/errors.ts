/** The body of an error. */
import * as z from 'zod';
import { receiptSchema } from './generation.ts';

/**
 * What an error tells a client to do: send the request again with the same key, try again with a new key, or not try
 * again.
 */
export type Retry = 'same_key' | 'new_key' | 'no';

/** The body of an error, in Google's API error model. */
export const errorAnswerSchema = z.strictObject({
  error: z.strictObject({
    code: z.int(),
    status: z.string(),
    message: z.string(),
    details: z.array(z.looseObject({ '@type': z.string() })),
  }),
  receipt: receiptSchema.optional(),
});

export type ErrorAnswer = z.infer<typeof errorAnswerSchema>;
