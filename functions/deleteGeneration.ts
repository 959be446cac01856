import { deleteGenerationRequestSchema, generationAnswerSchema } from '../shared/contract.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { removeGeneration } from '../shared/generation/deleteGeneration.ts';
import { clearOutboxItem } from '../shared/generation/outbox.ts';
import { showGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Removes one generation's image and prompt for good; the image at once, or else by the sweep. */
export const deleteGeneration = endpoint({
  method: 'POST',
  access: 'user',
  input: deleteGenerationRequestSchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller, input }, services) {
    const ledger = await services.ledger();
    const { record, outboxItem } = await removeGeneration(ledger, caller.uid, input.id);
    if (outboxItem) await clearOutboxItem(ledger, services.imageStore, outboxItem, outboxItem.createdAt);
    return { body: { generation: showGeneration(record) } };
  },
});
