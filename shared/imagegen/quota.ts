/**
 * Which models may be asked, shared by all instances in `quota/{modelId}` and `quota/all`. What lasts for
 * hours is written there; a limit per minute stays in the instance that met it.
 */
import * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import {
  createDocument,
  type Database,
  type DocumentPath,
  documentPath,
  removed,
  type StoredDocument,
  serverTime,
  updateDocument,
} from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import { nextPacificMidnight } from './pacificTime.ts';

/** How old what is known of the states may be, milliseconds. */
const freshMs = 5_000;
/** How long one hold's read of the states keeps others from reading them too, milliseconds. */
const claimMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A model without billing is looked at again after a quarter of an hour, then after twice as long each time. */
const billingMs = { first: 15 * minuteMs, max: 6 * hourMs };
/** A model that the API does not know, after a day: it may be spelt wrongly, or be back. */
const retiredMs = 24 * hourMs;

/** Typed by a person who wants no more spent: `Off` is off. */
const asTyped = (state: unknown) => (typeof state === 'string' ? state.trim().toLowerCase() : state);

const stateSchema = z.object({
  state: z.preprocess(asTyped, z.enum(['ready', 'exhausted', 'off'])).catch('ready'),
  reason: z.string().optional().catch(undefined),
  retryAt: z.date().optional().catch(undefined),
  /** How often in a row billing has failed. */
  attempts: z.int().min(0).catch(0),
});
export type QuotaState = z.infer<typeof stateSchema>;

/** The id of the state that goes for all models at once. */
export const everyModel = 'all';

const ready: QuotaState = { state: 'ready', attempts: 0 };
type QuotaData = QuotaState & { updatedAt: Date };
export const quotaPath = (id: string): DocumentPath<QuotaData> => documentPath(`quota/${id}`);

export type QuotaOptions = {
  database: Database;
  retryCommit: RetryCommit;
  clock: Clock;
  log: Log;
  modelIds: readonly string[];
  /** Where it keeps what it has seen, for those who may only look. */
  known?: Map<string, QuotaState>;
};

export type Quota = ReturnType<typeof createQuota>;

/** Troubles that outlast a call and an instance. */
const lasting = new Set(['day', 'billing', 'retired']);

