import { galleryAnswerSchema } from '../shared/contract/generation.ts';
import { pageQuerySchema } from '../shared/contract/pages.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { readGallery } from '../shared/generation/gallery.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The caller's finished images, newest first. */
export const gallery = endpoint({
  method: 'GET',
  access: 'user',
  input: pageQuerySchema,
  answer: galleryAnswerSchema,
  limit: readLimit,
  run: async ({ caller, input }, services) => ({
    body: await readGallery(await services.ledger(), caller.uid, input, services.config.publicUrl),
  }),
});
