import { z } from 'zod';
import { type AccountView, tierSchema, tiers } from '../shared/contract.ts';
import { endpoint } from '../shared/endpoint.ts';
import { openAccount } from '../shared/ledger/open.ts';
import { aspectRatioOf, imageModel } from '../shared/models.ts';

/** The caller's balance, what can be bought with it, and within which limits. */
export const account = endpoint({
  method: 'GET',
  access: 'user',
  input: z.strictObject({}),
  async run({ caller }, studio) {
    const { config } = studio;
    const { balance, sequence, suspended, email, createdAt } = await openAccount(
      await studio.books(),
      caller,
    );
    const view: AccountView = {
      uid: caller.uid,
      balance: balance ?? 0,
      sequence,
      suspended,
      email: email ?? null,
      createdAt: (createdAt ?? new Date()).toISOString(),
    };
    return { body: { account: view, tiers: tierList(config.modelId), limits: config.limits } };
  },
});

function tierList(modelId: string) {
  return tierSchema.options.map((id) => {
    const aspectRatio = aspectRatioOf(id, 'landscape');
    const [width, height] = imageModel(modelId).sizes[aspectRatio];
    return { id, credits: tiers[id].credits, aspectRatio, width, height };
  });
}
