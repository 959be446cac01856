import { deleteGenerationRequestSchema, generationAnswerSchema } from '../shared/contract/generation.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { deleteGeneration as deleteRecord } from '../shared/generation/deleteGeneration.ts';
import { clearOutboxItem } from '../shared/generation/outbox.ts';
import { toGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Deletes one generation's image and prompt for good. If the store fails, the sweep deletes the image later. */
export const deleteGeneration = endpoint({
  method: 'POST',
  access: 'user',
  input: deleteGenerationRequestSchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller, input, log }, services) {
    log.add({ generationId: input.id });
    const ledger = await services.ledger();
    const { record, outboxItems } = await deleteRecord(ledger, caller.uid, input.id);
    for (const item of outboxItems) {
      await clearOutboxItem(ledger, services.imageStore, item, item.createdAt);
    }
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
