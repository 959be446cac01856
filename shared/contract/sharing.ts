/** Shared images. */
import * as z from 'zod';
import { describe } from './describe.ts';
import { generationIdSchema } from './ids.ts';

export const shareRequestSchema = describe(
  'The image, and whether it is public.',
  z.strictObject({
    id: generationIdSchema,
    shared: describe(
      'True to make the image public, false to make it private again.',
      z.boolean({ error: 'must be true or false' }),
    ),
  }),
);

/** The query of `sharedImage`, as the server makes it of the path. Any token but a shared image's gets the same page. */
export const sharedImageQuerySchema = z.object({
  token: describe('The last part of the address.', z.string().optional()),
});

export const sharedImagePageSchema = describe('The page, as HTML.', z.string());
