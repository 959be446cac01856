/**
 * Generates an image with the configured model, retries where that may help, then falls back to the next model,
 * all within one deadline. Whatever Google bills for failed calls counts towards the cost of the generation.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import type { Gemini, GeneratedImage, ImageRequest } from './gemini.ts';
import { canGenerate, getImageCost, type ImageModel } from './models.ts';
import type { Quota } from './quota.ts';

/**
 * Generates one image. `millisecondsLeft` is a hard deadline. `attempts` counts the calls to models.
 * @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*, with the provider's cost of the failed calls and the
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
  /** Calls per model, and the longest pause before the second call, milliseconds; it doubles for each further call. */
  retry: { attempts: number; baseDelayMs: number };
  clock: Clock;
  log: Log;
};

/** What the calls for one image have cost so far. */
type Progress = { providerCostMicros: number; attempts: number };

/** The state of one image's generation. */
type Run = {
  request: ImageRequest;
  signal: AbortSignal;
  progress: Progress;
  /** Milliseconds until the deadline. */
  left(): number;
  /** Failures for which only one further call is made, see `isCostly`. */
  costlyFailures: number;
  /** Models that this request has recorded as retired. */
  retiredIds: string[];
};

/** Failures after which the next model is called. */
const fallbackKinds = new Set([
  'minute',
  'day',
  'billing',
  'retired',
  'overloaded',
  'passing',
  'silent',
  'refused',
  'unusable',
]);
/** Failures after which the same model is called again. */
const retryableKinds = new Set(['minute', 'overloaded', 'passing']);
/** Failures that another model may not have, but that rarely pass. */
const oneMoreKinds = new Set(['silent', 'refused', 'unusable']);
/** The request ends with this many failures that are billed, or that another call rarely helps against. */
const costlyFailuresMax = 2;
/** Longest pause before the same model is called again while another model is free, milliseconds. */
const pauseMsMax = 1_500;

const isCostly = ({ kind, mayBeBilled }: ProviderFailure) => oneMoreKinds.has(kind) || mayBeBilled === true;

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
    const able = models.filter((model) => canGenerate(model, request.resolution, request.references.length));
    const failures: Failure[] = [];
    const progress: Progress = { providerCostMicros: 0, attempts: 0 };
    const left = () => endsAt - clock.elapsed();
    const run: Run = { request, signal, progress, left, costlyFailures: 0, retiredIds: [] };

    let waiting = able;
    for (;;) {
      const [id] = filterUsable(waiting);
      const model = able.find((each) => each.id === id);
      if (!model) break;
      waiting = waiting.filter((each) => each !== model);
      try {
        const image = await callModel(model, waiting, run);
        await logFailedWrite(quota.recordSuccess(model.id));
        progress.providerCostMicros += image.providerCostMicros;
        return { ...image, ...progress };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (signal.aborted) throw error.with(progress);
        failures.push(error);
        const providerFailure = getProviderFailure(error);
        await logFailedWrite(recordFailure(model, providerFailure, run));
        const isOver = run.costlyFailures >= costlyFailuresMax || left() <= 0;
        if (isOver || !fallbackKinds.has(providerFailure.kind)) break;
      }
    }
    throw pickFailure(failures, able).with(progress);
  };

  function filterUsable(candidates: readonly ImageModel[]): string[] {
    return quota.filterUsable(
      candidates.map(({ id }) => id),
      clock.now(),
    );
  }

  /** Calls one model, again while that may help and the deadline allows it. Updates the run. */
  async function callModel(
    model: ImageModel,
    waiting: readonly ImageModel[],
    run: Run,
  ): Promise<GeneratedImage> {
    const { request, signal, progress, left } = run;
    const isAnotherFree = () => filterUsable(waiting).length > 0;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      // Silence leaves half of the time for another model, if one may still be asked after it.
      const isLast = run.costlyFailures + 1 >= costlyFailuresMax || !isAnotherFree();
      const milliseconds = isLast ? left() : left() / 2;
      if (milliseconds <= 0) throw new Failure('PROVIDER_TIMEOUT', 'The model took too long.');
      progress.attempts += 1;
      try {
        return await gemini.generateImage(model, request, milliseconds, signal);
      } catch (error) {
        if (signal.aborted) {
          // Google finishes the image without us, and bills it.
          progress.providerCostMicros += getImageCost(model, request.resolution);
          throw signal.reason;
        }
        if (!(error instanceof Failure)) throw error;
        progress.providerCostMicros += error.details.providerCostMicros ?? 0;
        const providerFailure = getProviderFailure(error);
        const { kind, retryAfterMs } = providerFailure;
        if (isCostly(providerFailure)) run.costlyFailures += 1;
        const cause = getCauseMessage(error);
        log.warning('A model failed', { model: model.id, attempt, providerFailure: kind, cause });
        const isOver = attempt >= retry.attempts || run.costlyFailures >= costlyFailuresMax;
        if (isOver || !retryableKinds.has(kind)) throw error;
        const pauseMs = retryAfterMs ?? clock.random() * retry.baseDelayMs * 2 ** (attempt - 1);
        if (pauseMs >= left() || (pauseMs > pauseMsMax && isAnotherFree())) throw error;
        await clock.pause(pauseMs, signal);
      }
    }
  }

  /** Records what a failure means for a model, but never retires the last usable one: a gateway may be to blame. */
  async function recordFailure(
    { id }: ImageModel,
    providerFailure: ProviderFailure,
    { retiredIds }: Run,
  ): Promise<void> {
    if (providerFailure.kind === 'retired') {
      log.warning('Google does not know a model', { event: 'model_not_found', model: id });
      const isAlone = filterUsable(models.filter((each) => each.id !== id)).length === 0;
      if (isAlone && (retiredIds.length > 0 || models.length === 1)) return;
      retiredIds.push(id);
    }
    await quota.recordFailure(id, providerFailure);
  }

  /** The state of a model is only a hint: if it cannot be written, the generation goes on. */
  async function logFailedWrite(write: Promise<void>): Promise<void> {
    await write.catch((error) => log.error("A model's state could not be written", { error }));
  }

  /**
   * The failure that says most: the last one, but not a retired model if another model failed in a way that passes.
   * It gets the earliest time at which any of the models may be called again.
   */
  function pickFailure(failures: Failure[], able: readonly ImageModel[]): Failure {
    const ids = able.map(({ id }) => id);
    const quotaRefusal = quota.refusal(ids, clock.now());
    const last =
      failures.findLast((failure) => getProviderFailure(failure).kind !== 'retired') ?? failures.at(-1);
    if (!last) return quotaRefusal ?? new Failure('PROVIDER_QUOTA', 'No image model is available.');
    const waits = [...failures, ...(quotaRefusal && last.reason === 'PROVIDER_QUOTA' ? [quotaRefusal] : [])]
      .map(({ details }) => details.retryAfterSeconds)
      .filter((wait) => wait !== undefined);
    return waits.length > 0 ? last.with({ retryAfterSeconds: Math.min(...waits) }) : last;
  }
}

const getProviderFailure = (error: Failure): ProviderFailure =>
  error.details.providerFailure ?? { kind: 'final' };

const getCauseMessage = ({ details }: Failure) =>
  details.cause instanceof Error ? details.cause.message : undefined;
