import { type GenerateRequest, generateAnswerSchema, generateRequestSchema } from '../shared/contract.ts';
import { asFailure, Failure } from '../shared/errors.ts';
import { type Gate, hold } from '../shared/generation/hold.ts';
import {
  cacheKeyOf,
  fingerprintOf,
  type GenerationRecord,
  generationIdOf,
} from '../shared/generation/record.ts';
import { checkReferences, generateBodyBytesMax, loadReferences } from '../shared/generation/references.ts';
import { refund } from '../shared/generation/refund.ts';
import { outcomeOf, replay, storeFailure } from '../shared/generation/response.ts';
import { settle } from '../shared/generation/settle.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import type { Notes } from '../shared/http/requestLog.ts';
import { aspectRatioOf } from '../shared/imagegen/models.ts';
import type { Books } from '../shared/ledger/ledger.ts';
import type { Studio } from '../shared/services.ts';

/** Debit, paint, store, settle; or on whatever goes wrong, refund. */
export const generate = endpoint({
  method: 'POST',
  access: 'user',
  keyed: true,
  input: generateRequestSchema,
  answer: generateAnswerSchema,
  bodyBytesMax: generateBodyBytesMax,
  needs: ['database', 'gemini', 'imageStore'],
  async run({ caller, input, idempotencyKey, note, timed }, studio) {
    studio.shutdown.throwIfAborted();
    const { clock, config } = studio;
    const endsAt = clock.elapsed() + config.generateTimeoutMs;
    const left = () => timeLeft(endsAt - clock.elapsed());
    checkReferences(input, studio.models[0]?.referenceImagesMax ?? 0);
    const books = await studio.books();
    const { uid } = caller;
    const id = generationIdOf(uid, idempotencyKey);
    const fingerprint = fingerprintOf(input);
    const cacheKey = config.cacheTtlSeconds > 0 ? { cacheKey: cacheKeyOf(uid, config.modelId, input) } : {};
    const gate = await gateOf(studio, input);

    note({ uid, generationId: id, tier: input.tier });
    const wanted = { id, fingerprint, request: input, gate, ...cacheKey };
    const { outcome, record } = await timed('hold', hold(books, caller, wanted));
    note({ cached: outcome === 'cached', replayed: outcome === 'met' });
    if (outcome === 'met') return replay(record, fingerprint);
    if (outcome === 'cached') return outcomeOf(record);
    note({ creditsCharged: record.receipt.charged });

    const spent = { providerCostMicros: 0, mayBeStored: false };
    let ended: GenerationRecord;
    let failure: Failure | undefined;
    try {
      const enhanced = await enhancedPrompt(studio, input, left(), timed);
      spent.providerCostMicros += enhanced.providerCostMicros;
      const references = await loadReferences(input, uid, books, studio.imageStore, left(), studio.shutdown);

      const paint = await studio.painter();
      const aspectRatio = aspectRatioOf(input.tier, input.orientation);
      const wish = { prompt: enhanced.prompt ?? input.prompt, aspectRatio, references };
      const { pieces, attempts, ...painting } = await timed('paint', paint(wish, left(), studio.shutdown));
      spent.providerCostMicros += painting.providerCostMicros;
      note({ model: painting.model, attempts, providerCostMicros: spent.providerCostMicros });

      const images = await studio.imageStore();
      const storeMs = left();
      spent.mayBeStored = true;
      const urls = await timed('store', images.store(record.publicId, pieces, storeMs, studio.shutdown));

      const { mimeType, width, height, bytes, model } = painting;
      const image = { ...urls, mimeType, width, height, bytes };
      const cacheUntil = new Date(clock.now() + config.cacheTtlSeconds * 1000);
      const { providerCostMicros } = spent;
      const painted = { model, enhancedPrompt: enhanced.prompt, image, providerCostMicros, cacheUntil };
      ended = await timed('settle', settle(books, record, painted));
    } catch (error) {
      failure = asFailure(error);
      const { attempts, providerCostMicros = 0 } = failure.details;
      if (!spent.mayBeStored) spent.providerCostMicros += providerCostMicros;
      note({ ...(attempts && { attempts }), providerCostMicros: spent.providerCostMicros });
      ended = await timed('refund', giveBack(books, record, failure, spent));
    }
    note({ creditsRefunded: ended.receipt.refunded });
    return outcomeOf(ended, failure);
  },
});

/** Whether any model that can take this request may be asked, and may be paid for. */
async function gateOf(studio: Studio, { references }: GenerateRequest): Promise<Gate> {
  const [quota, spend] = [await studio.quota(), await studio.spend()];
  await spend.refresh();
  const able = studio.models.filter((model) => model.referenceImagesMax >= references.length);
  const ids = able.map((model) => model.id);
  return {
    readAlong: quota.readAlong,
    refusal: (now) => quota.refusal(ids, now.getTime()) ?? spend.refusal(),
  };
}

async function enhancedPrompt(
  studio: Studio,
  { enhance, prompt }: GenerateRequest,
  millisecondsLeft: number,
  timed: Notes['timed'],
) {
  if (!enhance) return { prompt: null, providerCostMicros: 0 };
  const ask = await studio.enhancer();
  return timed('enhance', ask(prompt, millisecondsLeft, studio.shutdown));
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
  books: Books,
  held: GenerationRecord,
  failure: Failure,
  spent: { providerCostMicros: number; mayBeStored: boolean },
): Promise<GenerationRecord> {
  const { uid, id, receipt } = held;
  const terms = { uid, id, held, failure: storeFailure(failure), ...spent };
  const refunded = await refund(books, terms).catch((error) => {
    books.log.error('A refund failed and is left to the sweep', { uid, generationId: id, error });
  });
  if (!refunded) throw failure.with({ receipt, retry: 'same_key' });
  return refunded.record;
}
