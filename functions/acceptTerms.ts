import { acceptTermsAnswerSchema, acceptTermsRequestSchema } from '../shared/contract/account.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { toAccountView } from '../shared/ledger/accountView.ts';
import { acceptTerms as recordTerms } from '../shared/people/terms.ts';

/** Records that the caller accepts the current terms and is 18 or older. */
export const acceptTerms = endpoint({
  method: 'POST',
  access: 'user',
  input: acceptTermsRequestSchema,
  answer: acceptTermsAnswerSchema,
  limit: readLimit,
  async run({ caller, input: { version } }, services) {
    const account = await recordTerms(await services.ledger(), caller, version);
    const now = new Date(services.clock.now());
    return { body: { account: toAccountView(account, services.config.allowance, now) } };
  },
});
