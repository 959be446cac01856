import * as z from 'zod';
import { getPrice } from '../shared/config/prices.ts';
import { accountAnswerSchema, type Limits, type TierOffer } from '../shared/contract/account.ts';
import { referenceBytesMax } from '../shared/contract/references.ts';
import { type Resolution, resolutions, tierSchema } from '../shared/contract/tiers.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { getAspectRatio, getImageSize, hasResolution, type ImageModel } from '../shared/imagegen/models.ts';
import { toAccountView } from '../shared/ledger/accountView.ts';
import { getOrCreateAccount } from '../shared/ledger/getOrCreateAccount.ts';
import { toTerms } from '../shared/people/terms.ts';
import type { Services } from '../shared/services.ts';

/** The caller's balance, the tiers on offer, the limits (those of the first model that is usable now), and the terms. */
export const account = endpoint({
  method: 'GET',
  access: 'user',
  input: z.strictObject({}),
  answer: accountAnswerSchema,
  limit: readLimit,
  async run({ caller }, services) {
    const { config, models } = services;
    const quota = await services.quota();
    const opened = await getOrCreateAccount(await services.ledger(), caller, quota.readAlong());
    const now = services.clock.now();
    const findModel = (resolution: Resolution) => {
      const able = models.filter((model) => hasResolution(model, resolution));
      const id = quota.firstUsable(
        able.map((model) => model.id),
        now,
      );
      return able.find((model) => model.id === id);
    };
    // The first model if all are closed: `generate` then says when one will be open again.
    const model = findModel('1K') ?? (models[0] as ImageModel);
    const offered = resolutions.flatMap((resolution) => {
      const able = resolution === '1K' ? model : findModel(resolution);
      return able && !services.storeAccess.refusal(resolution) ? [{ resolution, model: able }] : [];
    });
    const terms = toTerms(opened, config.terms);
    return {
      body: {
        account: toAccountView(opened, config.allowance, new Date(now)),
        tiers: toTierOffers(config, model, offered),
        limits: toLimits(config, model),
        ...(terms && { terms }),
        ...(config.supportEmail && { supportEmail: config.supportEmail }),
      },
    };
  },
});

function toLimits({ limits }: Services['config'], { referenceImagesMax }: ImageModel): Limits {
  const { maxInFlightPerUser, maxPerMinutePerUser } = limits;
  return {
    maxInFlightPerUser,
    maxPerMinutePerUser,
    maxReferences: referenceImagesMax,
    maxReferenceBytes: referenceBytesMax,
  };
}

/** @param model the model that makes images at 1K. @param offered the resolutions on offer, each with its model. */
function toTierOffers(
  { tierCredits }: Services['config'],
  model: ImageModel,
  offered: readonly { resolution: Resolution; model: ImageModel }[],
): TierOffer[] {
  return tierSchema.options.map((tier) => {
    const aspectRatio = getAspectRatio({ tier, orientation: 'landscape', aspectRatio: undefined });
    const toOffer = (resolution: Resolution, from: ImageModel) => ({
      credits: getPrice(tierCredits, { tier, resolution }),
      ...getImageSize(from, { aspectRatio, resolution }),
    });
    return {
      id: tier,
      aspectRatio,
      ...toOffer('1K', model),
      resolutions: offered.map((each) => ({
        resolution: each.resolution,
        ...toOffer(each.resolution, each.model),
      })),
    };
  });
}
