/** Refuses a large call of `generate` before its body is read, if no body could make it succeed. */
import type { RequestLog } from '../core/log.ts';
import { largeRefusalLimit } from '../core/rateLimit.ts';
import type { Failure } from '../errors.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { Decision, LedgerUser } from '../ledger/command.ts';
import { debitEntryId, entryPath } from '../ledger/entries.ts';
import { refuseClosed, refuseHold, refuseSuspended, refuseTerms } from '../ledger/refusals.ts';
import type { Services } from '../services.ts';
import { findRunning } from './hold.ts';
import { generationPath, hashGenerationId } from './record.ts';

type Call = { caller: LedgerUser; idempotencyKey: string; log: RequestLog };

/**
 * Refuses a call as its hold would refuse the cheapest image. Writes nothing, and reads the account once. A call with a
 * key that was used before passes, because its answer is repeated. So does the first call of a user, because the hold
 * creates the account with its credits.
 * @throws {Failure} ACCOUNT_INVALID, ACCOUNT_CLOSED, ACCOUNT_SUSPENDED, TERMS_NOT_ACCEPTED, RATE_LIMITED, INSUFFICIENT_CREDITS, DATABASE_UNAVAILABLE.
 */
export async function admit({ caller, idempotencyKey, log }: Call, services: Services): Promise<void> {
  const ledger = await services.ledger();
  const { uid } = caller;
  const id = hashGenerationId(uid, idempotencyKey);
  log.add({ uid, generationId: id });
  const paths = [generationPath(uid, id), entryPath(uid, debitEntryId(id))];
  const { cacheTtlSeconds, limits, tierCredits } = services.config;

  const refusal = await changeAccount<Failure | undefined>(ledger, uid, {
    user: caller,
    missing: { answer: undefined },
    reads: () => paths,
    findAnswer: (documents) =>
      paths.some((path) => documents.get(path)) ? { answer: undefined } : undefined,
    decide({ account, documents, now }): Decision<Failure | undefined> {
      const barred =
        refuseClosed(account) ??
        refuseSuspended(account) ??
        refuseTerms(account, ledger.settings.termsVersion);
      // An image from the cache costs no credits and is under no limit.
      if (barred || cacheTtlSeconds > 0) return { answer: barred };
      const running = findRunning(account, documents, now, limits.maxInFlightPerUser);
      if ('read' in running) return running;
      const credits = Math.min(...Object.values(tierCredits));
      return { answer: refuseHold(running.account, { credits, now, limits }) };
    },
  });
  if (!refusal) return;
  services.rateLimiter.take(largeRefusalLimit, uid);
  throw refusal;
}
