/**
 * The sums of a period. Firestore adds them up over its indexes and bills one read for 1,000 index entries, so a large studio
 * costs little more than a small one.
 */
import {
  type OverviewAnswer,
  type OverviewQuery,
  overviewDaysDefault,
  overviewDaysMax,
} from '../contract/desk.ts';
import type { EntryType } from '../contract/ledger.ts';
import { type Filter, longQueryMs, type Total, type TotalRequest } from '../database/database.ts';
import { type JobName, lateAfterMinutes, readFinishedJobs } from '../database/jobs.ts';
import { invalidRequest } from '../errors.ts';
import { everyModel, parseQuotaState, type QuotaState, quotaPath } from '../imagegen/quotaState.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Services } from '../services.ts';
import { readActions } from './actions.ts';

const dayMs = 86_400_000;
/** Sums that one transaction reads. */
const totalsMax = 40;
/** Most currencies that a studio is expected to sell in. */
const currenciesMax = 20;

/** The reasons for which a generation is refunded. */
const failureReasons = [
  'CONTENT_BLOCKED',
  'REFERENCE_UNREADABLE',
  'EXPIRED',
  'PROVIDER_ERROR',
  'PROVIDER_MISCONFIGURED',
  'PROVIDER_OVERLOADED',
  'PROVIDER_QUOTA',
  'PROVIDER_TIMEOUT',
  'NO_IMAGE',
  'STORAGE_ERROR',
  'SHUTTING_DOWN',
  'DATABASE_UNAVAILABLE',
  'INTERNAL',
] as const;

type Period = { from: Date; to: Date };

/** @throws {Failure} INVALID_REQUEST for a period that is empty or too long. */
export function parsePeriod({ from, to }: OverviewQuery, now: Date): Period {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - overviewDaysDefault * dayMs) : new Date(from);
  const days = (end.getTime() - start.getTime()) / dayMs;
  if (days <= 0) throw invalidRequest([{ field: 'from', description: 'must be before `to`' }]);
  if (days > overviewDaysMax) {
    const description = `must be at most ${overviewDaysMax} days before \`to\``;
    throw invalidRequest([{ field: 'from', description }]);
  }
  return { from: start, to: end };
}

/** @throws {Failure} DATABASE_UNAVAILABLE. */
export async function readOverview(services: Services, period: Period): Promise<OverviewAnswer> {
  const ledger = await services.ledger();
  const { modelIds } = services.config;
  const [money, sums, days, models, jobs, actions] = await Promise.all([
    readMoney(ledger, period),
    readSums(ledger, period),
    readDays(ledger, period),
    readModels(ledger, modelIds),
    readJobs(services, ledger),
    readActions(ledger),
  ]);
  return {
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    money,
    ...sums,
    marginMicros: toMargin(money, sums.providerCostMicros),
    days,
    models,
    jobs,
    actions,
  };
}

/** Sums by name, read in as few transactions as possible. */
async function readTotals<K extends string>(
  { database, retryCommit }: Ledger,
  requests: Record<K, TotalRequest>,
): Promise<Record<K, Total>> {
  const entries = Object.entries(requests) as [K, TotalRequest][];
  const read = async (from: number): Promise<Total[]> => {
    const some = entries.slice(from, from + totalsMax).map(([, request]) => request);
    if (some.length === 0) return [];
    const timed = some.map((request) => ({ ...request, timeoutMs: longQueryMs }));
    const { totals } = await retryCommit(undefined, () => database.totals('jobs/overview', timed));
    return [...totals, ...(await read(from + totalsMax))];
  };
  const totals = await read(0);
  return Object.fromEntries(entries.map(([name], i) => [name, totals[i]])) as Record<K, Total>;
}

const within = ({ from, to }: Period): Filter[] => [
  ['createdAt', '>=', from],
  ['createdAt', '<', to],
];

const entriesOf = (type: EntryType, period: Period): TotalRequest => ({
  collection: 'entries',
  group: true,
  where: [['type', '==', type], ...within(period)],
  field: 'amount',
});

/** Finished images count even if their user has deleted them. */
const succeeded: Filter = ['status', 'in', ['succeeded', 'deleted']];
const refunded: Filter = ['status', '==', 'refunded'];
const pending: Filter = ['status', '==', 'pending'];

const generationsOf = (filter: Filter, period: Period): TotalRequest => ({
  collection: 'generations',
  group: true,
  where: [filter, ...within(period)],
  field: 'providerCostMicros',
});

async function readSums(ledger: Ledger, period: Period) {
  const types = [
    'purchase',
    'grant',
    'allowance',
    'adjustment',
    'debit',
    'refund',
    'clawback',
    'reinstatement',
  ] as const;
  const [credits, others, reasons] = await Promise.all([
    readTotals(
      ledger,
      toRecord(types, (type) => entriesOf(type, period)),
    ),
    readTotals(ledger, {
      balances: { collection: 'accounts', field: 'balance' },
      debts: { collection: 'accounts', field: 'debt' },
      succeeded: generationsOf(succeeded, period),
      refunded: generationsOf(refunded, period),
      pending: generationsOf(pending, period),
      enhancements: {
        collection: 'enhancements',
        group: true,
        where: within(period),
        field: 'providerCostMicros',
      },
    }),
    readTotals(
      ledger,
      toRecord(failureReasons, (reason) => generationsOf(['failure.reason', '==', reason], period)),
    ),
  ]);
  return {
    credits: {
      sold: credits.purchase.sum,
      granted: credits.grant.sum,
      allowances: credits.allowance.sum,
      adjusted: credits.adjustment.sum,
      spent: -credits.debit.sum || 0,
      refunded: credits.refund.sum,
      takenBack: -credits.clawback.sum || 0,
      reinstated: credits.reinstatement.sum,
    },
    outstanding: { accounts: others.balances.count, credits: others.balances.sum, debt: others.debts.sum },
    images: {
      succeeded: others.succeeded.count,
      refunded: others.refunded.count,
      pending: others.pending.count,
    },
    failures: toFailures(reasons, others.refunded.count),
    providerCostMicros:
      others.succeeded.sum + others.refunded.sum + others.pending.sum + others.enhancements.sum,
  };
}

