import { suspendAnswerSchema, suspendRequestSchema } from '../shared/contract/admin.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { suspendPerson } from '../shared/ledger/suspension.ts';

/** Suspends the person behind an account, or lifts that. */
export const suspend = endpoint({
  method: 'POST',
  access: 'admin',
  input: suspendRequestSchema,
  answer: suspendAnswerSchema,
  async run({ caller: { actor }, input, log }, services) {
    log.add({ uid: input.uid });
    const account = await suspendPerson(await services.ledger(), input, actor);
    const { uid, balance, sequence, suspended } = account;
    log.add({ suspended });
    return { body: { account: { uid, balance, sequence, suspended } } };
  },
});
