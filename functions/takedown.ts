import { generationAnswerSchema } from '../shared/contract/generation.ts';
import { takedownRequestSchema } from '../shared/contract/reports.ts';
import { toGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { takeDownReported } from '../shared/sharing/reports.ts';

/** Removes an image everywhere, and closes its reports. The credits stay as they are. */
export const takedown = endpoint({
  method: 'POST',
  access: 'admin',
  input: takedownRequestSchema,
  answer: generationAnswerSchema,
  async run({ caller: { actor }, input, log }, services) {
    const { uid, generationId } = input;
    log.add({ uid, generationId });
    const record = await takeDownReported(services, input, actor);
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
