import { z } from 'zod';
import { endpoint } from '../shared/endpoint.ts';

/** Whether this instance answers; touches nothing that costs money. */
export const health = endpoint({
  method: 'GET',
  access: 'anyone',
  input: z.looseObject({}),
  run: async (_call, { config }) => ({
    body: { status: 'ok', version: config.version, models: [{ id: config.modelId }] },
  }),
});
