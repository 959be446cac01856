import { generationAnswerSchema, generationQuerySchema } from '../shared/contract/generation.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { Failure } from '../shared/errors.ts';
import { readAncestors } from '../shared/generation/ancestors.ts';
import { hashGenerationId, toGeneration } from '../shared/generation/record.ts';
import { findCurrentGeneration } from '../shared/generation/refund.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** One generation in any state, by its id or by its Idempotency-Key; for an edit, the images it was made from too. */
export const generation = endpoint({
  method: 'GET',
  access: 'user',
  input: generationQuerySchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller: { uid }, input, log }, services) {
    const ledger = await services.ledger();
    const { publicUrl } = services.config;
    const id = input.id ?? hashGenerationId(uid, input.key ?? '');
    log.add({ generationId: id });
    const record = await findCurrentGeneration(ledger, uid, id);
    if (!record) throw new Failure('NOT_FOUND', 'There is no such generation.');
    const ancestors = await readAncestors(ledger, record);
    return {
      body: {
        generation: toGeneration(record, publicUrl),
        ...(ancestors && { ancestors: ancestors.map((ancestor) => toGeneration(ancestor, publicUrl)) }),
      },
    };
  },
});
