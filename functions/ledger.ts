import { ledgerAnswerSchema } from '../shared/contract/ledger.ts';
import { pageQuerySchema } from '../shared/contract/pages.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { readEntries } from '../shared/ledger/entries.ts';

/** The caller's entries, newest first. */
export const ledger = endpoint({
  method: 'GET',
  access: 'user',
  input: pageQuerySchema,
  answer: ledgerAnswerSchema,
  limit: readLimit,
  run: async ({ caller, input }, services) => ({
    body: await readEntries(await services.ledger(), caller.uid, input),
  }),
});
