import { enhanceAnswerSchema, enhanceRequestSchema } from '../shared/contract.ts';
import { enhanceLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Returns a better prompt, or the same one if the text model is late or fails. */
export const enhance = endpoint({
  method: 'POST',
  access: 'user',
  input: enhanceRequestSchema,
  answer: enhanceAnswerSchema,
  limit: enhanceLimit,
  dependencies: ['gemini'],
  async run({ input, log }, services) {
    const enhancePrompt = await services.enhancer();
    const { prompt, providerCostMicros } = await enhancePrompt(
      input.prompt,
      services.config.prompt.timeoutMs,
    );
    const enhanced = prompt !== null;
    log.add({ enhanced, providerCostMicros });
    return { body: { prompt: prompt ?? input.prompt, enhanced } };
  },
});
