import { randomUUID } from 'node:crypto';
import { type GenerateRequest, referenceBytesMax, tiers } from '../contract.ts';
import { CommitRejected, type Database, type StoredDocument } from '../database/database.ts';
import { Failure, invalidRequest } from '../errors.ts';
import {
  type Account,
  accountInvalid,
  andThen,
  changeWrites,
  debit,
  inFlight,
  invalidField,
  refuseHold,
  refuseSuspended,
} from '../ledger/credits.ts';
import {
  accountIn,
  accountPath,
  bringUpToDate,
  changeAccount,
  createAccount,
  type Holder,
  type Ledger,
} from '../ledger/ledger.ts';
import { cachedSource, cachePath, shareWrite, shownBySource } from './cache.ts';
import {
  type GenerationData,
  type GenerationRecord,
  generationPath,
  readGeneration,
  referenceHash,
  toPublicId,
} from './record.ts';
import { expire, isExpired } from './refund.ts';

/** What else stands between a user and a painting: whether any model may be asked, and may be paid for. */
export type ModelAvailability = {
  /** Documents to read along with those of the hold, and what to do with them; no paths while they are fresh. */
  statesToRead(): {
    paths: readonly string[];
    learn(documents: readonly (StoredDocument | undefined)[]): void;
  };
  refusal(now: Date): Failure | undefined;
};

export type HoldRequest = {
  id: string;
  fingerprint: string;
  request: GenerateRequest;
  /** Where the cache may have the image already, or shall have it; undefined: not cached. */
  cacheKey?: string;
  availability?: ModelAvailability;
};

/** This call's own hold, a finished image from the cache, or what an earlier call with this key has come to. */
export type HoldOutcome = { outcome: 'held' | 'cached' | 'met'; record: GenerationRecord };

const noGate: ModelAvailability = {
  statesToRead: () => ({ paths: [], learn() {} }),
  refusal: () => undefined,
};

/**
 * Debits a generation's price and makes it pending, or finds what its key came to before.
 * Refuses in the contract's order: replay, account, suspended, cache, models, limits, credits.
 * @throws {Failure} ACCOUNT_INVALID, ACCOUNT_SUSPENDED, PROVIDER_QUOTA, SPEND_CEILING, RATE_LIMITED,
 * INSUFFICIENT_CREDITS, NOT_FOUND for a reference: nothing was debited; DATABASE_UNAVAILABLE: whether it was
 * is not known, and asking with the same key will tell.
 */
export async function hold(ledger: Ledger, holder: Holder, wanted: HoldRequest): Promise<HoldOutcome> {
  const owner = randomUUID();
  const { expired, ...outcome } = await changeAccount(ledger, holder.uid, (noted) =>
    attemptHold(noted, holder, wanted, owner),
  );
  return expired ? { outcome: 'met', record: (await expire(ledger, outcome.record)).record } : outcome;
}

async function attemptHold(
  ledger: Ledger,
  holder: Holder,
  wanted: HoldRequest,
  owner: string,
): Promise<HoldOutcome & { expired: boolean }> {
  const { database, settings } = ledger;
  const { uid } = holder;
  const { id, request, availability = noGate } = wanted;
  const path = generationPath(uid, id);
  const { documents, readTime: now } = await readForHold(database, uid, wanted, availability);
  const [accountDocument, generationDocument, cacheDocument] = documents;
  if (generationDocument) {
    const record = readGeneration(generationDocument);
    return { outcome: outcomeFor(record, owner), record, expired: isExpired(record, now) };
  }
  if (!accountDocument) return createAccount(ledger, uid, now, holder.email);

  const account = await accountIn(ledger, accountDocument);
  const invalid = invalidField(account);
  if (invalid) throw accountInvalid(invalid);
  const upToDate = await bringUpToDate(ledger, account, holder);
  const news = upToDate.account === account ? [] : changeWrites(account, upToDate, now);
  const refuse = async (refusal: Failure): Promise<never> => {
    if (news.length > 0) await database.commit(news);
    throw refusal;
  };

  const suspended = refuseSuspended(upToDate.account);
  if (suspended) return refuse(suspended);
  const source = request.fresh ? undefined : await cachedSource(ledger, uid, cacheDocument, now);
  const { credits } = tiers[request.tier];
  const terms = {
    generationId: id,
    credits,
    deadline: new Date(now.getTime() + settings.holdMs),
    now,
    limits: settings.limits,
  };
  if (source) {
    // A key whose debit stands is not free again because an admin has deleted its generation's document.
    if (await isDebited(database, uid, id)) return refuse(deletedByAdmin());
    const pending = pendingGeneration(wanted, owner, upToDate.account, { ...terms, credits: 0 });
    const data = {
      ...pending,
      ...shownBySource(source),
      status: 'succeeded' as const,
      cached: true,
      finishedAt: now,
    };
    const version = await database.commit([...news, { create: path, data }, shareWrite(source, id)]);
    return { outcome: 'cached', record: { ...data, id, uid, version }, expired: false };
  }
  const closed = availability.refusal(now) ?? refuseReferences(request, documents.slice(3));
  if (closed) return refuse(closed);

  upToDate.account = await forgetFinished(
    database,
    upToDate.account,
    now,
    settings.limits.maxInFlightPerUser,
  );
  const refusal = refuseHold(upToDate.account, terms);
  if (refusal) return refuse(refusal);
  const change = andThen(upToDate, (ready) => debit(ready, terms));
  const data = pendingGeneration(wanted, owner, change.account, terms);
  const version = await database
    .commit([...changeWrites(account, change, now), { create: path, data }])
    .catch((error) => explain(error, database, uid, id));
  return { outcome: 'held', record: { ...data, id, uid, version }, expired: false };
}

