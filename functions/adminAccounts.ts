import { adminAccountsAnswerSchema, adminAccountsQuerySchema } from '../shared/contract/desk.ts';
import { findAccounts, listAccounts } from '../shared/desk/accounts.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** The accounts that a text names, or all accounts, newest first. */
export const adminAccounts = endpoint({
  method: 'GET',
  access: 'admin',
  input: adminAccountsQuerySchema,
  answer: adminAccountsAnswerSchema,
  async run({ input }, services) {
    if (input.find === undefined) return { body: await listAccounts(await services.ledger(), input) };
    return { body: { accounts: await findAccounts(services, input.find) } };
  },
});
