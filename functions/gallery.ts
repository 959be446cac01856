import { galleryAnswerSchema, pageQuerySchema } from '../shared/contract.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { galleryPage } from '../shared/ledger/pages.ts';

/** The caller's finished images, newest first. */
export const gallery = endpoint({
  method: 'GET',
  access: 'user',
  input: pageQuerySchema,
  answer: galleryAnswerSchema,
  limit: readLimit,
  run: async ({ caller, input }, services) => ({
    body: await galleryPage(await services.ledger(), caller.uid, input),
  }),
});
