/**
 * Which models may be asked, shared by all instances in `quota/{modelId}` and `quota/all`. What lasts for
 * hours is written there; a limit per minute stays in the instance that met it.
 */
import * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import type { Log } from '../core/log.ts';
import { type Database, removed, type StoredDocument } from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { Failure, type ProviderFailure } from '../errors.ts';
import { nextPacificMidnight } from './pacificTime.ts';

/** How old what is known of the states may be, milliseconds. */
const freshMs = 5_000;
/** How long one who asks waits for another's read before it reads itself, milliseconds. */
const waitMsMax = 1_000;
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
const toPath = (id: string) => `quota/${id}`;

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
  const paths = ids.map(toPath);
  const coolUntil = new Map<string, number>();
  let knownAt = Number.NEGATIVE_INFINITY;
  /** Counts what this instance has learnt one by one, and when of which: a read that began before is older. */
  let changes = 0;
  const changedAt = new Map<string, number>();
  let reading: Promise<void> | undefined;

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
   * Reads by `read`, which gets the paths of the states to read along, none while what is known of them is
   * fresh, and gives back the documents for them. Of several at once the first reads, and the others wait.
   */
  async function readAlong<T>(
    read: (
      more: readonly string[],
    ) => Promise<{ result: T; states: readonly (StoredDocument | undefined)[] }>,
  ): Promise<T> {
    while (isStale() && reading) {
      const current = reading;
      await withDeadline(current, waitMsMax, 'The model states').catch(() => {});
      if (reading === current) break;
    }
    if (!isStale()) return (await read([])).result;
    const { promise, resolve } = Promise.withResolvers<void>();
    reading = promise;
    try {
      const since = changes;
      const { result, states } = await read(paths);
      learn(states, since);
      return result;
    } finally {
      if (reading === promise) reading = undefined;
      resolve();
    }
  }

  function learn(documents: readonly (StoredDocument | undefined)[], since: number): void {
    ids.forEach((id, i) => {
      if ((changedAt.get(id) ?? 0) > since) return;
      known.set(id, documents[i] ? stateSchema.parse(documents[i].data) : ready);
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
    const since = changes;
    const { documents, readTime } = await retryCommit(undefined, () => database.read(paths));
    learn(documents, since);
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
      const { documents } = await database.read([toPath(id)]);
      const [document] = documents;
      const current = document ? stateSchema.parse(document.data) : ready;
      const after = current.state === 'off' ? undefined : next(current);
      note(id, current);
      if (!after) return;
      const data = { reason: removed, retryAt: removed, ...after, updatedAt: new Date(clock.now()) };
      await database.commit([
        document
          ? { update: toPath(id), data, at: document.version }
          : { create: toPath(id), data: { ...after, updatedAt: data.updatedAt } },
      ]);
      note(id, after);
      log.warning('A model changed its state', { model: id, from: current.state, to: after.state, ...after });
    });
  }

  return { readAlong, usable, refusal, recordFailure, recordSuccess, reopenDue, getState };
}

const exhaustedUntil = ({ state, retryAt }: QuotaState) =>
  state === 'exhausted' ? (retryAt?.getTime() ?? Number.POSITIVE_INFINITY) : 0;

const longest = ({ kind }: ProviderFailure) => (kind === 'billing' ? billingMs.max : retiredMs);

const toReason = ({ kind }: ProviderFailure) => (kind === 'day' ? 'daily quota' : kind);
