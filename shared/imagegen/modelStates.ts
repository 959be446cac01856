/** The states of the models as this instance last read them, for `health`, which reads nothing. */
import { everyModel, type QuotaState } from './quotaState.ts';

/** `unknown` for a model whose state this instance has not read. */
export function toModelReports(ids: readonly string[], states: ReadonlyMap<string, QuotaState>, now: Date) {
  const all = states.get(everyModel);
  return ids.map((id) => {
    const own = states.get(id);
    if (!own) return { id, state: 'unknown' as const };
    const unusable = [all, own].find((state) => state !== undefined && isUnusable(state, now));
    if (!unusable) return { id, state: 'ready' as const };
    const { state, reason, retryAt } = unusable;
    return { id, state, ...(reason && { reason }), ...(retryAt && { retryAt: retryAt.toISOString() }) };
  });
}

/** Warnings about models that Google does not know at the moment. They are asked again later. */
export function stateWarnings(ids: readonly string[], states: ReadonlyMap<string, QuotaState>, now: Date) {
  return toModelReports(ids, states, now).flatMap((report) =>
    'reason' in report && report.reason === 'retired'
      ? [`${report.id} was not found at Google and is not asked until ${report.retryAt}`]
      : [],
  );
}

/** An exhausted model is usable again after `retryAt`. */
export const isUnusable = ({ state, retryAt }: QuotaState, now: Date) =>
  state === 'off' || (state === 'exhausted' && (retryAt === undefined || retryAt > now));
