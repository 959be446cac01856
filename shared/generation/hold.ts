import { randomUUID } from 'node:crypto';
import { getPrice } from '../config/prices.ts';
import type { GenerateRequest } from '../contract/generate.ts';
import { createDocument, type DocumentPath, type StoredDocument, type Write } from '../database/database.ts';
import type { Reason } from '../errorReasons.ts';
import { Failure, toFailure, withGeneration } from '../errors.ts';
import { getOrientation } from '../imagegen/models.ts';
import type { Account } from '../ledger/account.ts';
import { changeAccount } from '../ledger/changeAccount.ts';
import type { AccountState, Decision, Documents, LedgerUser } from '../ledger/command.ts';
import { debit, unchanged } from '../ledger/creditChanges.ts';
import { debitEntryId, entryPath } from '../ledger/entries.ts';
import { getHoldDeadline } from '../ledger/holdDeadline.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  type HoldParams,
  inFlight,
  refuseClosed,
  refuseHold,
  refuseSuspended,
  refuseTerms,
} from '../ledger/refusals.ts';
import { cachePath, findCachedSource, shareImage, toSharedFields } from './cache.ts';
import {
  type GenerationData,
  type GenerationRecord,
  generationPath,
  hashInlineImage,
  hashReference,
  toPublicId,
  toRecord,
} from './record.ts';
import { parseOrRefuse } from './recoverGeneration.ts';
import { expire, isExpired, refund } from './refund.ts';
import {
  findSources,
  listSourcePaths,
  refuseParent,
  refuseSources,
  type Sources,
  toAncestors,
} from './sources.ts';
import { removedReferences, takedownPath } from './takedowns.ts';
import { toWords } from './words.ts';

/** Whether any model may be called, and paid for, and its image stored. It is part of the hold, to save a round trip. */
export type ModelAvailability = {
  /** Documents to read along with the hold's; none while this instance knows enough. */
  paths(): readonly string[];
  learn(documents: Documents): void;
  refusal(now: Date): Failure | undefined;
};

export type HoldRequest = {
  id: string;
  fingerprint: string;
  request: GenerateRequest;
  /** The key under which the cache may have the image, or will have it; undefined: not cached. */
  cacheKey?: string;
  availability: ModelAvailability;
};

/** This call's own hold, a finished image from the cache, or the generation of an earlier call with this key. */
export type HoldOutcome = {
  outcome: 'held' | 'cached' | 'existing';
  record: GenerationRecord;
  /** The images of the caller's own that the request uses, as the hold has read them; only of a hold. */
  sources: Sources;
};

/**
 * Debits a generation's price and makes the generation pending, or finds the one that its key has made before.
 * Refuses in the contract's order: replay, account, closed, suspended, terms, cache, models, limits, credits.
 * @throws {Failure} ACCOUNT_INVALID, ACCOUNT_CLOSED, ACCOUNT_SUSPENDED, TERMS_NOT_ACCEPTED, PROVIDER_QUOTA, SPEND_CEILING, PROVIDER_MISCONFIGURED,
 * RATE_LIMITED, INSUFFICIENT_CREDITS, NOT_FOUND or INVALID_REQUEST for the edited image and references: nothing was debited; DATABASE_UNAVAILABLE: the outcome is unknown,
 * and a call with the same key finds out.
 */
