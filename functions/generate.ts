import { type GenerateRequest, generateAnswerSchema, generateRequestSchema } from '../shared/contract.ts';
import { endpoint } from '../shared/endpoint.ts';
import { asFailure, Failure } from '../shared/errors.ts';
import { cacheKeyOf, fingerprintOf, type GenerationRecord, generationIdOf } from '../shared/generations.ts';
import type { Books } from '../shared/ledger/books.ts';
import { type Gate, hold } from '../shared/ledger/hold.ts';
import { refund } from '../shared/ledger/refund.ts';
import { settle } from '../shared/ledger/settle.ts';
import { aspectRatioOf } from '../shared/models.ts';
import { outcomeOf, replay, storeFailure } from '../shared/outcome.ts';
import { checkReferences, generateBodyBytesMax, loadReferences } from '../shared/references.ts';
import type { Studio } from '../shared/studio.ts';

/** Debit, paint, store, settle; or on whatever goes wrong, refund. */
export const generate = endpoint({
  method: 'POST',
  access: 'user',
  keyed: true,
  input: generateRequestSchema,
  answer: generateAnswerSchema,
  bodyBytesMax: generateBodyBytesMax,
  async run({ caller, input, idempotencyKey, note }, studio) {
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

    const wanted = { id, fingerprint, request: input, gate, ...cacheKey };
    const { outcome, record } = await hold(books, caller, wanted);
    note({ generationId: id, tier: input.tier, outcome });
    if (outcome === 'met') return replay(record, fingerprint);
    if (outcome === 'cached') return outcomeOf(record);

    const spent = { providerCostMicros: 0, mayBeStored: false };
    let settled: GenerationRecord;
    try {
      const enhanced = await enhancedPrompt(studio, input, left());
      spent.providerCostMicros += enhanced.providerCostMicros;
      const references = await loadReferences(input, uid, books, studio.imageStore, left(), studio.shutdown);

      const paint = await studio.painter();
      const aspectRatio = aspectRatioOf(input.tier, input.orientation);
      const wish = { prompt: enhanced.prompt ?? input.prompt, aspectRatio, references };
      const { bytes, ...painting } = await paint(wish, left(), studio.shutdown);
      spent.providerCostMicros += painting.providerCostMicros;

      const images = await studio.imageStore();
      const storeMs = left();
      spent.mayBeStored = true;
      const urls = await images.store(record.publicId, bytes, storeMs, studio.shutdown);

      const { mimeType, width, height, model } = painting;
      settled = await settle(books, record, {
        model,
        enhancedPrompt: enhanced.prompt,
        image: { ...urls, mimeType, width, height, bytes: bytes.length },
        providerCostMicros: spent.providerCostMicros,
        cacheUntil: new Date(clock.now() + config.cacheTtlSeconds * 1000),
      });
      note({ model, providerCostMicros: spent.providerCostMicros });
    } catch (error) {
      const failure = asFailure(error);
      if (!spent.mayBeStored) spent.providerCostMicros += failure.details.providerCostMicros ?? 0;
      return outcomeOf(await giveBack(books, record, failure, spent), failure);
    }
    return outcomeOf(settled);
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
) {
  if (!enhance) return { prompt: null, providerCostMicros: 0 };
  return (await studio.enhancer())(prompt, millisecondsLeft, studio.shutdown);
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
