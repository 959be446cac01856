import * as z from 'zod';
import { exportAnswerSchema } from '../shared/contract/exportAccount.ts';
import { exportLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { exportAccount as readExport } from '../shared/people/exportAccount.ts';

/** Everything that is kept about the caller, as a file. It writes nothing, so it works whatever state the account is in. */
export const exportAccount = endpoint({
  method: 'GET',
  access: 'user',
  input: z.strictObject({}),
  answer: exportAnswerSchema,
  limit: exportLimit,
  run: async ({ caller: { uid } }, services) => ({
    chunks: readExport(await services.ledger(), uid, services.config.publicUrl),
    headers: { 'Content-Disposition': 'attachment; filename="nano-banana-studio-export.json"' },
  }),
});
