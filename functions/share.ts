import { generationAnswerSchema } from '../shared/contract/generation.ts';
import { shareRequestSchema } from '../shared/contract/sharing.ts';
import { shareLimit } from '../shared/core/rateLimit.ts';
import { toGeneration } from '../shared/generation/record.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { makePrivate, makePublic } from '../shared/sharing/share.ts';

/** Makes one finished image public, or private again. */
export const share = endpoint({
  method: 'POST',
  access: 'user',
  input: shareRequestSchema,
  answer: generationAnswerSchema,
  limit: shareLimit,
  dependencies: ['database', 'imageStore'],
  async run({ caller: { uid }, input: { id, shared }, log }, services) {
    log.add({ generationId: id, shared });
    const record = await (shared ? makePublic : makePrivate)(services, uid, id);
    return { body: { generation: toGeneration(record, services.config.publicUrl) } };
  },
});
