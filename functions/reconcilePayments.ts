import * as z from 'zod';
import { reconcilePaymentsAnswerSchema } from '../shared/contract/payments.ts';
import { createWorkingTime, finishJob } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { type Reconciled, reconcilePayments as reconcile } from '../shared/payments/reconcile.ts';

/** Records payments, refunds and disputes of the last days that no webhook has brought, and reports what does not fit. */
export const reconcilePayments = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: reconcilePaymentsAnswerSchema,
  async run({ log }, services) {
    const workingTime = createWorkingTime(services.clock);
    const payments = await services.payments();
    const nothing: Reconciled = { checked: 0, healed: 0, broken: [] };
    const ledger = await services.ledger();
    if (!payments) return finish(nothing);
    const { clock, config } = services;
    const context = {
      ledger,
      stripe: payments.stripe,
      log: services.log,
      project: config.projectId,
    };
    return finish(await reconcile(context, new Date(clock.now()), workingTime));

    async function finish(result: Reconciled) {
      log.add({ ...result, broken: result.broken.length });
      await finishJob(ledger, 'reconcilePayments', log, workingTime);
      return { body: result };
    }
  },
});