export async function hold(ledger: Ledger, user: LedgerUser, params: HoldRequest): Promise<HoldOutcome> {
  const attemptId = randomUUID();
  const { uid } = user;
  const { id, request, cacheKey, availability } = params;
  const path = generationPath(uid, id);
  const debitPath = entryPath(uid, debitEntryId(id));
  const takedowns = request.references.map((reference) => {
    const imageHash = hashInlineImage(reference);
    return imageHash && takedownPath(imageHash);
  });

  /** What this call has tried to commit: it may have succeeded although the reply was lost. */
  const attempts: GenerationRecord[] = [];
  /** The one of them that an admin has deleted meanwhile. */
  let erased: GenerationRecord | undefined;

  const holding = changeAccount<HoldOutcome & { isOverdue: boolean }>(ledger, uid, {
    user,
    missing: 'create',
    reads: (isRetry) => [
      path,
      ...(cacheKey ? [cachePath(cacheKey)] : []),
      ...listSourcePaths(uid, request),
      ...new Set(takedowns.filter((takedown) => takedown !== undefined)),
      ...availability.paths(),
      // A key whose debit is in the ledger is used up, even if an admin deleted the document of its generation. Without
      // the cache the debit itself is rejected then, so that its first attempt needs no read.
      ...(isRetry || cacheKey ? [debitPath] : []),
    ],
    findAnswer(documents, now) {
      availability.learn(documents);
      const document = documents.get(path);
      if (!document) {
        const debit = documents.get(debitPath);
        erased = debit && attempts.find((attempt) => isDebitOf(attempt, debit));
        return debit ? { refusal: deletedByAdmin(id) } : undefined;
      }
      const found = parseOrRefuse(ledger.log, document);
      const outcome = toOutcome(found, attemptId);
      // What this call has paid. An admin may have edited the price in the document already.
      const { credits } = (outcome === 'held' && attempts[0]) || found;
      const record = { ...found, credits };
      const sources = outcome === 'held' ? findSources(ledger.log, uid, request, documents) : new Map();
      return { answer: { outcome, record, sources, isOverdue: isExpired(record, now) } };
    },
    decide: (state) => decideHold(ledger, params, attemptId, takedowns, state, attempts),
  });
  const { isOverdue, ...outcome } = await holding.catch(async (error) => {
    const failure = toFailure(error);
    const { reason, message } = failure;
    if (erased) {
      await refund(ledger, {
        uid,
        id,
        held: erased,
        failure: { reason, message },
        providerCostMicros: 0,
        mayBeStored: false,
      });
    }
    throw unknownOutcomes.includes(reason) ? withGeneration(failure, id) : failure;
  });
  return isOverdue
    ? { ...outcome, outcome: 'existing', record: (await expire(ledger, outcome.record)).record }
    : outcome;
}

/** The outcome of a call that finds a generation under its key. Its own, if only the reply of its commit was lost. */
function toOutcome(record: GenerationRecord, attemptId: string): HoldOutcome['outcome'] {
  if (record.attemptId !== attemptId) return 'existing';
  if (record.cached) return 'cached';
  return record.status === 'pending' ? 'held' : 'existing';
}

const isDebitOf = ({ receipt, createdAt }: GenerationRecord, { data }: StoredDocument) =>
  data.sequence === receipt.sequence && Number(data.createdAt) === Number(createdAt);

const deletedByAdmin = (generationId: string) =>
  new Failure('DELETED', 'This generation was deleted.', { metadata: { generationId } });

/** After these the hold may have been committed. */
const unknownOutcomes: readonly Reason[] = ['DATABASE_UNAVAILABLE', 'INTERNAL'];

type HoldDecision = Decision<HoldOutcome & { isOverdue: boolean }>;

function decideHold(
  { log, settings: { holdMs, limits, tierCredits, termsVersion } }: Ledger,
  params: HoldRequest,
  attemptId: string,
  takedowns: readonly (string | undefined)[],
  state: AccountState,
  attempts: GenerationRecord[],
): HoldDecision {
  const { account, documents, now } = state;
  const { id, request, cacheKey, availability } = params;
  const sources = findSources(log, account.uid, request, documents);
  const barred =
    refuseClosed(account) ??
    refuseSuspended(account) ??
    refuseTerms(account, termsVersion) ??
    refuseParent(request, sources);
  if (barred) return { refusal: barred };

  const cached =
    cacheKey && !request.fresh ? findCachedSource(log, account.uid, documents, cacheKey, now) : undefined;
  if (cached && 'read' in cached) return cached;
  const deadline = getHoldDeadline(now, holdMs);
  if (cached) return showCached(params, attemptId, { source: cached.source, sources }, state, deadline);

  const removed = takedowns.flatMap((path, i) => (path && documents.get(path) ? [i] : []));
  const unavailable =
    (removed.length > 0 ? removedReferences(removed) : undefined) ??
    availability.refusal(now) ??
    refuseSources(request, sources);
  if (unavailable) return { refusal: unavailable };

  const running = findRunning(account, documents, now, limits.maxInFlightPerUser);
  if ('read' in running) return running;
  const credits = getPrice(tierCredits, request);
  const holdParams: HoldParams = { generationId: id, credits, deadline, now, limits };
  const refusal = refuseHold(running.account, holdParams);
  if (refusal) return { refusal };
  const change = debit(running.account, holdParams);
  const data = toPending(params, attemptId, change.account, { credits, deadline, now, sources });
  attempts.push(toRecord(account.uid, id, data, account.version));
  return {
    change,
    writes: [createDocument(generationPath(account.uid, id), data)],
    answer: (version) => ({
      outcome: 'held',
      record: toRecord(account.uid, id, data, version),
      sources,
      isOverdue: false,
    }),
  };
}