/** What this instance knows of the models' quota. */
export function createQuota({
  database,
  retryCommit,
  clock,
  log,
  modelIds,
  known = new Map(),
}: QuotaOptions) {
  const ids = [everyModel, ...modelIds];
  const paths = ids.map(quotaPath);
  const coolUntil = new Map<string, number>();
  let knownAt = Number.NEGATIVE_INFINITY;
  let claimedAt = Number.NEGATIVE_INFINITY;
  /** Counts what this instance has learnt one by one, and when of which: a read that began before is older. */
  let changes = 0;
  const changedAt = new Map<string, number>();

  const getState = (id: string): QuotaState => known.get(id) ?? ready;

  /** The time from which a model may be asked; 0 for now, infinity where only an operator can say. */
  function usableFrom(id: string, now: number): number {
    const { state, retryAt } = getState(id);
    if (state === 'off' || getState(everyModel).state === 'off') return Number.POSITIVE_INFINITY;
    const all = exhaustedUntil(getState(everyModel));
    const own = state === 'exhausted' ? (retryAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;
    const until = Math.max(all, own, coolUntil.get(id) ?? 0);
    return until > now ? until : 0;
  }

  const isStale = () => clock.elapsed() - knownAt >= freshMs;

  /**
   * For one hold: the paths of the states, to be read along with its own documents, and what to do with the result. No
   * paths are listed while the states are fresh. A result never overwrites what was learned later.
   */
  function readAlong() {
    let startedAt = 0;
    let listed: readonly string[] = [];
    return {
      paths(): readonly string[] {
        changes += 1;
        startedAt = changes;
        // One read is enough for everyone who knows an earlier state.
        const isClaimed = knownAt > Number.NEGATIVE_INFINITY && clock.elapsed() - claimedAt < claimMs;
        listed = isStale() && !isClaimed ? paths : [];
        if (listed.length > 0) claimedAt = clock.elapsed();
        return listed;
      },
      learn(documents: ReadonlyMap<string, StoredDocument | undefined>): void {
        if (listed.length > 0) learn(documents, startedAt);
      },
    };
  }

  /** @param startedAt when the read began, as a count of changes: whatever changed since then is newer. */
  function learn(documents: ReadonlyMap<string, StoredDocument | undefined>, startedAt: number): void {
    ids.forEach((id) => {
      if ((changedAt.get(id) ?? 0) > startedAt) return;
      const document = documents.get(quotaPath(id));
      known.set(id, document ? stateSchema.parse(document.data) : ready);
      changedAt.set(id, startedAt);
    });
    knownAt = clock.elapsed();
  }

  /** Those of these models that may be asked now. */
  const usable = (candidates: readonly string[], now: number) =>
    candidates.filter((id) => usableFrom(id, now) === 0);

  /** The refusal where none of these models may be asked; with the earliest time at which one may. */
  function refusal(candidates: readonly string[], now: number): Failure | undefined {
    if (usable(candidates, now).length > 0) return undefined;
    const earliest = Math.min(...candidates.map((id) => usableFrom(id, now)));
    const retryAfterSeconds = Math.max(1, Math.ceil((earliest - now) / 1000));
    const wait = Number.isFinite(earliest) ? { retryAfterSeconds } : {};
    return new Failure('PROVIDER_QUOTA', 'No image model is available at the moment.', wait);
  }

  /** Notes how a model failed, where that tells whether to ask it again. Never takes an operator's `off` away. */
  async function recordFailure(id: string, providerFailure: ProviderFailure): Promise<void> {
    const now = clock.now();
    if (providerFailure.kind === 'minute') {
      coolUntil.set(id, now + (providerFailure.retryAfterMs ?? minuteMs));
      return;
    }
    if (!lasting.has(providerFailure.kind)) return;
    const next = (current: QuotaState): QuotaState | undefined => {
      const attempts = providerFailure.kind === 'billing' ? current.attempts + 1 : current.attempts;
      const lastsMs = providerFailure.kind === 'billing' ? billingMs.first * 2 ** (attempts - 1) : retiredMs;
      const retryAt =
        providerFailure.kind === 'day'
          ? nextPacificMidnight(now)
          : new Date(now + Math.min(lastsMs, longest(providerFailure)));
      const isKnown = current.state === 'exhausted' && (current.retryAt?.getTime() ?? now) > now;
      return isKnown
        ? undefined
        : { state: 'exhausted', reason: toReason(providerFailure), retryAt, attempts };
    };
    await change(id, next);
  }

  /** Notes that a model painted: what was believed of it is over, unless it was learnt while it painted. */
  async function recordSuccess(id: string): Promise<void> {
    const now = clock.now();
    const isOver = (current: QuotaState) =>
      current.state === 'ready' ? current.attempts > 0 : exhaustedUntil(current) <= now;
    if (isOver(getState(id))) await change(id, (current) => (isOver(current) ? ready : undefined));
  }

  /** Opens what is due again and reports every model as it stands. */
  async function reopenDue(): Promise<{ id: string; state: QuotaState }[]> {
    changes += 1;
    const startedAt = changes;
    const { documents, readTime } = await retryCommit(undefined, () => database.read(paths));
    const states = new Map<string, StoredDocument | undefined>(paths.map((path, i) => [path, documents[i]]));
    learn(states, startedAt);
    const isDue = ({ state, retryAt }: QuotaState) =>
      state === 'exhausted' && retryAt !== undefined && retryAt <= readTime;
    for (const id of ids.filter((each) => isDue(getState(each)))) {
      // Read again: meanwhile another may have opened it, or have found it exhausted anew.
      await change(id, (now) => (isDue(now) ? { state: 'ready', attempts: now.attempts } : undefined));
    }
    const reported = getState(everyModel).state === 'ready' ? modelIds : ids;
    return reported.map((id) => ({ id, state: getState(id) }));
  }

  function note(id: string, state: QuotaState): void {
    known.set(id, state);
    changes += 1;
    changedAt.set(id, changes);
  }

  /** Writes a state where it changes, and never over an `off`. */
  async function change(id: string, next: (current: QuotaState) => QuotaState | undefined): Promise<void> {
    await retryCommit(`quota ${id}`, async () => {
      const { documents } = await database.read([quotaPath(id)]);
      const [document] = documents;
      const current = document ? stateSchema.parse(document.data) : ready;
      const after = current.state === 'off' ? undefined : next(current);
      note(id, current);
      if (!after) return;
      const path = quotaPath(id);
      await database.commit([
        document
          ? updateDocument(
              path,
              { reason: removed, retryAt: removed, ...after, updatedAt: serverTime },
              document.version,
            )
          : createDocument(path, { ...after, updatedAt: serverTime }),
      ]);
      note(id, after);
      log.warning('The state of a model changed', {
        event: 'model_state_changed',
        model: id,
        from: current.state,
        to: after.state,
        ...after,
      });
    });
  }

  return { readAlong, usable, refusal, recordFailure, recordSuccess, reopenDue, getState };
}

const exhaustedUntil = ({ state, retryAt }: QuotaState) =>
  state === 'exhausted' ? (retryAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;

const longest = ({ kind }: ProviderFailure) => (kind === 'billing' ? billingMs.max : retiredMs);

const toReason = ({ kind }: ProviderFailure) => (kind === 'day' ? 'daily quota' : kind);
