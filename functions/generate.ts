import { generateAnswerSchema, generateRequestSchema } from '../shared/contract/generate.ts';
import { admit } from '../shared/generation/admission.ts';
import { hold } from '../shared/generation/hold.ts';
import { toHoldRequest } from '../shared/generation/holdRequest.ts';
import { loadReferences } from '../shared/generation/references.ts';
import { toGenerateAnswer, toReplay } from '../shared/generation/response.ts';
import { settleOrRefund } from '../shared/generation/settleOrRefund.ts';
import { enhancePrompt, generateImage, storeImage, toFacts } from '../shared/generation/steps.ts';
import { createTimeLimit } from '../shared/generation/timeLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';

/** Holds the price, generates and stores the image, and settles; or refunds, whatever goes wrong. */
export const generate = endpoint({
  method: 'POST',
  access: 'user',
  requiresIdempotencyKey: true,
  input: generateRequestSchema,
  answer: generateAnswerSchema,
  bodyBytesMax: 19_500_000, // The references in base64, and the rest.
  dependencies: ['database', 'gemini', 'imageStore'],
  admit,
  async run({ caller, input: request, idempotencyKey, log }, services) {
    services.shutdown.throwIfAborted();
    const { endsAt, timeLeft } = createTimeLimit(services.clock, services.config.generateTimeoutMs);
    const ledger = await services.ledger();
    const holdRequest = await toHoldRequest(services, caller.uid, idempotencyKey, request);
    log.add({ uid: caller.uid, generationId: holdRequest.id, tier: request.tier });

    const { outcome, record, sources } = await log.timed('hold', hold(ledger, caller, holdRequest));
    log.add({ cached: outcome === 'cached', replayed: outcome === 'existing' });
    if (outcome === 'existing') return toReplay(record, holdRequest.fingerprint, services.config.publicUrl);
    if (outcome === 'cached') return toGenerateAnswer(record, services.config.publicUrl);

    const ended = await settleOrRefund(ledger, record, log, endsAt, async (progress) => {
      const step = { services, uid: caller.uid, request, log, timeLeft, progress };
      const enhancedPrompt = await enhancePrompt(step);
      const loaded = await loadReferences(step, sources);
      const generated = await generateImage(step, enhancedPrompt ?? request.prompt, loaded);
      const { image, imageHash } = await storeImage(step, record.publicId, generated);
      const cacheUntil = new Date(services.clock.now() + services.config.cacheTtlSeconds * 1000);
      return { ...toFacts(generated, loaded), enhancedPrompt, image, imageHash, cacheUntil };
    });
    return toGenerateAnswer(ended.record, services.config.publicUrl, ended.failure);
  },
});
