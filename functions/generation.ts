import { generationAnswerSchema, generationQuerySchema } from '../shared/contract/generation.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { hashGenerationId, toGeneration } from '../shared/generation/record.ts';
import { findCurrentGeneration } from '../shared/generation/refund.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** One generation in any state, by its id or by its Idempotency-Key. */
export const generation = endpoint({
  method: 'GET',
  access: 'user',
  input: generationQuerySchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller: { uid }, input, log }, services) {
    const id = input.id ?? hashGenerationId(uid, input.key ?? '');
    log.add({ generationId: id });
    const record = await findCurrentGeneration(await services.ledger(), uid, id);
    if (!record) throw new Failure('NOT_FOUND', 'There is no such generation.');
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
