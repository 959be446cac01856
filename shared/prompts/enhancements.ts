/**
 * How often each user calls the text model on a day (UTC), and what that costs. The count is in the database, so that all
 * instances share it. There is one small document per user and day.
 */
import * as z from 'zod';
import { countOf } from '../contract/describe.ts';
import type { Log } from '../core/log.ts';
import {
  createDocument,
  type Database,
  type DocumentPath,
  documentPath,
  type StoredDocument,
  type Unparsed,
  updateDocument,
} from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { Failure } from '../errors.ts';
import { isUnusable } from '../imagegen/modelStates.ts';
import { parseQuotaState, type QuotaState, quotaPath } from '../imagegen/quotaState.ts';

const dayMs = 86_400_000;
/** How long a document is kept, days: 13 months, so that the costs of a month can be compared with those a year before. */
const keptDays = 400;

/** The fields of `accounts/{uid}/enhancements/{yyyy-mm-dd}`. An admin may have typed anything into them. */
export type EnhancementsData = {
  /** Calls of the text model, by `enhance` and by `generate`. */
  count: number;
  /** What the provider bills for the calls of `enhance`. A call of `generate` is in the cost of its generation. */
  providerCostMicros: number;
  createdAt: Date;
  /** When the TTL policy deletes the document. */
  expiresAt: Date;
};

const daySchema = z.object({ count: z.int().min(0), createdAt: z.date(), expiresAt: z.date() });

export type EnhancementStore = { database: Database; retryCommit: RetryCommit; log: Log };

export const enhancementsPath = (uid: string, now: Date): DocumentPath<EnhancementsData> =>
  documentPath(`accounts/${uid}/enhancements/${now.toISOString().slice(0, 10)}`);

/**
 * Counts a call of the text model before it is made. If the reply of the commit is lost, the call is counted twice.
 * @param limits the text model, and its calls of one user per day.
 * @returns the refusal if the model is off, or if the user's calls are used up; a refused call does not count.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export async function countEnhancement(
  store: EnhancementStore,
  uid: string,
  now: Date,
  { modelId, maxPerDayPerUser: max }: { modelId: string; maxPerDayPerUser: number },
): Promise<Failure | undefined> {
  return change(
    store,
    enhancementsPath(uid, now),
    now,
    ({ count }, [document]) => {
      const state = parseQuotaState(document, store.log);
      if (isUnusable(state, now)) return modelFailure(state, now);
      return count < max ? { count: count + 1 } : limitFailure(now, max);
    },
    [quotaPath(modelId)],
  );
}

/** Adds the cost of a counted call. A failure is only logged: the user has the answer. */
export async function bookEnhancementCost(
  store: EnhancementStore,
  uid: string,
  now: Date,
  costMicros: number,
): Promise<void> {
  if (costMicros === 0) return;
  try {
    await change(store, enhancementsPath(uid, now), now, ({ providerCostMicros }) => ({
      providerCostMicros: providerCostMicros + costMicros,
    }));
  } catch (cause) {
    store.log.warning('The cost of an improved prompt could not be stored', {
      event: 'enhancement_cost_lost',
      uid,
      providerCostMicros: costMicros,
      cause: cause instanceof Error ? cause.message : undefined,
    });
  }
}

type Numbers = Pick<EnhancementsData, 'count' | 'providerCostMicros'>;

type Documents = readonly (StoredDocument | undefined)[];

/**
 * Changes the numbers of a day, or returns the refusal. Creates the document if it is missing.
 * @param others paths of documents that the decision also needs.
 */
function change(
  { database, retryCommit, log }: EnhancementStore,
  path: DocumentPath<EnhancementsData>,
  now: Date,
  decide: (numbers: Numbers, others: Documents) => Partial<Numbers> | Failure,
  others: readonly string[] = [],
): Promise<Failure | undefined> {
  return retryCommit(path, async () => {
    const [document, ...rest] = (await database.read([path, ...others])).documents;
    const numbers = document ? parseNumbers(document, log) : { count: 0, providerCostMicros: 0 };
    const decision = decide(numbers, rest);
    if (decision instanceof Failure) return decision;
    const expiresAt = new Date(now.getTime() + keptDays * dayMs);
    await database.commit([
      document
        ? updateDocument(path, decision, document.version)
        : createDocument(path, { ...numbers, ...decision, createdAt: now, expiresAt }),
    ]);
    return undefined;
  });
}

/** A count that is not a whole number counts as used up, until an admin corrects it. */
function parseNumbers({ path, data }: StoredDocument, log: Log): Numbers {
  const { count, providerCostMicros }: Unparsed<EnhancementsData> = data;
  if (!isCount(count)) {
    log.warning('The count of improved prompts is not a whole number', { event: 'document_invalid', path });
  }
  return {
    count: isCount(count) ? count : Number.POSITIVE_INFINITY,
    providerCostMicros: isCount(providerCostMicros) ? providerCostMicros : 0,
  };
}

/** What a user may know of a day. @throws {UnreadableDocument} */
export function parseEnhancements(document: StoredDocument) {
  const { count, createdAt, expiresAt } = parseDocument(daySchema, document);
  return { date: document.id, count, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function modelFailure({ state, retryAt }: QuotaState, now: Date): Failure {
  const wait = state === 'exhausted' &&
    retryAt && { retryAfterSeconds: toWaitSeconds(Number(retryAt) - Number(now)) };
  return new Failure('PROVIDER_QUOTA', 'No model can improve prompts at the moment.', { ...wait });
}

function limitFailure(now: Date, max: number): Failure {
  const untilMidnightMs = dayMs - (now.getTime() % dayMs);
  return new Failure('RATE_LIMITED', `At most ${countOf(max, 'improved prompt')} a day.`, {
    retryAfterSeconds: toWaitSeconds(untilMidnightMs),
    metadata: { limit: 'maxEnhancePerDayPerUser' },
  });
}

const toWaitSeconds = (milliseconds: number) => Math.max(1, Math.ceil(milliseconds / 1000));
