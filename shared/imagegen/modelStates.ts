/** What an instance can tell of itself without asking anybody: how models stood when it last looked, what to warn of. */
import { everyModel, type QuotaState } from './quota.ts';

/** Models as this instance has last seen them; `unknown` where it has not looked. */
export function modelsAsSeen(ids: readonly string[], seen: ReadonlyMap<string, QuotaState>, now: Date) {
  const all = seen.get(everyModel);
  return ids.map((id) => {
    const own = seen.get(id);
    if (!own) return { id, state: 'unknown' as const };
    const closed = [all, own].find((one) => one !== undefined && isClosed(one, now));
    if (!closed) return { id, state: 'ready' as const };
    const { state, reason, retryAt } = closed;
    return { id, state, ...(reason && { reason }), ...(retryAt && { retryAt: retryAt.toISOString() }) };
  });
}

/** What is exhausted lapses by itself. */
const isClosed = ({ state, retryAt }: QuotaState, now: Date) =>
  state === 'off' || (state === 'exhausted' && (retryAt === undefined || retryAt > now));
