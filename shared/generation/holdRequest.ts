import type { GenerateRequest } from '../contract/generate.ts';
import type { Resolution } from '../contract/tiers.ts';
import { Failure, invalidRequest, toFailure } from '../errors.ts';
import { canGenerate, getResolutions, hasResolution, type ImageModel } from '../imagegen/models.ts';
import type { Quota, StatesToRead } from '../imagegen/quota.ts';
import type { Services } from '../services.ts';
import type { HoldRequest, ModelAvailability } from './hold.ts';
import { hashCacheKey, hashFingerprint, hashGenerationId, hashReferences } from './record.ts';
import {
  checkFormats,
  countImages,
  refuseBrokenReferences,
  refuseLargeReferences,
  refuseTooManyReferences,
} from './references.ts';

/**
 * Turns a user's request and Idempotency-Key into the hold of a generation.
 * @throws {Failure} INVALID_REQUEST for a reference that is not an image.
 */
export async function toHoldRequest(
  services: Services,
  uid: string,
  idempotencyKey: string,
  request: GenerateRequest,
): Promise<HoldRequest> {
  const { cacheTtlSeconds, modelId } = services.config;
  checkFormats(request);
  await hashReferences(request);
  return {
    id: hashGenerationId(uid, idempotencyKey),
    fingerprint: hashFingerprint(request),
    request,
    ...(cacheTtlSeconds > 0 && { cacheKey: hashCacheKey(uid, modelId, request) }),
    availability: await checkAvailability(services, request),
  };
}

/** Refuses a resolution that no configured model has. Another configuration may have one, so a replay comes first. */
function refuseResolution(
  { resolution }: GenerateRequest,
  models: readonly ImageModel[],
): Failure | undefined {
  const offered = getResolutions(models);
  if (offered.includes(resolution)) return undefined;
  const description = `must be ${offered.join(' or ')}: no model of this studio makes ${resolution} images`;
  return invalidRequest([{ field: 'resolution', description }]);
}

/**
 * Refuses while none of the models that could make the image may be called. Says what to choose if others may be.
 * @param ids the models that could.
 */
function refuseByQuota(
  models: readonly ImageModel[],
  ids: readonly string[],
  resolution: Resolution,
  quota: Quota,
  now: number,
): Failure | undefined {
  const refusal = quota.refusal(ids, now);
  if (!refusal) return undefined;
  const offered = getResolutions(models.filter(({ id }) => quota.firstUsable([id], now)));
  if (offered.length === 0) return refusal;
  const { retryAfterSeconds } = refusal.details;
  const message = offered.includes(resolution)
    ? 'No model that takes so many images is available at the moment.'
    : `No model that makes ${resolution} images is available at the moment. On offer: ${offered.join(', ')}.`;
  return new Failure('PROVIDER_QUOTA', message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

/** Whether any model that takes these references may be asked, and paid for, and its image stored. */
async function checkAvailability(services: Services, request: GenerateRequest): Promise<ModelAvailability> {
  const { storeAccess } = services;
  const [quota, spendCeiling] = [await services.quota(), await services.spend()];
  // A sum that is not known refuses a new generation, never a replay.
  const unknownSpend = await spendCeiling.refresh().then(() => undefined, toFailure);
  const { resolution } = request;
  const broken = await refuseBrokenReferences(request);
  const able = services.models.filter((model) => hasResolution(model, resolution));
  const unable =
    refuseResolution(request, services.models) ??
    refuseTooManyReferences(request, able) ??
    refuseLargeReferences(request, services.config);
  const ids = able
    .filter((model) => canGenerate(model, resolution, countImages(request)))
    .map((model) => model.id);
  let states: StatesToRead | undefined;
  return {
    paths() {
      states = quota.statesToRead();
      return states.paths;
    },
    learn: (documents) => states?.learn(documents),
    refusal: (now) =>
      broken ??
      unable ??
      refuseByQuota(services.models, ids, resolution, quota, now.getTime()) ??
      unknownSpend ??
      spendCeiling.refusal() ??
      storeAccess.refusal(resolution),
  };
}
