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
  async run({ note }, studio) {
    const books = await studio.books();
    const mayGoOn = workingTime(studio.clock);
    const refunded = await sweepOverdue(books, mayGoOn);
    const deletedAssets = await sweepOutbox(books, studio.imageStore, mayGoOn);
    note({ refunded, deletedAssets });
    return { body: { refunded, deletedAssets } };
  },
});
