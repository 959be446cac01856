import * as z from 'zod';
import { sweepAnswerSchema } from '../shared/contract/jobs.ts';
import { createWorkingTime, finishJob } from '../shared/database/jobs.ts';
import { logErasures } from '../shared/erasures/erasures.ts';
import { sweep } from '../shared/generation/sweep.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { createCloser, sweepClosures } from '../shared/people/closing.ts';

/** How long a round works on closings, and on the erasure log, milliseconds. */
const closuresMsMax = 60_000;
const erasuresMsMax = 20_000;

/** Refunds generations after their deadline, deletes orphaned images, and goes on with closings of accounts. */
export const sweepHolds = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: sweepAnswerSchema,
  async run({ log }, services) {
    const ledger = await services.ledger();
    const workingTime = createWorkingTime(services.clock);
    const closer = await createCloser(services);
    const erasureLog = await services.erasureLog();
    const counts = { closedAccounts: 0, loggedErasures: 0 };
    const answer = await sweep(ledger, services.imageStore, services.clock, workingTime, [
      {
        msMax: erasuresMsMax,
        async run(mayContinue) {
          counts.loggedErasures += await logErasures(ledger, erasureLog, mayContinue);
        },
      },
      {
        msMax: closuresMsMax,
        async run(mayContinue) {
          counts.closedAccounts += await sweepClosures(closer, services.clock.now(), mayContinue);
        },
      },
    ]);
    log.add({ ...answer, ...counts });
    await finishJob(ledger, 'sweepHolds', log, workingTime);
    return { body: answer };
  },
});