/**
 * A hold that was rejected is tried again, but not where it never can succeed: its debit is in the ledger,
 * and somebody has deleted the generation's document in the console.
 */
async function explain(error: unknown, database: Database, uid: string, id: string): Promise<never> {
  if (!(error instanceof CommitRejected)) throw error;
  throw (await isDebited(database, uid, id)) ? deletedByAdmin() : error;
}

/** Whether a generation that has no document was paid for all the same. */
async function isDebited(database: Database, uid: string, id: string): Promise<boolean> {
  const entry = `${accountPath(uid)}/entries/${id}:debit`;
  const { documents } = await database.read([entry, generationPath(uid, id)]);
  return documents[0] !== undefined && documents[1] === undefined;
}

const deletedByAdmin = () => new Failure('DELETED', 'This generation was deleted.');

/** What a call makes of the generation that it finds under its key: its own, where only the reply was lost. */
function outcomeFor(record: GenerationRecord, owner: string): HoldOutcome['outcome'] {
  if (record.owner !== owner) return 'met';
  return record.cached ? 'cached' : record.status === 'pending' ? 'held' : 'met';
}

/** One round trip for everything: account, generation, cache item, references, and what the gate needs. */
async function readForHold(
  database: Database,
  uid: string,
  wanted: HoldRequest,
  availability: ModelAvailability,
) {
  const { id, request, cacheKey } = wanted;
  const references = request.references.flatMap((reference) =>
    'generationId' in reference ? [generationPath(uid, reference.generationId)] : [],
  );
  const states = availability.statesToRead();
  const own = [
    accountPath(uid),
    generationPath(uid, id),
    ...(cacheKey ? [cachePath(cacheKey)] : []),
    ...references,
  ];
  const paths = [...new Set([...own, ...states.paths])];
  const { documents, readTime } = await database.read(paths);
  const at = new Map(paths.map((path, i) => [path, documents[i]]));
  states.learn(states.paths.map((path) => at.get(path)));
  const [account, generation] = own.map((path) => at.get(path));
  const cached = cacheKey ? at.get(cachePath(cacheKey)) : undefined;
  return {
    documents: [account, generation, cached, ...references.map((path) => at.get(path))],
    readTime,
  };
}

/** A reference must be a finished image of the caller's own. */
function refuseReferences(
  { references }: GenerateRequest,
  documents: readonly (StoredDocument | undefined)[],
): Failure | undefined {
  const bytes = documents.map((document) => {
    const record = document && readGeneration(document);
    return record?.status === 'succeeded' ? (record.image?.bytes ?? 0) : undefined;
  });
  if (bytes.includes(undefined)) return new Failure('NOT_FOUND', 'There is no such image to refer to.');
  const inline = references.map((reference) =>
    'data' in reference ? Buffer.byteLength(reference.data, 'base64') : 0,
  );
  const total = [...bytes, ...inline].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  if (total <= referenceBytesMax) return undefined;
  const description = `must have at most ${referenceBytesMax} bytes together`;
  return invalidRequest([{ field: 'references', description }]);
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
  { id, fingerprint, request, cacheKey }: HoldRequest,
  owner: string,
  account: Account,
  { credits, deadline, now }: { credits: number; deadline: Date; now: Date },
): GenerationData {
  const { tier, orientation, prompt, enhance, fresh, references } = request;
  return {
    status: 'pending',
    owner,
    deadline,
    fingerprint,
    tier,
    orientation,
    credits,
    prompt,
    enhancedPrompt: null,
    request: { enhance, fresh, references: references.map(referenceHash) },
    model: null,
    cached: false,
    imageOwner: id,
    sharers: [id],
    cacheKey: cacheKey ?? null,
    publicId: toPublicId(id, owner),
    image: null,
    failure: null,
    providerCostMicros: 0,
    receipt: { charged: credits, refunded: 0, balance: account.settled, sequence: account.sequence },
    createdAt: now,
    finishedAt: null,
  };
}
