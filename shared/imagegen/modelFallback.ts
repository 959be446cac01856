/**
 * The provider chain: the configured model, tried again where that may help, then the next one, all within
 * one deadline. Every failure that Google bills counts towards what the generation cost.
 */
import pRetry from 'p-retry';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import type { Gemini, GeneratedImage, ImageRequest } from './gemini.ts';
import type { ImageModel } from './models.ts';
import type { Quota } from './quota.ts';

/**
 * Paints one image. `millisecondsLeft` is a hard deadline, whatever the services do. `attempts` are the calls to
 * models that it took.
 * @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*, with what was billed all the same, and the
 * attempts; the signal's reason when it aborts.
 */
export type GenerateImage = (
  request: ImageRequest,
  millisecondsLeft: number,
  signal: AbortSignal,
) => Promise<GeneratedImage & { attempts?: number }>;

export type ModelFallbackOptions = {
  gemini: Pick<Gemini, 'generateImage'>;
  quota: Quota;
  models: readonly ImageModel[];
  retry: { attempts: number; baseDelayMs: number };
  clock: Clock;
  log: Log;
};

/** Troubles after which the next model is asked. */
const fallbackKinds = new Set(['minute', 'day', 'billing', 'retired', 'overloaded', 'passing']);
/** Troubles after which the same model is asked once more. */
const retryableKinds = new Set(['minute', 'overloaded', 'passing']);

/** The painter that goes along the chain. */
export function createModelFallback({
  gemini,
  quota,
  models,
  retry,
  clock,
  log,
}: ModelFallbackOptions): GenerateImage {
  return async (request, millisecondsLeft, signal) => {
    const endsAt = clock.elapsed() + millisecondsLeft;
    const left = () => endsAt - clock.elapsed();
    const able = models.filter((model) => model.referenceImagesMax >= request.references.length);
    const failures: Failure[] = [];
    let [providerCostMicros, attempts] = [0, 0];

    for (const model of able) {
      const [isUsable] = quota.usable([model.id], clock.now());
      if (!isUsable) continue;
      try {
        const painting = await withRetries(model, request, left, signal, {
          called: () => (attempts += 1),
          billed: (micros) => (providerCostMicros += micros),
        });
        await quietly(quota.recordSuccess(model.id));
        providerCostMicros += painting.providerCostMicros;
        return { ...painting, providerCostMicros, attempts };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (signal.aborted) throw error.with({ providerCostMicros, attempts });
        failures.push(error);
        const providerFailure = getProviderFailure(error);
        await quietly(quota.recordFailure(model.id, providerFailure));
        if (!fallbackKinds.has(providerFailure.kind) || left() <= 0) break;
      }
    }
    throw pickFailure(failures, able).with({ providerCostMicros, attempts });
  };

  /** One model, as often as it is worth it. */
  function withRetries(
    model: ImageModel,
    request: ImageRequest,
    left: () => number,
    signal: AbortSignal,
    { called, billed }: { called: () => void; billed: (micros: number) => void },
  ): Promise<GeneratedImage> {
    const attempt = async (): Promise<GeneratedImage> => {
      const ms = left();
      if (ms <= 0) throw new Failure('PROVIDER_TIMEOUT', 'The model took too long.');
      called();
      try {
        return await gemini.generateImage(model, request, ms, signal);
      } catch (error) {
        // What was being painted when the process was told to end is finished, and billed, without us.
        if (signal.aborted) billed(model.costMicros);
        throw error;
      }
    };
    return pRetry(attempt, {
      retries: retry.attempts - 1,
      minTimeout: 0,
      signal,
      onFailedAttempt({ error, attemptNumber }) {
        if (!(error instanceof Failure)) return;
        billed(error.details.providerCostMicros ?? 0);
        log.warning('A model failed', {
          model: model.id,
          attempt: attemptNumber,
          providerFailure: getProviderFailure(error).kind,
          cause: getCauseMessage(error),
        });
      },
      async shouldRetry({ error, attemptNumber }) {
        const { kind, retryAfterMs } = getProviderFailure(error);
        const pauseMs = retryAfterMs ?? clock.random() * retry.baseDelayMs * 2 ** (attemptNumber - 1);
        if (!retryableKinds.has(kind) || pauseMs >= left()) return false;
        await clock.pause(pauseMs, signal);
        return true;
      },
    });
  }

  /** What is known of the models is a help, never a reason to fail. */
  async function quietly(note: Promise<void>): Promise<void> {
    await note.catch((error) => log.error("A model's state could not be written", { error }));
  }

  /**
   * Of several failures the last says most, but for a model that is gone where another will be back; and
   * the earliest time to ask again counts.
   */
  function pickFailure(failures: Failure[], able: readonly ImageModel[]): Failure {
    const ids = able.map(({ id }) => id);
    const closed = quota.refusal(ids, clock.now());
    const last =
      failures.findLast((failure) => getProviderFailure(failure).kind !== 'retired') ?? failures.at(-1);
    if (!last) return closed ?? new Failure('PROVIDER_QUOTA', 'No image model is available.');
    const waits = [...failures, ...(closed && last.reason === 'PROVIDER_QUOTA' ? [closed] : [])]
      .map(({ details }) => details.retryAfterSeconds)
      .filter((wait) => wait !== undefined);
    return waits.length > 0 ? last.with({ retryAfterSeconds: Math.min(...waits) }) : last;
  }
}

const getProviderFailure = (error: unknown): ProviderFailure =>
  (error instanceof Failure && error.details.providerFailure) || { kind: 'final' };

const getCauseMessage = (failure: Failure) =>
  failure.details.cause instanceof Error ? failure.details.cause.message : undefined;