const toRecord = <K extends string, T>(keys: readonly K[], make: (key: K) => T) =>
  Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, T>;

/** The reasons that occurred, most frequent first. Generations with any other reason are `OTHER`. */
function toFailures(reasons: Record<string, Total>, refundedCount: number) {
  const known = Object.entries(reasons).map(([reason, { count }]) => ({ reason, count }));
  const others = refundedCount - known.reduce((sum, { count }) => sum + count, 0);
  return [...known, { reason: 'OTHER', count: others }]
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

/** The currencies of all purchases: each is found as the next one after the last. */
async function readCurrencies({ database, retryCommit }: Ledger): Promise<string[]> {
  const currencies: string[] = [];
  while (currencies.length < currenciesMax) {
    const { documents } = await retryCommit(undefined, () =>
      database.page({
        collection: 'purchases',
        group: true,
        where: [['currency', '>', currencies.at(-1) ?? '']],
        orderBy: [['currency', 'asc']],
        limit: 1,
      }),
    );
    const currency = documents[0]?.data.currency;
    if (typeof currency !== 'string') break;
    currencies.push(currency);
  }
  return currencies;
}

async function readMoney(ledger: Ledger, period: Period): Promise<OverviewAnswer['money']> {
  const currencies = await readCurrencies(ledger);
  const totals = await readTotals(
    ledger,
    toRecord(currencies, (currency) => ({
      collection: 'purchases',
      group: true,
      where: [['currency', '==', currency], ...within(period)],
      field: 'amount',
    })),
  );
  return currencies
    .map((currency) => ({
      currency,
      paid: totals[currency]?.sum ?? 0,
      purchases: totals[currency]?.count ?? 0,
    }))
    .filter(({ purchases }) => purchases > 0);
}

/** A cent is 10,000 millionths of a dollar. */
function toMargin(money: OverviewAnswer['money'], providerCostMicros: number): number | null {
  if (money.some(({ currency }) => currency !== 'usd')) return null;
  return money.reduce((sum, { paid }) => sum + paid * 10_000, 0) - providerCostMicros;
}

/** The days of the period, in UTC. The first and the last may be parts of a day. */
function toDays({ from, to }: Period): Period[] {
  const days: Period[] = [];
  for (let start = from; start < to; ) {
    const nextDay = new Date((Math.floor(start.getTime() / dayMs) + 1) * dayMs);
    const end = nextDay < to ? nextDay : to;
    days.push({ from: start, to: end });
    start = end;
  }
  return days;
}

async function readDays(ledger: Ledger, period: Period): Promise<OverviewAnswer['days']> {
  const days = toDays(period);
  const requests = days.flatMap((day, i): [string, TotalRequest][] => [
    [`${i} succeeded`, generationsOf(succeeded, day)],
    [`${i} refunded`, generationsOf(refunded, day)],
    [`${i} sold`, entriesOf('purchase', day)],
    [`${i} spent`, entriesOf('debit', day)],
  ]);
  const totals = await readTotals(ledger, Object.fromEntries(requests));
  const none: Total = { sum: 0, count: 0 };
  return days.map(({ from }, i) => {
    const [made, lost, sold, spent] = ['succeeded', 'refunded', 'sold', 'spent'].map(
      (name) => totals[`${i} ${name}`] ?? none,
    ) as [Total, Total, Total, Total];
    return {
      date: from.toISOString().slice(0, 10),
      images: made.count,
      refunds: lost.count,
      creditsSold: sold.sum,
      creditsSpent: -spent.sum || 0,
      providerCostMicros: made.sum + lost.sum,
    };
  });
}

async function readModels(
  { database, retryCommit, log }: Ledger,
  modelIds: readonly string[],
): Promise<OverviewAnswer['models']> {
  const ids = [...modelIds, everyModel];
  const { documents } = await retryCommit(undefined, () => database.read(ids.map(quotaPath)));
  const states = ids.map((id, i): [string, QuotaState] => [id, parseQuotaState(documents[i], log)]);
  return states
    .filter(([id, { state }]) => id !== everyModel || state !== 'ready')
    .map(([id, { state, reason, retryAt }]) => ({
      id,
      state,
      ...(reason && { reason }),
      ...(retryAt && { retryAt: retryAt.toISOString() }),
    }));
}

/** The comparison with Stripe runs only where credits are sold. */
function readJobs({ config }: Services, ledger: Ledger) {
  const names = Object.keys(lateAfterMinutes) as JobName[];
  return readFinishedJobs(
    ledger,
    names.filter((name) => name !== 'reconcilePayments' || config.stripe.secretKey),
  );
}
