import type { GenerateRequest } from '../contract/generate.ts';
import { toFailure } from '../errors.ts';
import type { StatesToRead } from '../imagegen/quota.ts';
import type { Services } from '../services.ts';
import type { HoldRequest, ModelAvailability } from './hold.ts';
import { hashCacheKey, hashFingerprint, hashGenerationId, hashReferences } from './record.ts';
import { checkFormats, refuseBrokenReferences, refuseTooManyReferences } from './references.ts';

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

/** Whether any model that takes these references may be asked, and paid for, and its image stored. */
async function checkAvailability(services: Services, request: GenerateRequest): Promise<ModelAvailability> {
  const { storeAccess } = services;
  const [quota, spendCeiling] = [await services.quota(), await services.spend()];
  // A sum that is not known refuses a new generation, never a replay.
  const unknownSpend = await spendCeiling.refresh().then(() => undefined, toFailure);
  const { references } = request;
  const broken = await refuseBrokenReferences(request);
  const tooMany = refuseTooManyReferences(request, services.models);
  const ids = services.models
    .filter((model) => model.referenceImagesMax >= references.length)
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
      tooMany ??
      quota.refusal(ids, now.getTime()) ??
      unknownSpend ??
      spendCeiling.refusal() ??
      storeAccess.refusal(),
  };
}
