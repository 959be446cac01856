/**
 * Which models may be called. All instances share the states `quota/{modelId}` and `quota/all` in the database:
 * a state that lasts for hours is written there, a limit per minute stays in the instance that hit it.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import {
  createDocument,
  type Database,
  removed,
  type StoredDocument,
  serverTime,
  updateDocument,
} from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import { nextPacificMidnight } from './pacificTime.ts';
import { everyModel, parseQuotaState, type QuotaState, quotaPath, ready } from './quotaState.ts';

/** Greatest age of the states that this instance uses without reading them again, milliseconds. */
const freshMs = 5_000;
/** How long one caller's read keeps other callers from reading the states too, milliseconds. */
const claimMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A failed model is tried again after the first time, then after twice as long each time. */
const waitsMs = {
  billing: { first: 15 * minuteMs, max: 6 * hourMs },
  /** The API does not know the model: it is misspelt, or removed, perhaps only for now. */
  retired: { first: 5 * minuteMs, max: 24 * hourMs },
} as const;
/** Longest limit that stays in the instance that hit it. */
const localLimitMs = minuteMs;
/** How long other models are preferred to one that did not answer. */
const silenceMs = minuteMs;

export type QuotaOptions = {
  database: Database;
  retryCommit: RetryCommit;
  clock: Clock;
  log: Log;
  modelIds: readonly string[];
  /** Filled with the states as this instance last saw them, so that `health` can show them without a read. */
  states?: Map<string, QuotaState>;
};

export type Quota = ReturnType<typeof createQuota>;

/** Documents by path, of which some may be missing. */
type Documents = ReadonlyMap<string, StoredDocument | undefined>;

export type StatesToRead = {
  paths: readonly string[];
  learn(documents: Documents): void;
};

