import { ledgerAnswerSchema, pageQuerySchema } from '../shared/contract.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { entryPage } from '../shared/ledger/pages.ts';

/** The caller's entries, newest first. */
export const ledger = endpoint({
  method: 'GET',
  access: 'user',
  input: pageQuerySchema,
  answer: ledgerAnswerSchema,
  limit: readLimit,
  run: async ({ caller, input }, services) => ({
    body: await entryPage(await services.ledger(), caller.uid, input),
  }),
});
