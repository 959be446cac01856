import * as z from 'zod';
import { accountAnswerSchema, type Limits } from '../shared/contract/account.ts';
import { referenceBytesMax } from '../shared/contract/references.ts';
import { tierSchema } from '../shared/contract/tiers.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { getAspectRatio, type ImageModel } from '../shared/imagegen/models.ts';
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
    const modelId = quota.firstUsable(services.clock.now());
    const model = models.find(({ id }) => id === modelId) ?? (models[0] as ImageModel);
    const terms = toTerms(opened, config.terms);
    return {
      body: {
        account: toAccountView(opened, config.allowance, new Date(services.clock.now())),
        tiers: toTierOffers(config, model),
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

function toTierOffers({ tierCredits }: Services['config'], { sizes }: ImageModel) {
  return tierSchema.options.map((id) => {
    const aspectRatio = getAspectRatio(id, 'landscape');
    const [width, height] = sizes[aspectRatio];
    return { id, credits: tierCredits[id], aspectRatio, width, height };
  });
}