/** The quota of the models, as far as this instance knows it. */
export function createQuota({
  database,
  retryCommit,
  clock,
  log,
  modelIds,
  states = new Map(),
}: QuotaOptions) {
  const ids = [everyModel, ...modelIds];
  const paths = ids.map(quotaPath);
  /** End of each model's limit per minute, milliseconds since 1970. */
  const coolUntil = new Map<string, number>();
  /** Until when this instance asks other models first, milliseconds since 1970. */
  const slowUntil = new Map<string, number>();
  let readAt = Number.NEGATIVE_INFINITY;
  let claimedAt = Number.NEGATIVE_INFINITY;
  /** Counts reads and changes of states. A read that began before a state became known is older than that state. */
  let changes = 0;
  const changedAt = new Map<string, number>();

  const getState = (id: string): QuotaState => states.get(id) ?? ready;

  /** From when a model may be called, milliseconds since 1970; 0 for now, infinity if only an operator can tell. */
  function usableFrom(id: string, now: number): number {
    const { state, retryAt } = getState(id);
    if (state === 'off' || getState(everyModel).state === 'off') return Number.POSITIVE_INFINITY;
    const all = exhaustedUntil(getState(everyModel));
    const own = state === 'exhausted' ? (retryAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;
    const until = Math.max(all, own, coolUntil.get(id) ?? 0);
    return until > now ? until : 0;
  }

  /**
   * The states that a caller should read along with its own documents, and what to do with the documents found at
   * these paths. No paths while the states are fresh, or while another caller reads them and an earlier read is known.
   */
  function statesToRead(): StatesToRead {
    const now = clock.elapsed();
    const isClaimed = Number.isFinite(readAt) && now - claimedAt < claimMs;
    if (now - readAt < freshMs || isClaimed) return { paths: [], learn() {} };
    claimedAt = now;
    changes += 1;
    const since = changes;
    return { paths, learn: (documents) => learn(documents, since) };
  }

  /** The states as documents that a caller reads along with its own, at each attempt. */
  function readAlong() {
    let states: StatesToRead | undefined;
    return {
      paths(): readonly string[] {
        states = statesToRead();
        return states.paths;
      },
      learn: (documents: Documents) => states?.learn(documents),
    };
  }

  /** Takes over the states as read, except those that are known from after change number `since`. */
  function learn(documents: Documents, since: number): void {
    for (const id of ids) {
      if ((changedAt.get(id) ?? 0) > since) continue;
      states.set(id, parseQuotaState(documents.get(quotaPath(id)), log));
      changedAt.set(id, since);
    }
    readAt = clock.elapsed();
  }

  /** Those of `candidates` that may be called now, slow ones last. */
  function filterUsable(candidates: readonly string[], now: number): string[] {
    const isSlow = (id: string) =>
      Math.max(getState(id).slowUntil?.getTime() ?? 0, slowUntil.get(id) ?? 0) > now;
    const usable = candidates.filter((id) => usableFrom(id, now) === 0);
    return [...usable.filter((id) => !isSlow(id)), ...usable.filter(isSlow)];
  }

  /** The first of `candidates` that may be called now, undefined if none may. */
  const firstUsable = (candidates: readonly string[], now: number) =>
    candidates.find((id) => usableFrom(id, now) === 0);

  /** The refusal if none of `candidates` may be called, with the earliest time at which one may. */
  function refusal(candidates: readonly string[], now: number): Failure | undefined {
    if (filterUsable(candidates, now).length > 0) return undefined;
    const earliest = Math.min(...candidates.map((id) => usableFrom(id, now)));
    const retryAfterSeconds = Math.max(1, Math.ceil((earliest - now) / 1000));
    const wait = Number.isFinite(earliest) ? { retryAfterSeconds } : {};
    return new Failure('PROVIDER_QUOTA', 'No image model is available at the moment.', wait);
  }

  /** Records a failure that tells when to call the model again. Never overwrites an operator's `off`. */
  async function recordFailure(id: string, failure: ProviderFailure): Promise<void> {
    const now = clock.now();
    const waitMs = failure.retryAfterMs ?? 0;
    switch (failure.kind) {
      case 'minute':
        coolUntil.set(id, now + (waitMs || minuteMs));
        if (waitMs > localLimitMs) await exhaust(id, now, 'rate limit', () => new Date(now + waitMs));
        return;
      case 'day':
        return exhaust(id, now, 'daily quota', () => nextPacificMidnight(now));
      case 'billing':
      case 'retired': {
        const { first, max } = waitsMs[failure.kind];
        const toRetryAt = (attempts: number) => new Date(now + Math.min(first * 2 ** (attempts - 1), max));
        return exhaust(failure.isWholeProject ? everyModel : id, now, failure.kind, toRetryAt);
      }
      case 'silent':
        return avoid(id, now, silenceMs, 'shared');
      case 'overloaded':
      case 'passing':
        return avoid(id, now, waitMs, waitMs > localLimitMs ? 'shared' : 'local');
    }
  }

  /** Closes a model for all instances, unless it is closed. */
  async function exhaust(
    id: string,
    now: number,
    reason: string,
    toRetryAt: (attempts: number) => Date,
  ): Promise<void> {
    const isRepeated = reason === 'billing' || reason === 'retired';
    await change(id, (current) => {
      if (current.state === 'exhausted' && (current.retryAt?.getTime() ?? now) > now) return undefined;
      const attempts = isRepeated ? current.attempts + 1 : current.attempts;
      return { state: 'exhausted', reason, retryAt: toRetryAt(attempts), attempts };
    });
  }

  /** Asks other models first for a time. The model stays usable, for requests that no other model can answer. */
  async function avoid(id: string, now: number, waitMs: number, scope: 'local' | 'shared'): Promise<void> {
    const until = now + waitMs;
    if (waitMs <= 0 || modelIds.length < 2) return;
    slowUntil.set(id, Math.max(until, slowUntil.get(id) ?? 0));
    if (scope === 'local') return;
    const isDue = ({ state, slowUntil }: QuotaState) =>
      state === 'ready' && (slowUntil?.getTime() ?? 0) < until;
    await change(id, (current) => (isDue(current) ? { ...current, slowUntil: new Date(until) } : undefined));
  }

  /** Records a success: clears an expired state. A model found exhausted in the meantime stays exhausted. */
  async function recordSuccess(id: string): Promise<void> {
    const now = clock.now();
    const isOver = (current: QuotaState) =>
      current.state === 'ready' ? current.attempts > 0 : exhaustedUntil(current) <= now;
    for (const each of [id, everyModel]) {
      if (isOver(getState(each))) await change(each, (current) => (isOver(current) ? ready : undefined));
    }
  }

  /** Reopens the models whose time has come, and returns the state of every model. One that fails is logged. */
  async function reopenDue(): Promise<{ id: string; state: QuotaState }[]> {
    changes += 1;
    const since = changes;
    const { documents, readTime } = await retryCommit(undefined, () => database.read(paths));
    learn(new Map<string, StoredDocument | undefined>(paths.map((path, i) => [path, documents[i]])), since);
    const isDue = ({ state, retryAt }: QuotaState) =>
      state === 'exhausted' && retryAt !== undefined && retryAt <= readTime;
    for (const id of ids.filter((each) => isDue(getState(each)))) {
      // `change` reads the state again: another instance may have changed it.
      await change(id, (current) =>
        isDue(current) ? { state: 'ready', attempts: current.attempts } : undefined,
      ).catch((error) => log.error('A model could not be reopened', { model: id, error }));
    }
    const reported = getState(everyModel).state === 'ready' ? modelIds : ids;
    return reported.map((id) => ({ id, state: getState(id) }));
  }

  function setState(id: string, state: QuotaState): void {
    states.set(id, state);
    changes += 1;
    changedAt.set(id, changes);
  }

  /** Writes the state that `next` returns, if any. Never overwrites `off`. */
  async function change(id: string, next: (current: QuotaState) => QuotaState | undefined): Promise<void> {
    await retryCommit(`quota ${id}`, async () => {
      const { documents } = await database.read([quotaPath(id)]);
      const [document] = documents;
      const current = parseQuotaState(document, log);
      const after = current.state === 'off' ? undefined : next(current);
      setState(id, current);
      if (!after) return;
      await database.commit([
        document
          ? updateDocument(
              quotaPath(id),
              { reason: removed, retryAt: removed, slowUntil: removed, ...after, updatedAt: serverTime },
              document.version,
            )
          : createDocument(quotaPath(id), { ...after, updatedAt: serverTime }),
      ]);
      setState(id, after);
      log.warning(after.slowUntil ? 'A model is slow' : 'The state of a model changed', {
        event: after.slowUntil ? 'model_slow' : 'model_state_changed',
        model: id,
        from: current.state,
        to: after.state,
        ...after,
      });
    });
  }

  return {
    statesToRead,
    readAlong,
    filterUsable,
    firstUsable,
    refusal,
    recordFailure,
    recordSuccess,
    reopenDue,
  };
}

const exhaustedUntil = ({ state, retryAt }: QuotaState) =>
  state === 'exhausted' ? (retryAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;
