import { adminAccountAnswerSchema, adminAccountQuerySchema } from '../shared/contract/desk.ts';
import { readAdminAccount } from '../shared/desk/account.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** One account with its newest entries, generations and purchases. */
export const adminAccount = endpoint({
  method: 'GET',
  access: 'admin',
  input: adminAccountQuerySchema,
  answer: adminAccountAnswerSchema,
  async run({ input: { uid }, log }, services) {
    log.add({ uid });
    return { body: await readAdminAccount(await services.ledger(), services.config.publicUrl, uid) };
  },
});
