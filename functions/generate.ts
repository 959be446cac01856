import { type GenerateRequest, generateAnswerSchema, generateRequestSchema } from '../shared/contract.ts';
import { Failure, toFailure } from '../shared/errors.ts';
import { hold, type ModelAvailability } from '../shared/generation/hold.ts';
import {
  type GenerationRecord,
  hashCacheKey,
  hashFingerprint,
  hashGenerationId,
} from '../shared/generation/record.ts';
import { checkReferences, generateBodyBytesMax, loadReferences } from '../shared/generation/references.ts';
import { refund } from '../shared/generation/refund.ts';
import { storeFailure, toGenerateAnswer, toReplay } from '../shared/generation/response.ts';
import { settle } from '../shared/generation/settle.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import type { RequestLog } from '../shared/http/requestLog.ts';
import { getAspectRatio } from '../shared/imagegen/models.ts';
import type { Ledger } from '../shared/ledger/ledger.ts';
import type { Services } from '../shared/services.ts';

/** Debit, paint, store, settle; or on whatever goes wrong, refund. */
export const generate = endpoint({
  method: 'POST',
  access: 'user',
  requiresIdempotencyKey: true,
  input: generateRequestSchema,
  answer: generateAnswerSchema,
  bodyBytesMax: generateBodyBytesMax,
  dependencies: ['database', 'gemini', 'imageStore'],
  async run({ caller, input, idempotencyKey, log }, services) {
    services.shutdown.throwIfAborted();
    const { clock, config } = services;
    const endsAt = clock.elapsed() + config.generateTimeoutMs;
    const left = () => timeLeft(endsAt - clock.elapsed());
    checkReferences(input, services.models[0]?.referenceImagesMax ?? 0);
    const ledger = await services.ledger();
    const { uid } = caller;
    const id = hashGenerationId(uid, idempotencyKey);
    const fingerprint = hashFingerprint(input);
    const cacheKey = config.cacheTtlSeconds > 0 ? { cacheKey: hashCacheKey(uid, config.modelId, input) } : {};
    const availability = await checkAvailability(services, input);

    log.add({ uid, generationId: id, tier: input.tier });
    const wanted = { id, fingerprint, request: input, availability, ...cacheKey };
    const { outcome, record } = await log.timed('hold', hold(ledger, caller, wanted));
    log.add({ cached: outcome === 'cached', replayed: outcome === 'met' });
    if (outcome === 'met') return toReplay(record, fingerprint);
    if (outcome === 'cached') return toGenerateAnswer(record);
    log.add({ creditsCharged: record.receipt.charged });

    const spent = { providerCostMicros: 0, mayBeStored: false };
    let ended: GenerationRecord;
    let failure: Failure | undefined;
    try {
      const enhanced = await enhancedPrompt(services, input, left(), log);
      spent.providerCostMicros += enhanced.providerCostMicros;
      const references = await loadReferences(
        input,
        uid,
        ledger,
        services.imageStore,
        left(),
        services.shutdown,
      );

      const generateImage = await services.imageGenerator();
      const aspectRatio = getAspectRatio(input.tier, input.orientation);
      const imageRequest = { prompt: enhanced.prompt ?? input.prompt, aspectRatio, references };
      const { chunks, attempts, ...painting } = await log.timed(
        'generateImage',
        generateImage(imageRequest, left(), services.shutdown),
      );
      spent.providerCostMicros += painting.providerCostMicros;
      log.add({ model: painting.model, attempts, providerCostMicros: spent.providerCostMicros });

      const images = await services.imageStore();
      const storeMs = left();
      spent.mayBeStored = true;
      const urls = await log.timed(
        'store',
        images.store(record.publicId, chunks, storeMs, services.shutdown),
      );

      const { mimeType, width, height, bytes, model } = painting;
      const image = { ...urls, mimeType, width, height, bytes };
      const cacheUntil = new Date(clock.now() + config.cacheTtlSeconds * 1000);
      const { providerCostMicros } = spent;
      const painted = { model, enhancedPrompt: enhanced.prompt, image, providerCostMicros, cacheUntil };
      ended = await log.timed('settle', settle(ledger, record, painted));
    } catch (error) {
      failure = toFailure(error);
      const { attempts, providerCostMicros = 0 } = failure.details;
      if (!spent.mayBeStored) spent.providerCostMicros += providerCostMicros;
      log.add({ ...(attempts && { attempts }), providerCostMicros: spent.providerCostMicros });
      ended = await log.timed('refund', giveBack(ledger, record, failure, spent));
    }
    log.add({ creditsRefunded: ended.receipt.refunded });
    return toGenerateAnswer(ended, failure);
  },
});

/** Whether any model that can take this request may be asked, and may be paid for. */
async function checkAvailability(
  services: Services,
  { references }: GenerateRequest,
): Promise<ModelAvailability> {
  const [quota, spend] = [await services.quota(), await services.spend()];
  await spend.refresh();
  const able = services.models.filter((model) => model.referenceImagesMax >= references.length);
  const ids = able.map((model) => model.id);
  return {
    statesToRead: quota.statesToRead,
    refusal: (now) => quota.refusal(ids, now.getTime()) ?? spend.refusal(),
  };
}

async function enhancedPrompt(
  services: Services,
  { enhance, prompt }: GenerateRequest,
  millisecondsLeft: number,
  log: RequestLog,
) {
  if (!enhance) return { prompt: null, providerCostMicros: 0 };
  const ask = await services.enhancer();
  return log.timed('enhance', ask(prompt, millisecondsLeft, services.shutdown));
}

/**
 * A step may begin only in time: a worker that was stopped and comes back late must not sign an upload
 * that could land after the sweep has looked for it the last time.
 */
function timeLeft(milliseconds: number): number {
  if (milliseconds > 0) return milliseconds;
  throw new Failure('PROVIDER_TIMEOUT', 'The image was not finished in time.');
}

/**
 * Refunds a generation that failed, and returns it as it then stands: succeeded after all, where only
 * the answer to its settling was lost.
 * @throws {Failure} the failure itself, as unsettled, where the refund must be left to the sweep.
 */
async function giveBack(
  ledger: Ledger,
  held: GenerationRecord,
  failure: Failure,
  spent: { providerCostMicros: number; mayBeStored: boolean },
): Promise<GenerationRecord> {
  const { uid, id, receipt } = held;
  const terms = { uid, id, held, failure: storeFailure(failure), ...spent };
  const refunded = await refund(ledger, terms).catch((error) => {
    ledger.log.error('A refund failed and is left to the sweep', { uid, generationId: id, error });
  });
  if (!refunded) throw failure.with({ receipt, retry: 'same_key' });
  return refunded.record;
}
