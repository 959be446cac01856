import { generationAnswerSchema } from '../shared/contract/generation.ts';
import { takedownRequestSchema } from '../shared/contract/reports.ts';
import { toGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { takeDown } from '../shared/sharing/takedown.ts';

/** Removes an image everywhere. The credits stay as they are. */
export const takedown = endpoint({
  method: 'POST',
  access: 'admin',
  input: takedownRequestSchema,
  answer: generationAnswerSchema,
  findGenerationId: ({ input }) => input?.generationId,
  async run({ caller: { actor }, input, log }, services) {
    log.add({ uid: input.uid });
    const record = await takeDown(services, input, actor);
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
