import { generateRequestSchema } from '../shared/contract.ts';
import { endpoint } from '../shared/endpoint.ts';
import { asFailure, Failure } from '../shared/errors.ts';
import { fingerprintOf, type GenerationRecord, generationIdOf } from '../shared/generations.ts';
import type { Books } from '../shared/ledger/books.ts';
import { hold } from '../shared/ledger/hold.ts';
import { refund } from '../shared/ledger/refund.ts';
import { settle } from '../shared/ledger/settle.ts';
import { aspectRatioOf } from '../shared/models.ts';
import { outcomeOf, replay, storeFailure } from '../shared/outcome.ts';

/** Debit, paint, store, settle; or on whatever goes wrong, refund. */
export const generate = endpoint({
  method: 'POST',
  access: 'user',
  keyed: true,
  input: generateRequestSchema,
  async run({ caller, input, idempotencyKey, note }, studio) {
    studio.shutdown.throwIfAborted();
    const { clock, config } = studio;
    const endsAt = clock.elapsed() + config.generateTimeoutMs;
    const left = () => timeLeft(endsAt - clock.elapsed());
    const books = await studio.books();
    const id = generationIdOf(caller.uid, idempotencyKey);
    const fingerprint = fingerprintOf(input);

    const { held, record } = await hold(books, caller, { id, fingerprint, request: input });
    note({ generationId: id, tier: input.tier, held });
    if (!held) return replay(record, fingerprint);

    let providerCostMicros = 0;
    let mayBeStored = false;
    try {
      const paint = await studio.painter();
      const aspectRatio = aspectRatioOf(input.tier, input.orientation);
      const { bytes, ...painting } = await paint(
        { prompt: input.prompt, aspectRatio },
        left(),
        studio.shutdown,
      );
      providerCostMicros = painting.providerCostMicros;

      const images = await studio.imageStore();
      const storeMs = left();
      mayBeStored = true;
      const urls = await images.store(record.publicId, bytes, storeMs, studio.shutdown);

      const { mimeType, width, height, model } = painting;
      const image = { ...urls, mimeType, width, height, bytes: bytes.length };
      return outcomeOf(
        await settle(books, record, { model, enhancedPrompt: null, image, providerCostMicros }),
      );
    } catch (error) {
      const failure = asFailure(error);
      const spent = { providerCostMicros, mayBeStored };
      return outcomeOf(await giveBack(books, record, failure, spent), failure);
    }
  },
});

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
  { uid, id, owner, receipt }: GenerationRecord,
  failure: Failure,
  spent: { providerCostMicros: number; mayBeStored: boolean },
): Promise<GenerationRecord> {
  const refunded = await refund(books, { uid, id, owner, failure: storeFailure(failure), ...spent }).catch(
    (error) => {
      books.log.error('A refund failed and is left to the sweep', { uid, generationId: id, error });
    },
  );
  if (!refunded) throw failure.with({ receipt, retry: 'same_key' });
  return refunded.record;
}
