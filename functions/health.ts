import { z } from 'zod';
import { healthAnswerSchema } from '../shared/contract.ts';
import { endpoint } from '../shared/endpoint.ts';
import { modelWarnings } from '../shared/models.ts';

/** Whether this instance answers; touches nothing that costs money. */
export const health = endpoint({
  method: 'GET',
  access: 'anyone',
  input: z.looseObject({}),
  answer: healthAnswerSchema,
  run: async (_call, { config, clock }) => ({
    body: {
      status: 'ok' as const,
      version: config.version,
      models: config.modelIds.map((id) => ({ id })),
      warnings: modelWarnings(config.modelIds, new Date(clock.now())),
    },
  }),
});
