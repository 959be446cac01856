import { galleryAnswerSchema, galleryQuerySchema } from '../shared/contract/generation.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { readGallery } from '../shared/generation/gallery.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The caller's finished images, newest first: all, those that a search finds, or favourites. */
export const gallery = endpoint({
  method: 'GET',
  access: 'user',
  input: galleryQuerySchema,
  answer: galleryAnswerSchema,
  limit: readLimit,
  run: async ({ caller, input }, services) => ({
    body: await readGallery(await services.ledger(), caller.uid, input, services.config.publicUrl),
  }),
});
