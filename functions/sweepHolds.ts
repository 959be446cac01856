import * as z from 'zod';
import { sweepAnswerSchema } from '../shared/contract.ts';
import { createWorkingTime, toJobFields } from '../shared/database/jobs.ts';
import { sweep } from '../shared/generation/sweep.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Refunds generations after their deadline, and deletes orphaned images. */
export const sweepHolds = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: sweepAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const workingTime = createWorkingTime(services.clock);
    const answer = await sweep(ledger, services.imageStore, services.clock, workingTime);
    log.add({ ...answer, ...toJobFields(workingTime) });
    return { body: answer };
  },
});
