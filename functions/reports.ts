import { pageQuerySchema } from '../shared/contract/pages.ts';
import { reportsAnswerSchema } from '../shared/contract/reports.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { readReports } from '../shared/sharing/reports.ts';

/** The open reports, newest first. */
export const reports = endpoint({
  method: 'GET',
  access: 'admin',
  input: pageQuerySchema,
  answer: reportsAnswerSchema,
  run: async ({ input }, services) => ({ body: await readReports(await services.ledger(), input) }),
});
