import { favouriteRequestSchema, generationAnswerSchema } from '../shared/contract/generation.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { setFavourite } from '../shared/generation/favourite.ts';
import { toGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Marks one finished image as a favourite, or takes the mark away. */
export const favourite = endpoint({
  method: 'POST',
  access: 'user',
  input: favouriteRequestSchema,
  answer: generationAnswerSchema,
  limit: readLimit,
  async run({ caller: { uid }, input: { id, favourite } }, services) {
    const record = await setFavourite(await services.ledger(), uid, id, favourite);
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
