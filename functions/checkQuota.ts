import * as z from 'zod';
import { quotaAnswerSchema } from '../shared/contract/jobs.ts';
import { createWorkingTime, finishJob } from '../shared/database/jobs.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { stateWarnings } from '../shared/imagegen/modelStates.ts';
import { modelWarnings } from '../shared/imagegen/models.ts';
import { strayStateWarnings } from '../shared/imagegen/strayStates.ts';

/** Reopens models whose quota is due back, and reports the state of every model. */
export const checkQuota = endpoint({
  method: 'POST',
  access: 'scheduler',
  input: z.looseObject({}),
  answer: quotaAnswerSchema,
  async run({ log }, services) {
    const workingTime = createWorkingTime(services.clock);
    const ledger = await services.ledger();
    const reported = await (await services.quota()).reopenDue();
    const models = reported.map(({ id, state: { state, reason, retryAt } }) => ({
      id,
      state,
      ...(reason && { reason }),
      ...(retryAt && { retryAt: retryAt.toISOString() }),
    }));
    const { modelIds, prompt } = services.config;
    const now = new Date(services.clock.now());
    const warnings = [
      ...modelWarnings(modelIds, prompt.modelId, now),
      ...stateWarnings(modelIds, services.modelStates, now),
      ...(await strayStateWarnings(ledger, services.config)),
    ];
    for (const warning of warnings) services.log.warning(warning);
    await finishJob(ledger, 'checkQuota', log, workingTime);
    return { body: { models, warnings } };
  },
});
