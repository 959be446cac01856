import { z } from 'zod';
import { endpoint } from '../shared/endpoint.ts';
import { modelWarnings } from '../shared/models.ts';

/** Whether this instance answers; touches nothing that costs money. */
export const health = endpoint({
  method: 'GET',
  access: 'anyone',
  input: z.looseObject({}),
  run: async (_call, { config, clock }) => ({
    body: {
      status: 'ok',
      version: config.version,
      models: config.modelIds.map((id) => ({ id })),
      warnings: modelWarnings(config.modelIds, new Date(clock.now())),
    },
  }),
});
