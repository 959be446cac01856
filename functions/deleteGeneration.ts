import { deleteGenerationRequestSchema, generationAnswerSchema } from '../shared/contract.ts';
import { endpoint } from '../shared/endpoint.ts';
import { showGeneration } from '../shared/generations.ts';
import { clearOutboxItem } from '../shared/ledger/outbox.ts';
import { removeGeneration } from '../shared/ledger/remove.ts';
import { readLimit } from '../shared/rateLimit.ts';

/** Removes one generation's image and prompt for good; the image at once, or else by the sweep. */
export const deleteGeneration = endpoint({
  method: 'POST',
  access: 'user',
  input: deleteGenerationRequestSchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller, input }, studio) {
    const books = await studio.books();
    const { record, outboxItem } = await removeGeneration(books, caller.uid, input.id);
    if (outboxItem) await clearOutboxItem(books, studio.imageStore, outboxItem, outboxItem.createdAt);
    return { body: { generation: showGeneration(record) } };
  },
});
