/** The spend ceiling: what all images of a day (UTC) may cost at the provider. */
import type { Clock } from '../core/clock.ts';
import type { Database } from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { Failure } from '../errors.ts';

/** How old the day's sum may be, milliseconds: what is painted meanwhile can go over the ceiling. */
const freshMs = 30_000;
const dayMs = 86_400_000;

export type SpendOptions = {
  database: Database;
  retryCommit: RetryCommit;
  clock: Clock;
  /** Micro-dollars for a day; undefined: no ceiling. */
  ceilingMicros: number | undefined;
};

export type Spend = ReturnType<typeof createSpend>;

/** What this instance knows of the day's spend. */
export function createSpend({ database, retryCommit, clock, ceilingMicros }: SpendOptions) {
  let knownAt = Number.NEGATIVE_INFINITY;
  let knownDay = 0;
  let micros = 0;
  let summing: Promise<void> | undefined;

  const toDay = (time: number) => Math.floor(time / dayMs);

  async function sum(): Promise<void> {
    const day = toDay(clock.now());
    const { totals } = await retryCommit(undefined, () =>
      database.totals('jobs/spend', [
        {
          collection: 'generations',
          group: true,
          where: [['createdAt', '>=', new Date(day * dayMs)]],
          field: 'providerCostMicros',
        },
      ]),
    );
    [knownAt, knownDay, micros] = [clock.elapsed(), day, totals[0]?.sum ?? 0];
  }

  /** Sums the day's spend anew where that is due: one query for all that ask at once. */
  async function refresh(): Promise<void> {
    if (ceilingMicros === undefined) return;
    const isFresh = clock.elapsed() - knownAt < freshMs && knownDay === toDay(clock.now());
    if (isFresh) return;
    summing ??= sum().finally(() => {
      summing = undefined;
    });
    await summing;
  }

  /** The refusal where the ceiling is reached. */
  function refusal(): Failure | undefined {
    if (ceilingMicros === undefined || micros < ceilingMicros) return undefined;
    const now = clock.now();
    const retryAfterSeconds = Math.max(1, Math.ceil(((toDay(now) + 1) * dayMs - now) / 1000));
    return new Failure('SPEND_CEILING', 'No more images are painted today.', { retryAfterSeconds });
  }

  return { refresh, refusal };
}
