/** The steps between a hold and its settling. Each one begins only while time is left. */
import type { GenerateRequest } from '../contract/generate.ts';
import type { Image } from '../contract/generation.ts';
import { withDeadline } from '../core/deadline.ts';
import type { RequestLog } from '../core/log.ts';
import { Failure, toFailure } from '../errors.ts';
import type { GeneratedImage } from '../imagegen/gemini.ts';
import { getAspectRatio } from '../imagegen/models.ts';
import type { StoredUrls } from '../images/cloudinary.ts';
import { countEnhancement } from '../prompts/enhancements.ts';
import type { Services } from '../services.ts';
import type { Progress } from './settleOrRefund.ts';
import type { LoadedReferences } from './sources.ts';
import { hashImage } from './takedowns.ts';
import type { TimeLeft } from './timeLimit.ts';

/** Longest time for counting an improved prompt, milliseconds. */
const countMsMax = 3_000;
/** Pause before the second upload, milliseconds. */
const storeRetryMs = 250;

/** What every step needs to know. */
export type Step = {
  services: Services;
  uid: string;
  request: GenerateRequest;
  log: RequestLog;
  timeLeft: TimeLeft;
  progress: Progress;
};

/** A better prompt, if one was requested and the text model has one. */
export async function enhancePrompt({
  services,
  uid,
  request,
  log,
  timeLeft,
  progress,
}: Step): Promise<string | null> {
  const millisecondsLeft = timeLeft();
  if (!request.enhance) return null;
  if (!(await mayEnhance(services, uid, millisecondsLeft))) return null;
  const enhance = await services.enhancer();
  const enhanced = await log.timed('enhance', enhance(request.prompt, timeLeft(), services.shutdown));
  progress.providerCostMicros += enhanced.providerCostMicros;
  return enhanced.prompt;
}

/**
 * Counts a call of the text model. False if the model is off, if the user has no call left today, or if the database does
 * not answer: the image is then generated from the user's own prompt.
 */
async function mayEnhance(services: Services, uid: string, millisecondsLeft: number): Promise<boolean> {
  const { clock, config, shutdown } = services;
  const ledger = await services.ledger();
  const count = countEnhancement(ledger, uid, new Date(clock.now()), config.prompt);
  try {
    const ms = Math.min(countMsMax, millisecondsLeft);
    return (await withDeadline(count, ms, 'The count of improved prompts', shutdown)) === undefined;
  } catch (error) {
    shutdown.throwIfAborted();
    const cause = error instanceof Error ? error.message : undefined;
    services.log.warning('An improved prompt could not be counted', { uid, cause });
    return false;
  }
}

/** @throws {Failure} CONTENT_BLOCKED, NO_IMAGE, PROVIDER_*. What a failure costs is added to the progress as well. */
export async function generateImage(
  { services, request, log, timeLeft, progress }: Step,
  prompt: string,
  { references, previousTurn }: Pick<LoadedReferences, 'references' | 'previousTurn'>,
): Promise<GeneratedImage> {
  const generate = await services.imageGenerator();
  services.storeAccess.claim(request.resolution);
  const { resolution } = request;
  const shape = { aspectRatio: getAspectRatio(request), resolution };
  const imageRequest = { prompt, ...shape, references, ...(previousTurn && { previousTurn }) };
  try {
    const { attempts, ...image } = await log.timed(
      'generateImage',
      generate(imageRequest, timeLeft(), services.shutdown),
    );
    progress.providerCostMicros += image.providerCostMicros;
    progress.isImageBilled = true;
    log.add({ model: image.model, attempts, providerCostMicros: progress.providerCostMicros });
    return image;
  } catch (error) {
    const { attempts, providerCostMicros = 0 } = error instanceof Failure ? error.details : {};
    progress.providerCostMicros += providerCostMicros;
    progress.isImageBilled = providerCostMicros > 0;
    log.add({ ...(attempts && { attempts }) });
    throw error;
  }
}

/** What is kept of how the image was made. */
export function toFacts(
  { model, modelVersion, thoughtSignature }: GeneratedImage,
  { reducedReferences }: LoadedReferences,
) {
  return {
    model,
    ...(modelVersion && { modelVersion }),
    ...(thoughtSignature && { thoughtSignature }),
    ...(reducedReferences.length > 0 && { reducedReferences }),
  };
}

/**
 * Uploads the image under its known name, and once more if that may help: the image is paid for.
 * @throws {Failure} STORAGE_ERROR, PROVIDER_TIMEOUT; PROVIDER_MISCONFIGURED if the store refuses us.
 */
export async function storeImage(
  step: Step,
  publicId: string,
  { chunks, mimeType, width, height, bytes, contentCredentials }: GeneratedImage,
): Promise<{ image: Image; imageHash: string }> {
  // The store empties the chunks.
  const imageHash = hashImage(chunks);
  const urls = await step.log.timed('store', storeOrRetry(step, publicId, chunks));
  const credentials = contentCredentials && { contentCredentials };
  return { image: { ...urls, mimeType, width, height, bytes, ...credentials }, imageHash };
}

async function storeOrRetry(step: Step, publicId: string, chunks: Uint8Array[]): Promise<StoredUrls> {
  const { services, log, progress } = step;
  try {
    return await storeOnce(step, publicId, chunks);
  } catch (error) {
    if (!isPassing(error)) throw error;
    progress.failedUploads += 1;
    log.add({ failedUploads: progress.failedUploads });
    await services.clock.pause(storeRetryMs, services.shutdown);
    return await storeOnce(step, publicId, chunks);
  }
}

async function storeOnce(
  { services, request, timeLeft, progress }: Step,
  publicId: string,
  chunks: Uint8Array[],
): Promise<StoredUrls> {
  const { storeAccess, shutdown } = services;
  try {
    const images = await services.imageStore();
    const millisecondsLeft = timeLeft();
    progress.mayBeStored = true;
    const urls = await images.store(publicId, chunks, millisecondsLeft, shutdown);
    storeAccess.recordSuccess();
    return urls;
  } catch (error) {
    const failure = toFailure(error);
    if (failure.reason === 'PROVIDER_MISCONFIGURED') storeAccess.recordRefusal();
    if (failure.details.providerFailure?.kind === 'tooLarge') {
      storeAccess.recordTooLarge(request.resolution, failure.details.metadata?.maxBytes);
    }
    throw error;
  }
}

const isPassing = (error: unknown) => toFailure(error).details.providerFailure?.kind === 'passing';
