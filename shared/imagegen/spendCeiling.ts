/** The spend ceiling: the most that the provider may bill for all images and improved prompts of a day (UTC). */
import type { Clock } from '../core/clock.ts';
import type { Database } from '../database/database.ts';
import type { RetryCommit } from '../database/retryCommit.ts';
import { Failure } from '../errors.ts';

/** Greatest age of the day's sum, milliseconds. Images generated in the meantime can exceed the ceiling. */
const freshMs = 30_000;
const dayMs = 86_400_000;
/** The collection groups whose documents have `providerCostMicros`. No cost is in both. */
const billedGroups = ['generations', 'enhancements'];

export type SpendOptions = {
  database: Database;
  retryCommit: RetryCommit;
  clock: Clock;
  /** Micro-dollars per day; undefined for no ceiling. */
  ceilingMicros: number | undefined;
};

export type Spend = ReturnType<typeof createSpend>;

/** The spend of the day, as far as this instance knows it. */
export function createSpend({ database, retryCommit, clock, ceilingMicros }: SpendOptions) {
  let summedAt = Number.NEGATIVE_INFINITY;
  let summedDay = 0;
  let micros = 0;
  let summing: Promise<void> | undefined;

  const toDay = (time: number) => Math.floor(time / dayMs);

  async function sum(): Promise<void> {
    const day = toDay(clock.now());
    const { totals } = await retryCommit(undefined, () =>
      database.totals(
        'jobs/spend',
        billedGroups.map((collection) => ({
          collection,
          group: true,
          where: [['createdAt', '>=', new Date(day * dayMs)]],
          field: 'providerCostMicros',
        })),
      ),
    );
    const sum = totals.reduce((all, each) => all + each.sum, 0);
    [summedAt, summedDay, micros] = [clock.elapsed(), day, sum];
  }

  /** Sums the day's spend if the sum is too old. Concurrent callers share one query. */
  async function refresh(): Promise<void> {
    if (ceilingMicros === undefined) return;
    const isFresh = clock.elapsed() - summedAt < freshMs && summedDay === toDay(clock.now());
    if (isFresh) return;
    summing ??= sum().finally(() => {
      summing = undefined;
    });
    await summing;
  }

  /** The refusal if the ceiling is reached. */
  function refusal(): Failure | undefined {
    if (ceilingMicros === undefined || micros < ceilingMicros) return undefined;
    const now = clock.now();
    const retryAfterSeconds = Math.max(1, Math.ceil(((toDay(now) + 1) * dayMs - now) / 1000));
    return new Failure('SPEND_CEILING', 'No more images can be generated today.', { retryAfterSeconds });
  }

  return { refresh, refusal };
}
