import { randomUUID } from 'node:crypto';
import { type GenerateRequest, tiers } from '../contract.ts';
import type { Database } from '../database.ts';
import {
  type GenerationData,
  type GenerationRecord,
  generationPath,
  publicIdOf,
  readGeneration,
} from '../generations.ts';
import {
  accountIn,
  accountPath,
  type Books,
  bringUpToDate,
  createAccount,
  type Holder,
  logEntries,
} from './books.ts';
import {
  type Account,
  accountInvalid,
  andThen,
  changeWrites,
  debit,
  inFlight,
  invalidField,
  refuseHold,
} from './credits.ts';
import { expire, isExpired } from './refund.ts';

export type HoldRequest = { id: string; fingerprint: string; request: GenerateRequest };

/** Either this call's own hold, or what an earlier call with this key has come to. */
export type HoldOutcome = { held: boolean; record: GenerationRecord };

/**
 * Debits a generation's price and makes it pending, or finds what its key came to before.
 * Refuses in the contract's order: replay, account, suspended, limits, credits.
 * @throws {Failure} ACCOUNT_INVALID, ACCOUNT_SUSPENDED, RATE_LIMITED, INSUFFICIENT_CREDITS: nothing was
 * debited; DATABASE_UNAVAILABLE: whether it was is not known, and asking with the same key will tell.
 */
export async function hold(books: Books, holder: Holder, wanted: HoldRequest): Promise<HoldOutcome> {
  const { database, converge, settings } = books;
  const { uid } = holder;
  const owner = randomUUID();
  const path = generationPath(uid, wanted.id);

  const { expired, ...outcome } = await converge(uid, async () => {
    const { documents, readTime: now } = await database.read([accountPath(uid), path]);
    const [accountDocument, generationDocument] = documents;
    if (generationDocument) {
      const record = readGeneration(generationDocument);
      return { held: record.owner === owner, record, expired: isExpired(record, now) };
    }
    if (!accountDocument) return createAccount(books, uid, now, holder.email);

    const account = await accountIn(books, accountDocument);
    const invalid = invalidField(account);
    if (invalid) throw accountInvalid(invalid);
    const upToDate = await bringUpToDate(books, account, holder);
    const hasNews = upToDate.account !== account;
    upToDate.account = await forgetFinished(
      database,
      upToDate.account,
      now,
      settings.limits.maxInFlightPerUser,
    );

    const terms = {
      generationId: wanted.id,
      credits: tiers[wanted.request.tier].credits,
      deadline: new Date(now.getTime() + settings.holdMs),
      now,
      limits: settings.limits,
    };
    const refusal = refuseHold(upToDate.account, terms);
    if (refusal) {
      if (hasNews) await database.commit(changeWrites(account, upToDate, now));
      logEntries(books, uid, upToDate.entries);
      throw refusal;
    }
    const change = andThen(upToDate, (ready) => debit(ready, terms));
    const data = pendingGeneration(wanted, owner, change.account, terms);
    const version = await database.commit([...changeWrites(account, change, now), { create: path, data }]);
    logEntries(books, uid, change.entries);
    return { held: true, record: { ...data, id: wanted.id, uid, version }, expired: false };
  });
  return expired ? { held: false, record: (await expire(books, outcome.record)).record } : outcome;
}

/** Where the limit of generations in flight is met: forgets those that are finished. */
async function forgetFinished(
  database: Database,
  account: Account,
  now: Date,
  max: number,
): Promise<Account> {
  const ids = inFlight(account, now);
  if (ids.length < max) return account;
  const { documents } = await database.read(ids.map((id) => generationPath(account.uid, id)));
  const running = ids.filter((_, i) => documents[i]?.data.status === 'pending');
  return { ...account, active: Object.fromEntries(running.map((id) => [id, account.active[id] as Date])) };
}

function pendingGeneration(
  { id, fingerprint, request }: HoldRequest,
  owner: string,
  account: Account,
  { credits, deadline, now }: { credits: number; deadline: Date; now: Date },
): GenerationData {
  return {
    status: 'pending',
    owner,
    deadline,
    fingerprint,
    tier: request.tier,
    orientation: request.orientation,
    credits,
    prompt: request.prompt,
    enhancedPrompt: null,
    request: { enhance: false, fresh: false, references: [] },
    model: null,
    cached: false,
    publicId: publicIdOf(id, owner),
    image: null,
    failure: null,
    providerCostMicros: 0,
    receipt: { charged: credits, refunded: 0, balance: account.settled, sequence: account.sequence },
    createdAt: now,
    finishedAt: null,
  };
}
