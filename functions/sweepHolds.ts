import * as z from 'zod';
import { sweepAnswerSchema } from '../shared/contract.ts';
import { workingTime } from '../shared/database/jobs.ts';
import { sweepOutbox, sweepHolds as sweepOverdue } from '../shared/generation/sweep.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Refunds generations past their deadline and deletes the images that nobody owns any more. */
export const sweepHolds = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: sweepAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const mayGoOn = workingTime(services.clock);
    const refunded = await sweepOverdue(ledger, mayGoOn);
    const deletedAssets = await sweepOutbox(ledger, services.imageStore, mayGoOn);
    log.add({ refunded, deletedAssets });
    return { body: { refunded, deletedAssets } };
  },
});
