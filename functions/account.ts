import * as z from 'zod';
import {
  type AccountView,
  accountAnswerSchema,
  type Limits,
  referenceBytesMax,
  tierSchema,
} from '../shared/contract.ts';
import { readLimit } from '../shared/core/rateLimit.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { getAspectRatio, type ImageModel } from '../shared/imagegen/models.ts';
import type { Account } from '../shared/ledger/account.ts';
import { getPeriod, isPast } from '../shared/ledger/allowancePeriod.ts';
import { getOrCreateAccount } from '../shared/ledger/getOrCreateAccount.ts';
import type { Services } from '../shared/services.ts';

/** The caller's balance, the tiers on offer, and the limits: those of the first model that is usable now. */
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
    const { balance, sequence, suspended, email, createdAt } = opened;
    const view: AccountView = {
      uid: caller.uid,
      balance: balance ?? 0,
      sequence,
      suspended,
      email: email ?? null,
      createdAt: (createdAt ?? new Date()).toISOString(),
      ...toAllowance(opened, config.allowance, new Date(services.clock.now())),
    };
    return { body: { account: view, tiers: toTierOffers(config, model), limits: toLimits(config, model) } };
  },
});

/** What the account is topped up to, and when next: now, if this period's allowance is still due. */
function toAllowance(
  { allowance, allowancePeriod, suspended, verified }: Account,
  { credits, period }: Services['config']['allowance'],
  now: Date,
): Pick<AccountView, 'allowance'> {
  const own = allowance ?? credits;
  if (own === 0 || suspended || !verified) return {};
  const { name, nextAt } = getPeriod(period, now);
  const next = isPast(name, allowancePeriod) ? nextAt : now;
  return { allowance: { credits: own, period, nextAt: next.toISOString() } };
}

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
