import * as z from 'zod';
import { sweepAnswerSchema } from '../shared/contract.ts';
import { createWorkingTime, toJobFields } from '../shared/database/jobs.ts';
import { sweepHolds as refundOverdue, sweepOutbox } from '../shared/generation/sweep.ts';
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
    const refunded = await refundOverdue(ledger, workingTime);
    const deletedAssets = await sweepOutbox(ledger, services.imageStore, workingTime);
    log.add({ refunded, deletedAssets, ...toJobFields(workingTime) });
    return { body: { refunded, deletedAssets } };
  },
});
