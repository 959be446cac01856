import { generationAnswerSchema, generationQuerySchema } from '../shared/contract.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { hashGenerationId, showGeneration } from '../shared/generation/record.ts';
import { currentGeneration } from '../shared/generation/refund.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** One generation in whatever state it is, by its id or by the key it was asked with. */
export const generation = endpoint({
  method: 'GET',
  access: 'user',
  input: generationQuerySchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller: { uid }, input }, services) {
    const id = input.id ?? hashGenerationId(uid, input.key ?? '');
    const record = await currentGeneration(await services.ledger(), uid, id);
    if (!record) throw new Failure('NOT_FOUND', 'There is no such generation.');
    return { body: { generation: showGeneration(record) } };
  },
});
