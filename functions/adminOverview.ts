import { overviewAnswerSchema, overviewQuerySchema } from '../shared/contract/desk.ts';
import { parsePeriod, readOverview } from '../shared/desk/overview.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The sums of a period, and the state of the studio now. */
export const adminOverview = endpoint({
  method: 'GET',
  access: 'admin',
  input: overviewQuerySchema,
  answer: overviewAnswerSchema,
  run: async ({ input }, services) => ({
    body: await readOverview(services, parsePeriod(input, new Date(services.clock.now()))),
  }),
});
