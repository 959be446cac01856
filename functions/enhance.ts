import type { User } from '../shared/auth/auth.ts';
import { enhanceAnswerSchema, enhanceRequestSchema } from '../shared/contract/enhance.ts';
import { enhanceLimit } from '../shared/core/rateLimit.ts';
import type { Failure } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { accountPath, parseAccount } from '../shared/ledger/account.ts';
import { closurePath, isClosure } from '../shared/ledger/closures.ts';
import type { Ledger } from '../shared/ledger/ledger.ts';
import { refuseClosed, refuseTerms, refuseUnverified } from '../shared/ledger/refusals.ts';
import { refuseSuspendedPerson } from '../shared/ledger/suspension.ts';
import { bookEnhancementCost, countEnhancement } from '../shared/prompts/enhancements.ts';
import type { Services } from '../shared/services.ts';

/** Returns a better prompt, or the same one if the text model is late or fails. */
export const enhance = endpoint({
  method: 'POST',
  access: 'user',
  input: enhanceRequestSchema,
  answer: enhanceAnswerSchema,
  limit: enhanceLimit,
  dependencies: ['database', 'gemini'],
  async run({ caller, input, log }, services) {
    const { uid } = caller;
    const { clock, config } = services;
    const ledger = await services.ledger();
    const now = new Date(clock.now());
    const refusal =
      (await refuseCaller(services, ledger, caller, now)) ??
      (await countEnhancement(ledger, uid, now, config.prompt));
    if (refusal) throw refusal;
    const enhancePrompt = await services.enhancer();
    const { prompt, providerCostMicros } = await enhancePrompt(input.prompt, config.prompt.timeoutMs);
    const enhanced = prompt !== null;
    log.add({ enhanced, providerCostMicros });
    await bookEnhancementCost(ledger, uid, now, providerCostMicros);
    return { body: { prompt: prompt ?? input.prompt, enhanced } };
  },
});

/** The refusal by the account, then by the models and the spend ceiling. Creates no account. */
async function refuseCaller(
  services: Services,
  ledger: Ledger,
  caller: User,
  now: Date,
): Promise<Failure | undefined> {
  const [quota, spendCeiling] = [await services.quota(), await services.spend()];
  await spendCeiling.refresh();
  const states = quota.statesToRead();
  const { documents } = await ledger.retryCommit(undefined, () =>
    ledger.database.read([accountPath(caller.uid), ...states.paths]),
  );
  const [document, ...stateDocuments] = documents;
  states.learn(new Map(states.paths.map((path, i) => [path, stateDocuments[i]])));
  const account = document && parseAccount(document);
  return (
    refuseClosed(account) ??
    (account ? undefined : await refuseDeleted(ledger, caller.uid)) ??
    (await refuseSuspendedPerson(ledger, account, caller)) ??
    refuseTerms(account, services.config.terms.version) ??
    refuseUnverified(account, caller) ??
    quota.refusal([services.config.prompt.modelId], now.getTime()) ??
    spendCeiling.refusal()
  );
}

/** Refuses the user of a closed account that an admin has deleted in the console. */
async function refuseDeleted({ database, retryCommit }: Ledger, uid: string): Promise<Failure | undefined> {
  const { documents, readTime } = await retryCommit(undefined, () => database.read([closurePath(uid)]));
  return refuseClosed({ closedAt: isClosure(documents[0]) ? readTime : undefined });
}
