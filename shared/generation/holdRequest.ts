import type { GenerateRequest } from '../contract.ts';
import type { StatesToRead } from '../imagegen/quota.ts';
import type { Services } from '../services.ts';
import type { HoldRequest, ModelAvailability } from './hold.ts';
import { hashCacheKey, hashFingerprint, hashGenerationId } from './record.ts';

/** Turns a user's request and Idempotency-Key into the hold of a generation. */
export async function toHoldRequest(
  services: Services,
  uid: string,
  idempotencyKey: string,
  request: GenerateRequest,
): Promise<HoldRequest> {
  const { cacheTtlSeconds, modelId } = services.config;
  return {
    id: hashGenerationId(uid, idempotencyKey),
    fingerprint: hashFingerprint(request),
    request,
    ...(cacheTtlSeconds > 0 && { cacheKey: hashCacheKey(uid, modelId, request) }),
    availability: await checkAvailability(services, request),
  };
}

/** Whether any model that takes this many references may be asked, and paid for. */
async function checkAvailability(
  services: Services,
  { references }: GenerateRequest,
): Promise<ModelAvailability> {
  const [quota, spendCeiling] = [await services.quota(), await services.spend()];
  await spendCeiling.refresh();
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
    refusal: (now) => quota.refusal(ids, now.getTime()) ?? spendCeiling.refusal(),
  };
}