/** A new generation that shows a finished image from the cache and costs nothing. */
function showCached(
  params: HoldRequest,
  attemptId: string,
  { source, sources }: { source: GenerationRecord; sources: Sources },
  { account, now }: AccountState,
  deadline: Date,
): HoldDecision {
  const { id } = params;
  const pending = toPending(params, attemptId, account, { credits: 0, deadline, now, sources });
  const data: GenerationData = {
    ...pending,
    ...toSharedFields(source),
    words: toWords(pending),
    status: 'succeeded',
    cached: true,
    finishedAt: now,
  };
  const writes: Write[] = [createDocument(generationPath(account.uid, id), data), shareImage(source, id)];
  return {
    change: unchanged(account),
    writes,
    answer: (version) => ({
      outcome: 'cached',
      record: toRecord(account.uid, id, data, version),
      sources,
      isOverdue: false,
    }),
  };
}

/** The account without its finished generations, if they matter: when the limit of generations in flight is reached. */
export function findRunning(
  account: Account,
  documents: Documents,
  now: Date,
  max: number,
): { account: Account } | { read: DocumentPath<GenerationData>[] } {
  const ids = inFlight(account, now);
  if (ids.length < max) return { account };
  const toPath = (id: string) => generationPath(account.uid, id);
  const unread = ids.map(toPath).filter((path) => !documents.has(path));
  if (unread.length > 0) return { read: unread };
  const running = ids.filter((id) => documents.get(toPath(id))?.data.status === 'pending');
  const active = Object.fromEntries(running.map((id) => [id, account.active[id] as Date]));
  return { account: { ...account, active } };
}

function toPending(
  { id, fingerprint, request, cacheKey }: HoldRequest,
  attemptId: string,
  account: Account,
  { credits, deadline, now, sources }: { credits: number; deadline: Date; now: Date; sources: Sources },
): GenerationData {
  const { tier, resolution, aspectRatio, prompt, enhance, fresh, references, group } = request;
  const originalPrompt = request.originalPrompt ?? (enhance ? prompt : undefined);
  const parent = request.editOf === undefined ? undefined : sources.get(request.editOf);
  return {
    status: 'pending',
    owner: attemptId,
    deadline,
    fingerprint,
    tier,
    orientation: getOrientation(request),
    resolution,
    ...(aspectRatio && { aspectRatio }),
    credits,
    prompt,
    enhancedPrompt: null,
    ...(originalPrompt !== undefined && { originalPrompt }),
    ...(group !== undefined && { group }),
    ...(parent && { ancestors: toAncestors(parent) }),
    request: { enhance, fresh, references: references.map(hashReference) },
    model: null,
    cached: false,
    imageOwner: id,
    sharers: [id],
    cacheKey: cacheKey ?? null,
    publicId: toPublicId(id, attemptId),
    image: null,
    failure: null,
    providerCostMicros: 0,
    receipt: { charged: credits, refunded: 0, balance: account.ledgerBalance, sequence: account.sequence },
    createdAt: now,
    finishedAt: null,
  };
}
