import { enhanceAnswerSchema, enhanceRequestSchema } from '../shared/contract.ts';
import { enhanceLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** A better prompt, or the same one back when the model is late or fails. */
export const enhance = endpoint({
  method: 'POST',
  access: 'user',
  input: enhanceRequestSchema,
  answer: enhanceAnswerSchema,
  limit: enhanceLimit,
  dependencies: ['gemini'],
  async run({ input, log }, services) {
    const better = await (await services.enhancer())(input.prompt, services.config.prompt.timeoutMs);
    log.add({ enhanced: better.prompt !== null, providerCostMicros: better.providerCostMicros });
    return { body: { prompt: better.prompt ?? input.prompt, enhanced: better.prompt !== null } };
  },
});
